"""Two projectors compute one measure at the same moment: neither may overlook what the other is about to commit."""

from uuid import UUID

from builders import item_body, milestone_body
from common.reading import partition_of
from eventually import eventually
from faults.clients import Load, Rate
from faults.fault import Fault
from faults.history import HarnessError
from faults.servers import PARTITIONS
from faults.stack import OFFICE, FaultStack, Setup

MEASURE = "B1"
"""Of which the load has no item."""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold the row of a measure until both want it, each with an event of an item that is the other's no business."""
    items = await _an_item_for_each(stack)
    events = await stack.connect("events")
    try:
        async with events.transaction(), stack.client(stack.the("measures", "api").url, OFFICE) as office:
            await events.execute("SELECT FROM measure_progress WHERE measure = $1 FOR UPDATE", MEASURE)
            for item in items:
                await office.post(f"/api/v1/items/{item}/milestones", json=milestone_body(20))

            async def both_wait() -> bool:
                return bool(await events.fetchval(WAITING) == 2)

            await eventually(both_wait, seconds=4)
    finally:
        await events.close()
    await load.after(20)
    return f"two projectors waited for the row of {MEASURE} at once"


async def _an_item_for_each(stack: FaultStack) -> list[UUID]:
    """Two items of the measure, in the first and in the last half of the partitions: one projector reads each half."""
    found: dict[bool, UUID] = {}
    async with stack.client(stack.the("measures", "api").url, OFFICE) as office:
        while len(found) < 2:
            reply = await office.post("/api/v1/items", json=item_body(measure=MEASURE))
            if not reply.is_success:
                raise HarnessError(f"an item was refused: {reply.text}")
            item = reply.json()["id"]
            found[partition_of(item.encode(), PARTITIONS) * 2 < PARTITIONS] = UUID(item)

    async def known() -> bool:
        view = await stack.view()
        return all(view.get(item, 0) == 2 for item in found.values())

    await eventually(known)
    return list(found.values())


FAULT = Fault(
    inject=inject, within_s=5, setup=Setup(items=1, projectors=2), rate=Rate(clients=2, per_second=20, minimum=60)
)
