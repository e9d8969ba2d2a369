"""A relay stalls with a window in its hands while two others run: nobody may go on with what comes after it."""

from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Freeze the reigning relay before it sends what it has read, and let two more run beside it."""
    first = stack.the("measures", "worker")
    await first.stop()
    first.start(failpoint="relay-frozen-before-send")
    frozen = await first.freezes()
    for _ in range(2):
        await stack.start_another("measures", "worker").ready()
    await load.after(100)
    return f"{frozen}, and two others run"


async def heal(stack: FaultStack, _load: Load) -> str:
    """It wakes up."""
    return await stack.the("measures", "worker").resume()


FAULT = Fault(inject=inject, heal=heal, within_s=10)
