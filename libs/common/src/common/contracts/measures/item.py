"""What is told of a reform item: handed to its owner, done milestone by milestone, judged by others."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Text, Title, TitleEn, TitleZh
from common.contracts.measures.words import Authority, Judge, MeasuresEvent, Reason

ItemId = Annotated[UUID, Field(description="The reform item: the aggregate, and the record's key.")]
Number = Annotated[int, Field(ge=1, le=99, description="The milestone's number within its item.")]
AttainedOn = Annotated[date, Field(description="The day in Shanghai on which the milestone was attained.")]
PlannedOn = Annotated[date, Field(description="The day in Shanghai for which the milestone is planned.")]


class MilestoneKind(StrEnum):
    """Whether a milestone is attained by something that exists or by a number that is reached."""

    QUALITATIVE = "qualitative"
    QUANTITATIVE = "quantitative"


class Focus(StrEnum):
    """抓重点、补短板、强弱项: why an item was chosen."""

    KEY_POINT = "key-point"
    SHORTCOMING = "shortcoming"
    WEAK_ITEM = "weak-item"


class ReformItemAdded(MeasuresEvent):
    """A reform item (改革事项) was put on the list of one measure."""

    item: ItemId
    plan: Code = Field(description="The plan, by its code.")
    measure: Code = Field(description="The measure, by its code within the plan; an item never changes it.")
    code: Code
    title_zh: TitleZh
    title_en: TitleEn
    owner: UUID
    """The unit that answers for it."""
    co_units: tuple[UUID, ...] = ()
    """Units that help."""
    responsible_post: Title | None = None
    """The post that answers for it within the owner: never a person."""
    problem: Text
    """What is wrong today."""
    deliverable: Text
    """What will exist when it is done."""
    effect: Text
    """What will be better then."""
    focus: Focus
    planned_start_on: date
    """The day on which work is planned to begin."""
    due_on: date
    """The day by which it is to be done."""
    added_on: EffectiveOn


class ReformItemAssigned(MeasuresEvent):
    """The item was handed to its owner."""

    item: ItemId
    owner: UUID
    """The unit that answers for it."""
    assigned_on: EffectiveOn


class ReformItemAcknowledged(MeasuresEvent):
    """The owner has received the item (签收)."""

    item: ItemId
    acknowledged_on: EffectiveOn


class ReformItemStarted(MeasuresEvent):
    """Work on the item has begun."""

    item: ItemId
    started_on: EffectiveOn


class ReformItemReportedDone(MeasuresEvent):
    """The owner says that the item is done."""

    item: ItemId
    claim: Text
    """What the owner says was done."""
    reported_on: EffectiveOn


class ReformItemReturned(MeasuresEvent):
    """The claim that the item is done was sent back, for this reason."""

    item: ItemId
    reason: Reason
    by: Judge
    returned_on: EffectiveOn


class ReformItemVerifiedClosed(MeasuresEvent):
    """The item was judged done and struck off (销号)."""

    item: ItemId
    verifier: Judge
    closed_on: EffectiveOn


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
