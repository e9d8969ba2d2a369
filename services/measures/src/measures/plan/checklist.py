"""What stands between a plan and its closing: all in it that is open, and what was carried over to which plan."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

NAMED_MAX: Final = 200


class OpenKind(StrEnum):
    """What may keep a plan open."""

    ITEM = "item"
    LOCAL_PLAN = "local-plan"


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Something in the plan that has neither ended nor been carried over."""

    kind: OpenKind
    id: UUID
    code: str
    state: str


@dataclass(frozen=True, slots=True)
class Carried:
    """An item with which another plan goes on."""

    id: UUID
    code: str
    successor: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """How far all that belongs to a plan has come, by code."""

    open: tuple[StillOpen, ...]
    """The first ``NAMED_MAX`` of all that is open."""
    carried: tuple[Carried, ...]
    settled_on: date | None
    """The day on which the last of what ended did so; None where nothing ever was in the plan."""
    more: int = 0
    """How much is open beside what is named."""

    @property
    def open_count(self) -> int:
        """How much is open."""
        return len(self.open) + self.more
