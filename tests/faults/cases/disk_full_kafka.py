"""The disk under Kafka is full: commands are accepted as before, and go out once there is room again."""

import asyncio
from functools import partial

from faults.clients import Load
from faults.expectations import every_command_was_answered
from faults.fault import Fault
from faults.history import HarnessError
from faults.small_disk import fill, free, small_disk
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Fill it, and let commands pile up in the outbox."""
    filled = await asyncio.to_thread(fill, stack.servers, "kafka")
    await load.after(400)
    waiting = await stack.ask("measures", "SELECT count(*) FROM outbox")
    if not waiting:
        raise HarnessError("nothing waits in the outbox: the full disk did not matter")
    return f"{filled}; {waiting} events wait in the outbox"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Make room; a broker that gave its disk up for lost is started again by its supervisor."""
    return await asyncio.to_thread(free, stack.servers, "kafka")


FAULT = Fault(
    inject=inject, heal=heal, within_s=30, servers=partial(small_disk, "kafka", 64), check=every_command_was_answered
)
