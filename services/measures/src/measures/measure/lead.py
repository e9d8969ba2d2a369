"""Who leads a measure (牵头单位), from which day on; whoever judges is asked about the lead of that very day."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from measures.measure.rules import MeasureState
from measures.measure.suspension import Suspension


@dataclass(frozen=True, slots=True)
class Lead:
    """The unit that leads a measure from a day on, until the next one does, with those that help it."""

    unit: UUID
    co_units: tuple[UUID, ...]
    since: date


def led_on(leads: tuple[Lead, ...], on: date | None) -> Lead | None:
    """Who leads on that day, None if nobody does yet; without a day, whoever was assigned last.

    :param leads: by ``since``, earliest first.
    """
    return next((lead for lead in reversed(leads) if on is None or lead.since <= on), None)


def leading(leads: tuple[Lead, ...], on: date | None) -> tuple[UUID, ...]:
    """The unit that leads on that day and those that help it: none of them judges what belongs to the measure."""
    lead = led_on(leads, on)
    return (lead.unit, *lead.co_units) if lead else ()


@dataclass(frozen=True, slots=True)
class MeasureAbove:
    """What an item knows of what is above it: how its measure stands and who leads it, how far its plans are."""

    state: MeasureState = MeasureState.PLANNED
    leads: tuple[Lead, ...] = ()
    plan_in_final_evaluation: bool = False
    plan_closed: bool = False
    local_plan_closed: bool = False
    returned_on: date | None = None
    """The day on which judges sent the measure back last."""
    suspensions: tuple[Suspension, ...] = ()
    """Each time that it was suspended."""
    whole: tuple[UUID, ...] = ()
    """Owner and co-units of the item that a local one is part of: its progress is theirs too."""
