"""What is told of a plan: put down, adopted, entered phase by phase, revised, weighted, evaluated and closed."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, NameEn, NameZh, Text, Title, TitleEn, TitleZh
from common.contracts.measures.words import Authority, MeasuresEvent, Reason, Value

PlanId = Annotated[UUID, Field(description="The plan: the aggregate, and the record's key.")]


class PhaseMode(StrEnum):
    """What a phase asks of the units: to prepare, to pilot in some of them, to implement in all."""

    PREPARATION = "preparation"
    PILOT = "pilot"
    FULL = "full"


class Aspect(Value):
    """One of the plan's aspects (方面)."""

    code: Code
    name_zh: NameZh
    name_en: NameEn


class Measure(Value):
    """One of the plan's key measures (举措), under one aspect."""

    code: Code
    aspect: Code = Field(description="The aspect that it belongs to.")
    name_zh: NameZh
    name_en: NameEn


class Phase(Value):
    """A stretch of the plan's period, both days inclusive."""

    code: Code
    name_zh: NameZh
    name_en: NameEn
    mode: PhaseMode
    starts_on: date
    """Its first day."""
    ends_on: date
    """Its last day."""


class PlanDefined(MeasuresEvent):
    """A plan was put down with its aspects, measures and phases; their codes never change."""

    plan: PlanId
    code: Code
    title_zh: TitleZh
    title_en: TitleEn
    starts_on: date
    """The first day of its period."""
    ends_on: date
    """The last day of its period."""
    aspects: tuple[Aspect, ...]
    """In the plan's own order."""
    measures: tuple[Measure, ...]
    """In the plan's own order."""
    phases: tuple[Phase, ...]
    """In the order of time."""
    defined_on: EffectiveOn


class PlanAdopted(MeasuresEvent):
    """The plan was issued and binds from this day on."""

    plan: PlanId
    issuer: Title
    """Who issued it."""
    document_number: Title
    """The number of the document that issued it."""
    adopted_on: EffectiveOn


class PhaseEntered(MeasuresEvent):
    """A phase of the plan has begun."""

    plan: PlanId
    phase: Code = Field(description="The phase, by its code within the plan.")
    mode: PhaseMode
    entered_on: EffectiveOn


class PartKind(StrEnum):
    """What a plan is made of."""

    ASPECT = "aspect"
    MEASURE = "measure"
    PHASE = "phase"


class Renamed(Value):
    """A part of the plan that is called differently; its code stays."""

    part: PartKind
    code: Code
    name_zh: NameZh
    name_en: NameEn


class PlanDiff(Value):
    """What a revision adds to a plan and what it calls differently; nothing is ever taken out."""

    title_zh: TitleZh | None = None
    """The plan's new title in Chinese, if it has one."""
    title_en: TitleEn | None = None
    """The plan's new title in English, if it has one."""
    aspects: tuple[Aspect, ...] = ()
    """Aspects that were added."""
    measures: tuple[Measure, ...] = ()
    """Measures that were added."""
    phases: tuple[Phase, ...] = ()
    """Phases that were added."""
    renamed: tuple[Renamed, ...] = ()
    """Parts that bear another name."""


class PlanRevised(MeasuresEvent):
    """The plan was changed after it was put down: parts were added or called differently."""

    plan: PlanId
    code: Code = Field(description="The plan's code.")
    diff: PlanDiff
    reason: Reason
    authority: Authority
    revised_on: EffectiveOn


class Siblings(StrEnum):
    """Whose weights are compared: all aspects of a plan, all measures of an aspect, all items of a measure."""

    ASPECTS = "aspects"
    MEASURES = "measures"
    ITEMS = "items"


class Weight(Value):
    """One sibling's share, in proportion to the others'."""

    code: Code
    weight: Decimal = Field(ge=0, le=1000, max_digits=8, decimal_places=4)
    """Compared with its siblings' only: a decimal as a string."""


class WeightsSet(MeasuresEvent):
    """All siblings below one parent were weighted, from this day on; one that comes later weighs 1 until then."""

    plan: PlanId
    code: Code = Field(description="The plan's code.")
    siblings: Siblings
    parent: Code = Field(description="The parent, by its code: the plan, the aspect or the measure.")
    weights: tuple[Weight, ...]
    """Every sibling that there was, with its weight."""
    effective_on: EffectiveOn


Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]
Points = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]


class Method(Value):
    """How a measure's score is put together; the two shares add up to 1."""

    item_share: Share = Decimal("0.6")
    """The share of the items' progress: a decimal as a string."""
    outcome_share: Share = Decimal("0.4")
    """The share of the mean attainment of the outcome indicators: a decimal as a string."""


class Thresholds(Value):
    """Up to where a rating is green, and up to where it is yellow; all else is red."""

    green_gap: Points = Decimal(5)
    """Percentage points by which verified progress may fall short of what was expected and still be green."""
    yellow_gap: Points = Decimal(15)
    """Percentage points by which it may fall short and be yellow."""
    yellow_overdue_days: int = Field(default=30, ge=0, le=3660)
    """Days by which something may be overdue and the rating be yellow."""


class ScoringPolicyAdopted(MeasuresEvent):
    """From this day on progress is rated by this policy; it holds a method and thresholds, and never weights."""

    plan: PlanId
    policy_version: int = Field(ge=1)
    """Which of the plan's policies this is: 1 for the first that was adopted."""
    method: Method
    thresholds: Thresholds
    evidence_from: date | None = None
    """The day from which a required milestone is verified only with verified evidence; none if it needs none."""
    adopted_on: EffectiveOn


class FinalEvaluationStarted(MeasuresEvent):
    """The plan is being evaluated for the last time: it takes no new items."""

    plan: PlanId
    started_on: EffectiveOn


class CarriedOver(Value):
    """An item that stays unfinished in this plan and with which its successor goes on."""

    item: UUID
    """The item, which stays in this plan."""
    code: Code


class PlanClosed(MeasuresEvent):
    """The plan is over: everything in it has ended or was carried over."""

    plan: PlanId
    successor: Code | None = Field(
        default=None, description="The plan that takes over what is unfinished, by its code."
    )
    carry_over: tuple[CarriedOver, ...] = ()
    """What was carried over into the successor."""
    closed_on: EffectiveOn


class ClosedPlanAmended(MeasuresEvent):
    """Something about a closed plan was put right; the plan stays closed."""

    plan: PlanId
    authority: Authority
    what: Text
    """What was put right."""
    amended_on: EffectiveOn
