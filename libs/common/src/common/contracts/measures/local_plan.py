"""What is told of a unit's local plan: drafted, submitted, returned or filed with the office, in force, closed."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Title, TitleEn, TitleZh
from common.contracts.measures.words import MeasuresEvent, Reason

LocalPlanId = Annotated[UUID, Field(description="The local plan: the aggregate, and the record's key.")]
Measures = Annotated[
    tuple[Code, ...], Field(description="The measures of the municipal plan that it maps to, by their codes.")
]
DocumentNumber = Annotated[Title, Field(description="The number of the unit's own document that holds it.")]
StartsOn = Annotated[date, Field(description="The first day of its period, within the municipal plan's.")]
EndsOn = Annotated[date, Field(description="The last day of its period, within the municipal plan's.")]


class LocalPlanDrafted(MeasuresEvent):
    """A unit put down how it carries measures of the municipal plan out at its own place."""

    local_plan: LocalPlanId
    plan: Code = Field(description="The municipal plan, by its code.")
    unit: UUID
    """The unit whose plan it is."""
    code: Code
    title_zh: TitleZh
    title_en: TitleEn
    document_number: DocumentNumber
    measures: Measures
    starts_on: StartsOn
    ends_on: EndsOn
    drafted_on: EffectiveOn


class LocalPlanRedrafted(MeasuresEvent):
    """The unit put its draft, or what was returned to it, in other words."""

    local_plan: LocalPlanId
    title_zh: TitleZh
    title_en: TitleEn
    document_number: DocumentNumber
    measures: Measures
    starts_on: StartsOn
    ends_on: EndsOn
    redrafted_on: EffectiveOn


class LocalPlanSubmitted(MeasuresEvent):
    """The unit gave its plan to the reform office, to be filed."""

    local_plan: LocalPlanId
    submitted_on: EffectiveOn


class LocalPlanReturned(MeasuresEvent):
    """The reform office sent the plan back, for this reason."""

    local_plan: LocalPlanId
    reason: Reason
    returned_on: EffectiveOn


class LocalPlanFiled(MeasuresEvent):
    """The reform office put the plan on file (备案)."""

    local_plan: LocalPlanId
    filing_number: Title
    """The number under which it is on file (备案号)."""
    filed_on: EffectiveOn


class LocalPlanEnteredIntoForce(MeasuresEvent):
    """The unit carries its plan out from this day on."""

    local_plan: LocalPlanId
    entered_on: EffectiveOn


class LocalPlanClosed(MeasuresEvent):
    """The plan is over: carried out, or given up before it was."""

    local_plan: LocalPlanId
    reason: Reason
    closed_on: EffectiveOn
