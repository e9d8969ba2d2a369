"""Whose work a measure or an item is: none of these units, and none below them, judges it."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from common.decision import NO_UNIT, NOT_INDEPENDENT, Refused, Unit
from measures.measure.lead import Lead, led_on


@dataclass(frozen=True, slots=True)
class Partakers:
    """Who does the work, and who leads it since when."""

    units: tuple[UUID, ...] = ()
    """Owner and co-units of an item; of a measure, those of all its items."""
    leads: tuple[Lead, ...] = ()
    """Who has led the measure, or the measure of the item, earliest first."""

    def lead(self, on: date | None) -> tuple[UUID, ...]:
        """The unit that leads on that day, if one does; without a day, the one that was assigned last."""
        found = led_on(self.leads, on)
        return (found.unit,) if found else ()

    def not_independent(self, by: Unit | None, on: date | None = None) -> Refused | None:
        """What speaks against this unit's judging on that day, or now; None if nothing does."""
        if by is None:
            return NO_UNIT()
        lead = led_on(self.leads, on)
        took_part = (*self.units, lead.unit, *lead.co_units) if lead else self.units
        return NOT_INDEPENDENT() if by.belongs_to(*took_part) else None


NOBODY: Final = Partakers()
"""Where nobody has begun, and nobody leads yet."""
