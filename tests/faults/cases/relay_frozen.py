"""A relay is frozen with a window in its hands; its successor goes on, and the frozen one wakes up beside it."""

from faults.clients import Load
from faults.fault import Fault
from faults.history import HarnessError
from faults.recovery import recovery
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Freeze the reigning relay before it sends what it has read, and let another take over."""
    first = stack.the("measures", "worker")
    await first.stop()
    first.start(failpoint="relay-frozen-before-send")
    frozen = await first.freezes()
    await stack.start_another("measures", "worker").ready()
    taken_over = await recovery(stack, load, seconds=20)
    if taken_over is None:
        raise HarnessError("nobody took over from the frozen relay")
    return f"{frozen}; its successor had published all after {taken_over} s"


async def heal(stack: FaultStack, load: Load) -> str:
    """It wakes up, finds itself fenced, and stands by."""
    awake = await stack.the("measures", "worker").resume()
    await load.after(150)
    return awake


FAULT = Fault(inject=inject, heal=heal, within_s=5)
