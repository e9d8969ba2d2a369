"""What is kept of an item beside where it stands: its due dates, its last progress note, its doubts and its end."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Extension:
    """A later due date that the owner asks for; the office decides."""

    due_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What was said of an item's due date."""

    since: date
    """The day on which the last word about it took effect."""
    baselines: tuple[date, ...] = ()
    """The days by which it was due before, oldest first."""
    extension: Extension | None = None
    """What the owner has asked for and the office has not decided on."""


@dataclass(frozen=True, slots=True)
class ProgressNote:
    """What a unit says of its work; no figure follows from it."""

    done: str
    problems: str | None
    next: str | None
    help: str | None
    by: UUID
    noted_on: date


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a closed item may have been closed wrongly: the verification of this milestone was revoked afterwards."""

    milestone: int
    reason: str
    authority: str
    since: date


@dataclass(frozen=True, slots=True)
class AsOf:
    """What follows of an item from the day on which somebody looks at it."""

    days_late: int
    """How many days it is past its due date; 0 before them, and once it has ended."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why an item ended otherwise than verified, and what goes on in its place."""

    reason: str
    authority: str
    into: UUID | None = None
    """The item that it was merged into."""
    successor: str | None = None
    """The plan that carries it on, by its code."""
