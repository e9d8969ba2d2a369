"""How long anybody may wait for an answer, whatever is the matter behind the door."""

from faults.clients import Load
from faults.stack import FaultStack

ANSWER_SECONDS_MAX = 5.0
SLACK_SECONDS = 0.5
"""What the client itself may lose on a busy machine."""


async def answered_in_time(_stack: FaultStack, load: Load) -> list[str]:
    """No command and no read took longer than five seconds, answered or not."""
    return [
        f"{one.action} of {one.client} was answered after {one.done_at - one.sent_at:.1f} s: {one.outcome!r:.120}"
        for one in load.history.operations
        if one.kind != "stream" and one.done_at - one.sent_at > ANSWER_SECONDS_MAX + SLACK_SECONDS
    ]
