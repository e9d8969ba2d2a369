"""What some faults must not do to clients, beside the invariants that hold for all."""

from faults.clients import Load
from faults.stack import FaultStack


async def every_command_was_answered(_stack: FaultStack, load: Load) -> list[str]:
    """Commands are available whatever becomes of Kafka: each attempt was accepted or refused at once."""
    return [f"{one.action} of {one.client}: {one.outcome}" for one in load.history.unknown()]
