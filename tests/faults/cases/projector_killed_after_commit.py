"""The projector dies after its commit and before it tells Kafka: nothing of the batch may be applied again."""

from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Start it with the failpoint under load and let it run into it."""
    projector = stack.the("events", "projector")
    await projector.stop()
    projector.start(failpoint="projector-killed-after-commit")
    died = await projector.dies()
    await load.after(40)
    return died


async def heal(stack: FaultStack, _load: Load) -> str:
    """A supervisor starts it again; Kafka waits for the dead one until its session ends, ten seconds later."""
    return stack.the("events", "projector").start_again()


FAULT = Fault(inject=inject, heal=heal, within_s=20)
