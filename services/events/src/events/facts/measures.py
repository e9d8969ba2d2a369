"""What is known of measures: the states that they reached, who leads them since when, and what they are tagged with."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Index, Text, Uuid
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event
from common.contracts import measures as told
from events.facts.plans import Rows
from events.tables import Base


class MeasureStep(Base, table=True):
    """A measure was launched, held up, put before judges, accepted, or goes on (``launched`` again).

    That it is in progress follows from its items, and that it is closed from its plan: neither is told.
    """

    __tablename__ = "measure_step"
    __table_args__ = (Index(None, "plan", "code"),)

    measure: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    plan: str
    code: str
    state: str
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MeasureLead(Base, table=True):
    """From a day on a unit leads a measure, with units that help; whoever led before no longer does."""

    __tablename__ = "measure_lead"
    __table_args__ = (Index(None, "plan", "code"),)

    measure: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    plan: str
    code: str
    lead_unit: UUID
    co_units: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MeasureTags(Base, table=True):
    """From a day on a measure has these tags and no others."""

    __tablename__ = "measure_tags"
    __table_args__ = (Index(None, "plan", "code"),)

    measure: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    plan: str
    code: str
    tags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def _reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, event: Any) -> Rows:
        key = (record.aggregate_id, record.version, event.plan, event.code)
        yield MeasureStep, (*key, state, record.effective_on, record.recorded_at)

    return rows


def _led(record: Recorded, event: told.MeasureLeadAssigned) -> Rows:
    key = (record.aggregate_id, record.version, event.plan, event.code)
    yield MeasureLead, (*key, event.lead_unit, list(event.co_units), event.assigned_on, record.recorded_at)


def _tagged(record: Recorded, event: told.MeasureTagged) -> Rows:
    key = (record.aggregate_id, record.version, event.plan, event.code)
    tags = [str(tag) for tag in (*event.qualities, *event.tendencies, *event.services, *event.focus)]
    yield MeasureTags, (*key, tags, event.tagged_on, record.recorded_at)


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    told.MeasureLaunched: _reached("launched"),
    told.MeasureSuspended: _reached("suspended"),
    told.MeasureResumed: _reached("launched"),
    told.MeasureSubmittedForAcceptance: _reached("submitted-for-acceptance"),
    told.MeasureAcceptanceReturned: _reached("launched"),
    told.MeasureAccepted: _reached("accepted"),
    told.MeasureLeadAssigned: _led,
    told.MeasureTagged: _tagged,
}
KINDS: Final[tuple[type[Base], ...]] = (MeasureStep, MeasureLead, MeasureTags)
