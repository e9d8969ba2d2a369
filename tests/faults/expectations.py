"""What some faults must not do to clients, beside the invariants that hold for all."""

from faults.clients import Load
from faults.history import Kind, Outcome, Unknown
from faults.stack import FaultStack

ANSWER_SECONDS_MAX = 5.0
SLACK_SECONDS = 0.5
"""What the client itself may lose on a busy machine."""


async def every_command_was_answered(_stack: FaultStack, load: Load) -> list[str]:
    """Commands are available whatever becomes of Kafka: each attempt was accepted or refused at once."""
    return [f"{one.action} of {one.client}: {one.outcome}" for one in load.history.unknown()]


async def answered_in_time(_stack: FaultStack, load: Load) -> list[str]:
    """No command and no read took longer than five seconds, whether it was answered or not."""
    return [
        f"{one.action} of {one.client} took {one.done_at - one.sent_at:.1f} s: {one.outcome!r:.120}"
        for one in load.history.operations
        if one.kind is not Kind.STREAM and one.done_at - one.sent_at > ANSWER_SECONDS_MAX + SLACK_SECONDS
    ]


async def only_clean_words(_stack: FaultStack, load: Load) -> list[str]:
    """Whoever was turned away was told 503 or 429: never a 500."""
    return [f"{one.action} of {one.client}: {one.outcome}" for one in load.history.unknown() if _is_500(one.outcome)]


def _is_500(outcome: Outcome) -> bool:
    return isinstance(outcome, Unknown) and outcome.status == 500
