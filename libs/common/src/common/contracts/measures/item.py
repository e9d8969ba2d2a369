"""What is told of a reform item: handed to its owner, done, judged by others; moved, merged, or given up."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Text, Title, TitleEn, TitleZh
from common.contracts.measures.tags import ItemTag
from common.contracts.measures.words import Authority, Judge, MeasuresEvent, Reason

ItemId = Annotated[UUID, Field(description="The reform item: the aggregate, and the record's key.")]


class Focus(StrEnum):
    """抓重点、补短板、强弱项: why an item was chosen."""

    KEY_POINT = "key-point"
    SHORTCOMING = "shortcoming"
    WEAK_ITEM = "weak-item"


class ProgressBasis(StrEnum):
    """By what the progress of an item is measured: never by both."""

    MILESTONES = "milestones"
    LOCAL_ITEMS = "local-items"


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
    local_plan: Code | None = None
    """The unit's own plan (地方方案) that it stands in, by its code; a municipal item stands in none."""
    parent: UUID | None = None
    """The municipal item that a local one is part of."""
    progress_basis: ProgressBasis = ProgressBasis.MILESTONES
    """By what its progress is measured: its own milestones, or the local items that are part of it."""
    tags: tuple[ItemTag, ...] = ()
    """Which qualities it strengthens, which tendencies it removes, whom it serves: each word once."""
    continues: UUID | None = None
    """The item of an earlier plan that was carried over and with which this one goes on."""
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
    evidence: tuple[UUID, ...] = ()
    """The evidence that it rests on, for the item or one of its milestones: verified, or not judged yet."""
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


class ReformItemReopened(MeasuresEvent):
    """The item was wrongly closed: work on it goes on."""

    item: ItemId
    reason: Reason
    authority: Authority
    reopened_on: EffectiveOn


class ReformItemCancelled(MeasuresEvent):
    """The item was given up: it leaves the denominators from this day on, but stays listed."""

    item: ItemId
    reason: Reason
    authority: Authority
    cancelled_on: EffectiveOn


class ReformItemMerged(MeasuresEvent):
    """What the item promised is done by another: it leaves the denominators from this day on, but stays listed."""

    item: ItemId
    into: UUID
    """The reform item that it was merged into, of the same plan."""
    reason: Reason
    authority: Authority
    merged_on: EffectiveOn


class ReformItemCarriedOver(MeasuresEvent):
    """A successor plan goes on with the item; in its own plan it stays unfinished, and in the denominators."""

    item: ItemId
    successor: Code = Field(description="The plan that goes on with it, by its code.")
    reason: Reason
    authority: Authority
    carried_over_on: EffectiveOn


class ExtensionRequested(MeasuresEvent):
    """The owner asks that the item be due later; until that is decided it is due as before."""

    item: ItemId
    due_on: date
    """The day by which it is due as long as nothing is decided."""
    requested_due_on: date
    """The day that is asked for, later than that."""
    reason: Reason
    by: UUID
    """The unit that asks: the owner."""
    requested_on: EffectiveOn


class ExtensionGranted(MeasuresEvent):
    """The reform office grants the extension that was asked for; ``ReformItemRescheduled`` follows."""

    item: ItemId
    due_on: date
    """The day by which the item is due from now on."""
    granted_on: EffectiveOn


class ExtensionRefused(MeasuresEvent):
    """The reform office refuses the extension that was asked for: the item is due as before."""

    item: ItemId
    requested_due_on: date
    """The day that was asked for."""
    reason: Reason
    refused_on: EffectiveOn


class ReformItemRescheduled(MeasuresEvent):
    """The item is due on another day; the days before it are kept as baselines."""

    item: ItemId
    moved_from: date
    """The day by which it was due."""
    moved_to: date
    """The day by which it is due now."""
    reason: Reason
    baseline_number: int = Field(ge=1)
    """Which move this is: 1 for the first."""
    rescheduled_on: EffectiveOn


class ProgressNoted(MeasuresEvent):
    """A unit that takes part says how the work goes; no figure follows from it."""

    item: ItemId
    done: Text
    """What was done."""
    problems: Text | None = None
    """What stands in the way."""
    next: Text | None = None
    """What comes next."""
    help: Text | None = None
    """What help is needed."""
    by: UUID
    """The unit that says so: the owner or a co-unit."""
    noted_on: EffectiveOn
