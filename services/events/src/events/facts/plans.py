"""What is known of plans: parts and names, steps, what siblings weigh, and the policies by which measures are rated."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event
from common.contracts import measures as told
from events.tables import Base

PARTS_MAX: Final = 1000  # more parts of a kind than any plan has: what a revision adds comes after them
Rows = Iterator[tuple[type[Base], tuple[Any, ...]]]
"""Facts that follow from an event: each with its values, in the order of its columns."""


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


class ScoringPolicy(Base, table=True):
    """A policy by which a plan's measures are scored and rated from a day on; before the first the defaults hold."""

    __tablename__ = "scoring_policy"

    plan: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    policy_version: int
    item_share: Decimal = Field(sa_type=Numeric)
    outcome_share: Decimal = Field(sa_type=Numeric)
    green_gap: Decimal = Field(sa_type=Numeric)
    yellow_gap: Decimal = Field(sa_type=Numeric)
    yellow_overdue_days: int
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


def _policy_adopted(record: Recorded, event: told.ScoringPolicyAdopted) -> Rows:
    method, up_to = event.method, event.thresholds
    said = (method.item_share, method.outcome_share, up_to.green_gap, up_to.yellow_gap, up_to.yellow_overdue_days)
    key = (record.aggregate_id, record.version, event.policy_version)
    yield ScoringPolicy, (*key, *said, event.adopted_on, record.recorded_at)


def _phase_entered(record: Recorded, event: told.PhaseEntered) -> Rows:
    yield PlanStep, (record.aggregate_id, record.version, "in-force", event.phase, event.entered_on, record.recorded_at)


def _plan_reached(state: str) -> Callable[[Recorded, Any], Rows]:
    def rows(record: Recorded, __event: Any) -> Rows:
        yield PlanStep, (record.aggregate_id, record.version, state, None, record.effective_on, record.recorded_at)

    return rows


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    told.PlanDefined: _plan_defined,
    told.PlanAdopted: _plan_reached("adopted"),
    told.PhaseEntered: _phase_entered,
    told.PlanRevised: _plan_revised,
    told.WeightsSet: _weights_set,
    told.ScoringPolicyAdopted: _policy_adopted,
    told.FinalEvaluationStarted: _plan_reached("final-evaluation"),
    told.PlanClosed: _plan_reached("closed"),
}
KINDS: Final[tuple[type[Base], ...]] = (Plan, PlanPart, PlanName, SiblingWeight, PlanStep, ScoringPolicy)
