"""The projection reads everything from the beginning while its views are full: it finds nothing but repeats."""

from events.tables import PROJECTION
from eventually import eventually
from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack

READ = "SELECT sum(next_offset) FROM projection_offset WHERE projection = $1"
SET_BACK = """
UPDATE projection_offset SET next_offset = 0, witness_offset = NULL, witness_id = NULL WHERE projection = $1
"""


async def inject(stack: FaultStack, load: Load) -> str:
    """Stop the projector, set its offsets back and start it."""
    projector, stack.moved_back = stack.the("events", "projector"), True
    await projector.stop()
    read = await stack.ask("events", READ, PROJECTION)
    await stack.ask("events", SET_BACK, PROJECTION)
    await projector.restart()
    await load.after(40)

    async def read_again() -> bool:
        return bool(await stack.ask("events", READ, PROJECTION) >= read)

    await eventually(read_again, seconds=30)
    return f"all offsets of the projection were set to 0, and {read} records were read a second time"


FAULT = Fault(inject=inject, within_s=5)
