"""One projector becomes three and one again, every five seconds: partitions change hands under load."""

import asyncio

from events.tables import PROJECTION
from eventually import eventually
from faults.clients import Load, Rate
from faults.fault import Fault
from faults.servers import group_of
from faults.stack import FaultStack

ROUNDS, EVERY_SECONDS = 2, 5


async def inject(stack: FaultStack, _load: Load) -> str:
    """Twice two more come and go; the broker says how many share the partitions."""
    others = [stack.start_another("events", "projector") for _ in range(2)]
    seen = []
    for _ in range(ROUNDS):
        seen.append(await _shared_by(stack, 3))
        await asyncio.sleep(EVERY_SECONDS)
        for other in others:
            await other.stop()
        seen.append(await _shared_by(stack, 1))
        await asyncio.sleep(EVERY_SECONDS)
        for other in others:
            other.start()
    seen.append(await _shared_by(stack, 3))
    return f"projectors that shared the partitions, as the broker saw it: {' → '.join(map(str, seen))}"


async def _shared_by(stack: FaultStack, many: int) -> int:
    async def settled() -> bool:
        found = await group_of(stack.bootstrap, PROJECTION)
        assert found == ("Stable", many), f"the group is {found}"
        return True

    await eventually(settled, seconds=40)
    return many


FAULT = Fault(inject=inject, within_s=15, rate=Rate(minimum=800))
