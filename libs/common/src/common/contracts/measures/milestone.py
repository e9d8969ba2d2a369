"""What is told of a milestone: planned, reported by the owner, judged by others, moved to another day or cancelled."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from common.contracts import EffectiveOn, Text, TitleEn, TitleZh
from common.contracts.measures.item import ItemId
from common.contracts.measures.words import Authority, Judge, MeasuresEvent, Reason

Number = Annotated[int, Field(ge=1, le=99, description="The milestone's number within its item.")]
AttainedOn = Annotated[date, Field(description="The day in Shanghai on which the milestone was attained.")]
PlannedOn = Annotated[date, Field(description="The day in Shanghai for which the milestone is planned.")]


class MilestoneKind(StrEnum):
    """Whether a milestone is attained by something that exists or by a number that is reached."""

    QUALITATIVE = "qualitative"
    QUANTITATIVE = "quantitative"


class MilestonePlanned(MeasuresEvent):
    """A milestone (节点) was put into the item; it counts in the denominators from this day on."""

    item: ItemId
    number: Number
    title_zh: TitleZh
    title_en: TitleEn
    kind: MilestoneKind
    required: bool
    """Whether the item can be closed only when this milestone is verified."""
    weight: Decimal = Field(ge=0, le=1000, max_digits=8, decimal_places=4)
    """Its weight among the milestones of the item: a decimal as a string."""
    planned_on: PlannedOn
    effective_on: EffectiveOn


class MilestoneReported(MeasuresEvent):
    """The owner says that the milestone was attained on a day, perhaps long before the saying."""

    item: ItemId
    number: Number
    attained_on: AttainedOn
    note: Text | None = None
    """What the owner adds."""
    replaces: int | None = None
    """The aggregate version of the statement about this milestone that no longer holds."""
    reported_on: EffectiveOn


class MilestoneVerified(MeasuresEvent):
    """The milestone was judged attained; it counts from the day it was attained, not from the day of judging."""

    item: ItemId
    number: Number
    attained_on: AttainedOn
    verifier: Judge
    replaces: int | None = None
    """The aggregate version of the report that this judgement settles."""
    verified_on: EffectiveOn


class MilestoneReturned(MeasuresEvent):
    """The report about the milestone was sent back, for this reason; it no longer counts as reported."""

    item: ItemId
    number: Number
    reason: Reason
    by: Judge
    replaces: int | None = None
    """The aggregate version of the report that no longer holds."""
    returned_on: EffectiveOn


class MilestoneVerificationRevoked(MeasuresEvent):
    """The milestone was wrongly judged attained; it must be reported anew."""

    item: ItemId
    number: Number
    reason: Reason
    authority: Authority
    by: Judge
    replaces: int | None = None
    """The aggregate version of the verification that no longer holds."""
    revoked_on: EffectiveOn


class MilestoneRescheduled(MeasuresEvent):
    """The milestone is planned for another day; the baselines before it are kept."""

    item: ItemId
    number: Number
    moved_from: PlannedOn
    moved_to: PlannedOn
    reason: Reason
    baseline_number: int = Field(ge=1)
    """Which plan of the milestone this is: 1 for the first move."""
    rescheduled_on: EffectiveOn


class MilestoneCancelled(MeasuresEvent):
    """The milestone leaves the denominators from this day on, but stays listed."""

    item: ItemId
    number: Number
    reason: Reason
    authority: Authority
    cancelled_on: EffectiveOn
