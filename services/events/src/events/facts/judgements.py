"""What is known of independent ratings and of risks, each of one measure or item."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event
from common.contracts import measures as told
from events.facts.plans import Rows
from events.tables import Base


class Assurance(Base, table=True):
    """A measure or an item was rated by an independent unit for the first time."""

    __table_args__ = (Index(None, "plan", "subject"),)

    id: UUID = Field(primary_key=True)
    plan: str
    subject_kind: str
    subject: str


class AssuranceWord(Base, table=True):
    """A rating was given, or taken back (then it is none); it holds until the next word or its own last day."""

    __tablename__ = "assurance_word"

    assurance: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    rating: str | None = None
    assurer: UUID | None = None
    expires_on: date | None = None
    """The first day on which it no longer holds."""
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class Risk(Base, table=True):
    """A risk of a measure or an item."""

    __table_args__ = (Index(None, "plan", "subject"),)

    id: UUID = Field(primary_key=True)
    plan: str
    subject_kind: str
    subject: str


class RiskStep(Base, table=True):
    """A risk was raised, is treated, or is over."""

    __tablename__ = "risk_step"

    risk: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    state: str
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def _given(record: Recorded, event: told.AssuranceGiven) -> Rows:
    if record.version == 1:
        yield Assurance, (record.aggregate_id, event.plan, event.subject_kind, event.subject)
    said = (event.rating, event.assurer, event.expires_on)
    yield AssuranceWord, (record.aggregate_id, record.version, *said, event.given_on, record.recorded_at)


def _withdrawn(record: Recorded, event: told.AssuranceWithdrawn) -> Rows:
    key = (record.aggregate_id, record.version)
    yield AssuranceWord, (*key, None, None, None, event.withdrawn_on, record.recorded_at)


def _raised(record: Recorded, event: told.RiskRaised) -> Rows:
    yield Risk, (record.aggregate_id, event.plan, event.subject_kind, event.subject)
    yield RiskStep, (record.aggregate_id, record.version, "open", event.raised_on, record.recorded_at)


def _reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, __event: Any) -> Rows:
        yield RiskStep, (record.aggregate_id, record.version, state, record.effective_on, record.recorded_at)

    return rows


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    told.AssuranceGiven: _given,
    told.AssuranceWithdrawn: _withdrawn,
    told.RiskRaised: _raised,
    told.RiskMitigationStarted: _reached("mitigating"),
    told.RiskClosed: _reached("closed"),
    told.RiskMaterialised: _reached("materialised"),
}
KINDS: Final[tuple[type[Base], ...]] = (Assurance, AssuranceWord, Risk, RiskStep)
