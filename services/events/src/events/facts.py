"""What is known, at the grain at which it happened, with both clocks: when it was true, and when it was recorded.

The rule for a question (``as_of``, ``known_at``): of the facts recorded by ``known_at`` leave out those that another
of them replaces; of the rest the latest with ``effective_on ≤ as_of`` counts, ties by version. Whatever is said about
whether a milestone is attained replaces the word before it, so the last word known decides, and from the day that
it names: a verified milestone counts from the day it was attained, not from the day somebody looked.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Numeric
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import measures as told
from common.contracts.measures import MeasuresEvent, ProgressBasis
from common.database import Connection
from events.tables import Base

PARTS_MAX: Final = 1000  # more parts of a kind than any plan has: what a revision adds comes after them
Rows = Iterator[tuple[type[Base], tuple[Any, ...]]]


class Plan(Base, table=True):
    """A plan as it was put down."""

    id: UUID = Field(primary_key=True)
    code: str = Field(unique=True)
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class PlanPart(Base, table=True):
    """An aspect, a measure or a phase of a plan, in the plan's own order."""

    __tablename__ = "plan_part"

    plan: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    position: int
    name_zh: str
    name_en: str
    aspect: str | None = None
    mode: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    effective_on: date | None = None
    """The day from which a revision added it; none for what the plan had from the beginning."""
    recorded_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class PlanName(Base, table=True):
    """A plan or a part of it was called differently; what is none stayed as it was."""

    __tablename__ = "plan_name"

    plan: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    name_zh: str | None = None
    name_en: str | None = None
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class SiblingWeight(Base, table=True):
    """What an aspect, a measure or an item weighs among its siblings from a day on; where nothing was said, 1."""

    __tablename__ = "sibling_weight"

    plan: str = Field(primary_key=True)
    siblings: str = Field(primary_key=True)
    parent: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    weight: Decimal = Field(sa_type=Numeric)
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class PlanStep(Base, table=True):
    """A plan was defined, adopted, or entered a phase."""

    __tablename__ = "plan_step"

    plan: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    state: str
    phase: str | None = None
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


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
    local_plan: str | None = None
    """Of a local item the plan of its unit; no municipal figure counts it for itself."""
    parent: UUID | None = None
    progress_basis: str = ProgressBasis.MILESTONES


class ItemStep(Base, table=True):
    """An item reached a state."""

    __tablename__ = "item_step"

    item: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    state: str
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class Milestone(Base, table=True):
    """A milestone entered the denominators of its item."""

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    weight: Decimal = Field(sa_type=Numeric)
    required: bool
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class MilestoneEnd(Base, table=True):
    """A milestone left the denominators."""

    __tablename__ = "milestone_end"

    item: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
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


def _plan_defined(record: Recorded, event: told.PlanDefined) -> Rows:
    titles, period = (event.title_zh, event.title_en), (event.starts_on, event.ends_on)
    yield Plan, (record.aggregate_id, event.code, *titles, *period, record.recorded_at)
    yield PlanStep, (record.aggregate_id, record.version, "draft", None, event.defined_on, record.recorded_at)
    yield from _parts(event.code, event, 0, (None, None))


def _parts(plan: str, what: told.PlanDefined | told.PlanDiff, place: int, since: tuple[Any, Any]) -> Rows:
    """The aspects, measures and phases that are told of, in this order from ``place`` on."""
    for position, aspect in enumerate(what.aspects, place):
        names = (aspect.name_zh, aspect.name_en)
        yield PlanPart, (plan, "aspect", aspect.code, position, *names, None, None, None, None, *since)
    for position, measure in enumerate(what.measures, place):
        names = (measure.name_zh, measure.name_en)
        yield PlanPart, (plan, "measure", measure.code, position, *names, measure.aspect, None, None, None, *since)
    for position, phase in enumerate(what.phases, place):
        names, span = (phase.name_zh, phase.name_en), (phase.mode, phase.starts_on, phase.ends_on)
        yield PlanPart, (plan, "phase", phase.code, position, *names, None, *span, *since)


def _plan_revised(record: Recorded, event: told.PlanRevised) -> Rows:
    since, diff = (event.revised_on, record.recorded_at), event.diff
    yield from _parts(event.code, diff, record.version * PARTS_MAX, since)
    if diff.title_zh or diff.title_en:
        yield PlanName, (event.code, "plan", event.code, record.version, diff.title_zh, diff.title_en, *since)
    for one in {(one.part, one.code): one for one in diff.renamed}.values():
        yield PlanName, (event.code, one.part, one.code, record.version, one.name_zh, one.name_en, *since)


def _weights_set(record: Recorded, event: told.WeightsSet) -> Rows:
    among, since = (event.code, event.siblings, event.parent), (event.effective_on, record.recorded_at)
    for one in event.weights:
        yield SiblingWeight, (*among, one.code, record.version, one.weight, *since)


def _phase_entered(record: Recorded, event: told.PhaseEntered) -> Rows:
    yield PlanStep, (record.aggregate_id, record.version, "in-force", event.phase, event.entered_on, record.recorded_at)


def _plan_reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, __event: Any) -> Rows:
        yield PlanStep, (record.aggregate_id, record.version, state, None, record.effective_on, record.recorded_at)

    return rows


def _item_added(record: Recorded, event: told.ReformItemAdded) -> Rows:
    titles = (event.title_zh, event.title_en)
    place = (event.plan, event.measure, event.code, *titles, event.owner, event.due_on)
    yield Item, (record.aggregate_id, *place, event.local_plan, event.parent, event.progress_basis)
    yield ItemStep, (record.aggregate_id, record.version, "draft", event.added_on, record.recorded_at)


def _item_reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, __event: Any) -> Rows:
        yield ItemStep, (record.aggregate_id, record.version, state, record.effective_on, record.recorded_at)

    return rows


def _milestone_planned(record: Recorded, event: told.MilestonePlanned) -> Rows:
    when = (event.effective_on, record.recorded_at)
    yield Milestone, (record.aggregate_id, event.number, event.weight, event.required, *when)


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


FACTS: Final[dict[type[MeasuresEvent], Callable[[Recorded, Any], Rows]]] = {
    told.PlanDefined: _plan_defined,
    told.PlanAdopted: _plan_reached("adopted"),
    told.PhaseEntered: _phase_entered,
    told.PlanRevised: _plan_revised,
    told.WeightsSet: _weights_set,
    told.FinalEvaluationStarted: _plan_reached("final-evaluation"),
    told.PlanClosed: _plan_reached("closed"),
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
    told.MilestonePlanned: _milestone_planned,
    told.MilestoneCancelled: _milestone_cancelled,
    told.MilestoneReported: _attained("reported"),
    told.MilestoneVerified: _attained("verified"),
    told.MilestoneReturned: _not_attained,
    told.MilestoneVerificationRevoked: _not_attained,
}
"""Which facts follow from an event."""


KINDS: Final[tuple[type[Base], ...]] = (
    Plan, PlanPart, PlanName, SiblingWeight, PlanStep, Item, ItemStep, Milestone, MilestoneEnd, MilestoneWord
)  # fmt: skip
COLUMNS: Final = {
    fact: (fact.__table__.name, [column.name for column in fact.__table__.columns])  # type: ignore[attr-defined]
    for fact in KINDS
}
"""Each fact's table and its columns, in the order in which the rows above name them."""


async def keep(connection: Connection, records: Sequence[Recorded]) -> None:
    """Keep the facts that follow from these events, in one copy for each table."""
    rows: dict[type[Base], list[tuple[Any, ...]]] = {}
    for record in records:
        if follow := FACTS.get(type(record.event)):  # type: ignore[arg-type]
            for fact, values in follow(record, record.event):
                rows.setdefault(fact, []).append(values)
    for fact, found in rows.items():
        table, columns = COLUMNS[fact]
        await connection.copy_records_to_table(table, records=found, columns=columns)
