"""What is known of reform items: which there are, the states that they reached, and the days by which they are due."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Index, Uuid
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event
from common.contracts import measures as told
from common.contracts.measures import ProgressBasis
from events.facts.plans import Rows
from events.tables import Base


class Item(Base, table=True):
    """A reform item: which measure counts it never changes."""

    __table_args__ = (Index(None, "plan", "measure"),)

    id: UUID = Field(primary_key=True)
    plan: str
    measure: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    due_on: date
    """The day by which it was due at first: its baseline."""
    local_plan: str | None = None
    """Of a local item the plan of its unit; no municipal figure counts it for itself."""
    parent: UUID | None = None
    progress_basis: str = ProgressBasis.MILESTONES
    co_units: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    """The units that help."""


class ItemStep(Base, table=True):
    """An item reached a state."""

    __tablename__ = "item_step"

    item: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    state: str
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class ItemMove(Base, table=True):
    """An item is due on another day; the days before it are kept."""

    __tablename__ = "item_move"

    item: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    due_on: date
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def _item_added(record: Recorded, event: told.ReformItemAdded) -> Rows:
    titles = (event.title_zh, event.title_en)
    place = (event.plan, event.measure, event.code, *titles, event.owner, event.due_on)
    among = (event.local_plan, event.parent, event.progress_basis, list(event.co_units))
    yield Item, (record.aggregate_id, *place, *among)
    yield ItemStep, (record.aggregate_id, record.version, "draft", event.added_on, record.recorded_at)


def _item_reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, __event: Any) -> Rows:
        yield ItemStep, (record.aggregate_id, record.version, state, record.effective_on, record.recorded_at)

    return rows


def _item_moved(record: Recorded, event: told.ReformItemRescheduled) -> Rows:
    yield ItemMove, (record.aggregate_id, record.version, event.moved_to, event.rescheduled_on, record.recorded_at)


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    told.ReformItemAdded: _item_added,
    told.ReformItemAssigned: _item_reached("assigned"),
    told.ReformItemAcknowledged: _item_reached("acknowledged"),
    told.ReformItemStarted: _item_reached("in-progress"),
    told.ReformItemReportedDone: _item_reached("reported-done"),
    told.ReformItemReturned: _item_reached("in-progress"),
    told.ReformItemVerifiedClosed: _item_reached("verified-closed"),
    told.ReformItemReopened: _item_reached("in-progress"),
    told.ReformItemCancelled: _item_reached("cancelled"),
    told.ReformItemMerged: _item_reached("merged"),
    told.ReformItemCarriedOver: _item_reached("carried-over"),
    told.ReformItemRescheduled: _item_moved,
}
KINDS: Final[tuple[type[Base], ...]] = (Item, ItemStep, ItemMove)
