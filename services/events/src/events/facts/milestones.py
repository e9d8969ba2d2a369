"""What is known of milestones: what each weighs, the days they are planned for, and whether they are attained."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event
from common.contracts import measures as told
from events.facts.plans import Rows
from events.tables import Base


class Milestone(Base, table=True):
    """A milestone entered the denominators of its item."""

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    weight: Decimal = Field(sa_type=Numeric)
    required: bool
    planned_on: date
    """The day for which it was planned at first: its baseline."""
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MilestoneEnd(Base, table=True):
    """A milestone left the denominators."""

    __tablename__ = "milestone_end"

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MilestoneMove(Base, table=True):
    """A milestone is planned for another day; the days before it are kept."""

    __tablename__ = "milestone_move"

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    planned_on: date
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MilestoneWord(Base, table=True):
    """What was said about whether a milestone is attained; the next word replaces it."""

    __tablename__ = "milestone_word"

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    status: str
    replaces: int | None = Field(default=None, sa_type=BigInteger)
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def _milestone_planned(record: Recorded, event: told.MilestonePlanned) -> Rows:
    said = (event.weight, event.required, event.planned_on)
    yield Milestone, (record.aggregate_id, event.number, *said, event.effective_on, record.recorded_at)


def _milestone_moved(record: Recorded, event: told.MilestoneRescheduled) -> Rows:
    key = (record.aggregate_id, event.number, record.version)
    yield MilestoneMove, (*key, event.moved_to, event.rescheduled_on, record.recorded_at)


def _milestone_cancelled(record: Recorded, event: told.MilestoneCancelled) -> Rows:
    yield MilestoneEnd, (record.aggregate_id, event.number, event.cancelled_on, record.recorded_at)


def _attained(status: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, event: Any) -> Rows:
        word = (record.aggregate_id, event.number, record.version, status, event.replaces)
        yield MilestoneWord, (*word, event.attained_on, record.recorded_at)

    return rows


def _not_attained(record: Recorded, event: Any) -> Rows:
    word = (record.aggregate_id, event.number, record.version, "open", event.replaces)
    yield MilestoneWord, (*word, record.effective_on, record.recorded_at)


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    told.MilestonePlanned: _milestone_planned,
    told.MilestoneRescheduled: _milestone_moved,
    told.MilestoneCancelled: _milestone_cancelled,
    told.MilestoneReported: _attained("reported"),
    told.MilestoneVerified: _attained("verified"),
    told.MilestoneReturned: _not_attained,
    told.MilestoneVerificationRevoked: _not_attained,
}
KINDS: Final[tuple[type[Base], ...]] = (Milestone, MilestoneEnd, MilestoneMove, MilestoneWord)
