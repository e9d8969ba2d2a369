"""What clients did and what they were told, each attempt for itself, on one monotonic clock.

A history is evidence, so it says what it does not know: a reply that never came is ``Unknown``, and so is every 429
and 5xx, whatever the service meant by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class HarnessError(Exception):
    """The run proves nothing: a fault without effect, a stack that does not come up, a history that is too short."""


class Kind(StrEnum):
    """What a client asked for."""

    COMMAND = "command"
    READ = "read"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command was carried out, or had been before: the reply as it came, and the position that it names."""

    status: int
    reply: bytes
    aggregate: UUID
    version: int

    @property
    def position(self) -> str:
        """``<id>@<version>``, as views, streams and ``min_position`` name it."""
        return f"{self.aggregate}@{self.version}"


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was read and turned down for good: a 4xx but 429."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer that says whether there was an effect: a cut connection, a time-out, a 429, a 5xx."""

    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read showed: the reply, how many milestones count in the measure, and how far each partition was read."""

    reply: bytes
    milestones: int
    position: dict[str, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the live stream."""

    id: str
    event: str
    positions: tuple[str, ...]
    at: float
    """When it came, on the history's clock."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """One connection to the live stream, from its opening until it was cut or closed."""

    resumed_from: str | None
    """The Last-Event-ID that was sent."""
    frames: tuple[Frame, ...]
    ended: str
    """Why it ended; ``closed`` where the reader itself closed it."""


Outcome: TypeAlias = Accepted | Refused | Unknown | Seen | Streamed


@dataclass(frozen=True, slots=True)
class Operation:
    """One attempt of one client: what it sent, and what came of it."""

    client: str
    kind: Kind
    action: str
    """A command's path relative to its aggregate (``milestones/7/report``); a read's path with its query."""
    sent_at: float
    done_at: float
    outcome: Outcome
    aggregate: UUID | None = None
    key: str | None = None
    """The Idempotency-Key, one for all attempts of a command."""
    body: bytes = b""
    attempt: int = 1
    min_position: str | None = None


@dataclass
class History:
    """All operations of a run in the order in which they ended; under ``minimum`` accepted ones it proves nothing."""

    minimum: int = 1
    operations: list[Operation] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        """Note an operation that has ended."""
        self.operations.append(operation)

    def of(self, kind: Kind) -> list[Operation]:
        """All attempts of one kind."""
        return [one for one in self.operations if one.kind is kind]

    @property
    def commands(self) -> list[Operation]:
        """Every attempt of every command."""
        return self.of(Kind.COMMAND)

    def accepted(self) -> list[tuple[Operation, Accepted]]:
        """The attempts of commands that were accepted, each with what it was told; a repeat is one of its own."""
        return [(one, one.outcome) for one in self.commands if isinstance(one.outcome, Accepted)]

    def unknown(self) -> list[Operation]:
        """The attempts of commands whose effect nobody was told."""
        return [one for one in self.commands if isinstance(one.outcome, Unknown)]

    def by_key(self) -> dict[str, list[Operation]]:
        """The attempts of each command, by its key, in the order in which they ended."""
        found: dict[str, list[Operation]] = {}
        for one in self.commands:
            if one.key is not None:
                found.setdefault(one.key, []).append(one)
        return found

    def undecided(self) -> list[Operation]:
        """The last attempt of each command that got no answer to the very end: it has had one effect or none."""
        last = (attempts[-1] for attempts in self.by_key().values())
        return [one for one in last if isinstance(one.outcome, Unknown)]

    def frames(self, reader: str) -> Iterator[Frame]:
        """All that one reader of the stream was sent, over all of its connections, in order."""
        for one in self.of(Kind.STREAM):
            if one.client == reader and isinstance(one.outcome, Streamed):
                yield from one.outcome.frames

    def require_enough(self) -> None:
        """Refuse to be judged on too little.

        :raises HarnessError: fewer accepted commands than the minimum; retries do not make it longer.
        """
        accepted = sum(any(isinstance(one.outcome, Accepted) for one in tries) for tries in self.by_key().values())
        if accepted < self.minimum:
            raise HarnessError(f"only {accepted} commands were accepted; it takes {self.minimum} to prove anything")
