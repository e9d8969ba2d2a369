"""A command commits late: one that was begun before it, and is numbered behind it, is in the views by then."""

from builders import item_body, milestone_body
from faults.clients import Load
from faults.fault import Fault
from faults.history import HarnessError
from faults.holds import held
from faults.stack import FaultStack

NEXT = 3
"""The version that the next command makes of an item that was just put on the list with one milestone."""
ITS_ROW = "SELECT FROM item WHERE id = $1 FOR UPDATE"
ITS_NEXT_EVENT = """
INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers, effective_on,
                   recorded_at, actor, prev_hash, hash)
VALUES (gen_random_uuid(), 'item', $1, $2, 'held', '', '{}', now(), now(), 'faults', '', '')
"""
"""Not committed, it holds whoever wants to insert the same version: that one has its number by then."""


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold two commands at different places: the first before it is numbered, the second before it commits."""
    early, late = [await stack.do("/api/v1/items", item_body()) for _ in range(2)]
    async with held(stack, "measures", ITS_ROW, early) as unnumbered:
        first = await unnumbered.catches(stack.do(f"/api/v1/items/{early}/milestones", milestone_body(20)))
        async with held(stack, "measures", ITS_NEXT_EVENT, late, NEXT) as uncommitted:
            command = stack.do(f"/api/v1/items/{late}/milestones", milestone_body(20), door=-1)
            second = await uncommitted.catches(command)
            await unnumbered.let_go()
            await first
            await stack.shows(early, NEXT)
    await second
    sql = "SELECT position FROM event WHERE aggregate_id = $1 AND aggregate_version = $2"
    numbers = [await stack.ask("measures", sql, item, NEXT) for item in (early, late)]
    if numbers[0] < numbers[1]:
        raise HarnessError(f"the late commit has the higher number: {numbers}")
    await load.after(20)
    return f"position {numbers[1]} was committed when position {numbers[0]} was in the views already"


FAULT = Fault(inject=inject, within_s=5)
