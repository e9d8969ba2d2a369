"""When a measure was suspended (中止): from the day of each suspension until the day on which work went on."""

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Suspension:
    """One time that it was suspended."""

    since: date
    until: date | None = None
    """The first day on which it went on; None while it does not."""


def resumed(suspensions: tuple[Suspension, ...], on: date) -> tuple[Suspension, ...]:
    """The same, none of them going on."""
    return tuple(one if one.until else replace(one, until=on) for one in suspensions)


def was_suspended(suspensions: tuple[Suspension, ...], on: date) -> bool:
    """Whether it was suspended on that day."""
    return any(one.since <= on and (one.until is None or on < one.until) for one in suspensions)
