"""A relay is frozen just before it commits: its transaction hangs, and until it is ended nobody reads beyond it."""

from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Freeze the reigning relay there, and let another stand by."""
    first = stack.the("measures", "worker")
    await first.stop()
    first.start(failpoint="relay-frozen-before-commit")
    frozen = await first.freezes()
    first.wanted = False  # nobody wakes it
    await stack.start_another("measures", "worker").ready()
    await load.after(20)
    return f"{frozen} with its transaction open"


FAULT = Fault(inject=inject, within_s=10)
