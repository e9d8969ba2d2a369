"""The relay dies after the broker's acknowledgement and before it deletes what it has sent: all of it is sent again."""

from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Start the worker with the failpoint under load and let it run into it."""
    worker = stack.the("measures", "worker")
    await worker.stop()
    worker.start(failpoint="relay-killed-after-ack")
    died = await worker.dies()
    await load.after(40)
    return died


async def heal(stack: FaultStack, _load: Load) -> str:
    """A supervisor starts it again."""
    return stack.the("measures", "worker").start_again()


FAULT = Fault(inject=inject, heal=heal, within_s=5)
