"""What is told of a measure: launched, led, tagged, held up, put before judges and accepted or sent back."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn
from common.contracts.measures.item import Focus
from common.contracts.measures.tags import Quality, ServiceTo, Tendency
from common.contracts.measures.words import Judge, MeasuresEvent, Reason

MeasureId = Annotated[
    UUID, Field(description="The measure: the aggregate, and the record's key; it follows from the plan and the code.")
]
PlanCode = Annotated[Code, Field(description="The plan, by its code.")]
MeasureCode = Annotated[Code, Field(description="The measure, by its code within the plan.")]
Score = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]


class MeasureLaunched(MeasuresEvent):
    """Work on a measure (举措) was opened."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    launched_on: EffectiveOn


class MeasureLeadAssigned(MeasuresEvent):
    """From this day on a unit leads the measure (牵头单位), with units that help; whoever led before no longer does."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    lead_unit: UUID
    """The unit that leads."""
    co_units: tuple[UUID, ...] = ()
    """Units that help it."""
    assigned_on: EffectiveOn


class MeasureTagged(MeasuresEvent):
    """What the measure is for, in the words of the reform; these tags take the place of all that it had before."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    qualities: tuple[Quality, ...] = ()
    """强“三性”: the qualities that it strengthens."""
    tendencies: tuple[Tendency, ...] = ()
    """去“四化”: the tendencies that it removes."""
    services: tuple[ServiceTo, ...] = ()
    """“四服务”: whom or what it serves."""
    focus: tuple[Focus, ...] = ()
    """抓重点、补短板、强弱项: why it was chosen."""
    tagged_on: EffectiveOn


class MeasureSuspended(MeasuresEvent):
    """The measure is held up: it stays in the denominators, and no date of it moves."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    reason: Reason
    suspended_on: EffectiveOn


class MeasureResumed(MeasuresEvent):
    """The measure goes on where it stood."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    resumed_on: EffectiveOn


class MeasureSubmittedForAcceptance(MeasuresEvent):
    """All its items have ended, and the lead puts the measure before the judges (报请验收)."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    by: UUID
    """The unit that leads it."""
    submitted_on: EffectiveOn


class MeasureAccepted(MeasuresEvent):
    """The measure was judged done (验收)."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    score: Score
    """Points from 0 to 100: a decimal as a string."""
    reviewers: tuple[UUID, ...]
    """The units that reviewed it: none of them took part in it."""
    by: Judge
    accepted_on: EffectiveOn


class MeasureAcceptanceReturned(MeasuresEvent):
    """The measure was sent back, for this reason; work on it goes on."""

    measure: MeasureId
    plan: PlanCode
    code: MeasureCode
    reason: Reason
    by: Judge
    returned_on: EffectiveOn
