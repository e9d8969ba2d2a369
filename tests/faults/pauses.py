"""How long nothing was accepted, and how long what was accepted could not be seen, as clients felt it."""

from dataclasses import dataclass
from itertools import pairwise

from faults.history import History, Kind, Streamed


@dataclass(frozen=True, slots=True)
class Pauses:
    """In seconds; ``unseen`` counts accepted commands that no frame told of."""

    acceptance: float
    """The longest time between two acceptances."""
    visibility: float
    """The longest time from a reply to the first frame that told of it."""
    unseen: int

    def __str__(self) -> str:
        return (
            f"longest pause: {self.acceptance:.2f} s without an accepted command, {self.visibility:.2f} s from a reply "
            f"to the stream; {self.unseen} accepted commands were never seen there"
        )


def pauses_of(history: History) -> Pauses:
    """The pauses of a run; a repeated reply counts from the first one."""
    told: dict[str, float] = {}
    for one, reply in history.accepted():
        told[reply.position] = min(one.done_at, told.get(reply.position, one.done_at))
    seen: dict[str, float] = {}
    for one in history.of(Kind.STREAM):
        for frame in one.outcome.frames if isinstance(one.outcome, Streamed) else ():
            for position in frame.positions:
                seen[position] = min(frame.at, seen.get(position, frame.at))
    gaps = [later - earlier for earlier, later in pairwise(sorted(told.values()))]
    delays = [seen[position] - at for position, at in told.items() if position in seen]
    return Pauses(max(gaps, default=0.0), max(delays, default=0.0), len(told.keys() - seen.keys()))
