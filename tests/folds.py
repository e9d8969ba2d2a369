"""A plan and an item as their events alone tell of them: what a reader of the topic can know, written apart from us."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from common.contracts import Event
from common.contracts.measures import (
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    MilestoneCancelled,
    MilestonePlanned,
    MilestoneReported,
    MilestoneRescheduled,
    MilestoneReturned,
    MilestoneVerificationRevoked,
    MilestoneVerified,
    ProgressNoted,
    ReformItemAcknowledged,
    ReformItemAdded,
    ReformItemAssigned,
    ReformItemCancelled,
    ReformItemCarriedOver,
    ReformItemMerged,
    ReformItemReminded,
    ReformItemReopened,
    ReformItemReportedDone,
    ReformItemRescheduled,
    ReformItemReturned,
    ReformItemStarted,
    ReformItemVerifiedClosed,
)
from measures.item.domain import Item
from measures.item.milestone import Milestone, MilestoneState
from measures.item.particulars import Doubt, Ending, Extension, ProgressNote, Schedule
from measures.item.rules import ItemState


def fold_item(events: Sequence[Event], *, plan_starts_on: date) -> Item:
    """The item that these events tell of; when its plan began, they do not say."""
    first, *rest = events
    assert isinstance(first, ReformItemAdded)
    item = Item(
        id=first.item,
        version=1,
        plan_starts_on=plan_starts_on,
        state=ItemState.DRAFT,
        since=first.added_on,
        claim=None,
        milestones=(),
        schedule=Schedule(since=first.added_on),
        **first.model_dump(exclude={"item"}),
    )
    for version, event in enumerate(rest, start=2):
        item = replace(_item_after(item, event, version), version=version)
    return item


STEPS: dict[type[Event], tuple[ItemState, str]] = {
    ReformItemAssigned: (ItemState.ASSIGNED, "assigned_on"),
    ReformItemAcknowledged: (ItemState.ACKNOWLEDGED, "acknowledged_on"),
    ReformItemStarted: (ItemState.IN_PROGRESS, "started_on"),
    ReformItemReportedDone: (ItemState.REPORTED_DONE, "reported_on"),
    ReformItemReturned: (ItemState.IN_PROGRESS, "returned_on"),
    ReformItemVerifiedClosed: (ItemState.VERIFIED_CLOSED, "closed_on"),
    ReformItemReopened: (ItemState.IN_PROGRESS, "reopened_on"),
    ReformItemCancelled: (ItemState.CANCELLED, "cancelled_on"),
    ReformItemMerged: (ItemState.MERGED, "merged_on"),
    ReformItemCarriedOver: (ItemState.CARRIED_OVER, "carried_over_on"),
}
"""To which state an event takes an item, and which of its words is the day."""


KEEP_THEIR_CLAIM = (
    ReformItemVerifiedClosed, ReformItemCancelled, ReformItemMerged, ReformItemCarriedOver
)  # fmt: skip
"""What ends an item leaves standing what its owner said of it."""


def _item_after(item: Item, event: Event, version: int) -> Item:
    match event:
        case ReformItemReopened():
            item = replace(item, doubts=())
        case ReformItemCancelled() | ReformItemMerged() | ReformItemCarriedOver():
            into, successor = getattr(event, "into", None), getattr(event, "successor", None)
            ending = Ending(event.reason, event.authority, into=into, successor=successor)
            item = replace(item, ending=ending, schedule=replace(item.schedule, extension=None))
        case ExtensionRequested() | ExtensionGranted() | ExtensionRefused() | ReformItemRescheduled():
            return _moved_by(item, event)
        case ReformItemReminded():
            return replace(item, reminded_on=event.reminded_on)
        case ProgressNoted():
            return replace(item, note=ProgressNote(**event.model_dump(exclude={"item"})))
    if type(event) in STEPS:
        state, day = STEPS[type(event)]
        kept = item.claim if isinstance(event, KEEP_THEIR_CLAIM) else None
        return replace(item, state=state, since=getattr(event, day), claim=getattr(event, "claim", kept))
    if isinstance(event, MilestonePlanned):
        words = event.model_dump(exclude={"item", "effective_on"})
        planned = Milestone(**words, state=MilestoneState.PLANNED, since=event.effective_on)
        return replace(item, milestones=(*item.milestones, planned))
    number: int = event.number  # type: ignore[attr-defined]
    if isinstance(event, MilestoneVerificationRevoked) and _is_doubted(item, number):
        item = replace(item, doubts=(*item.doubts, Doubt(number, event.reason, event.authority, event.revoked_on)))
    return replace(
        item,
        milestones=tuple(_milestone_after(m, event, version) if m.number == number else m for m in item.milestones),
    )


def _is_doubted(item: Item, number: int) -> bool:
    """Whether an item was closed because, among others, this milestone was verified."""
    required = {milestone.number for milestone in item.milestones if milestone.required}
    return item.state is ItemState.VERIFIED_CLOSED and number in required


def _moved_by(
    item: Item, event: ExtensionRequested | ExtensionGranted | ExtensionRefused | ReformItemRescheduled
) -> Item:
    schedule = item.schedule
    match event:
        case ExtensionRequested():
            asked = Extension(due_on=event.requested_due_on, reason=event.reason)
            return replace(item, schedule=replace(schedule, since=event.requested_on, extension=asked))
        case ExtensionGranted():
            return replace(item, schedule=replace(schedule, since=event.granted_on, extension=None))
        case ExtensionRefused():
            return replace(item, schedule=replace(schedule, since=event.refused_on, extension=None))
    baselines = (*schedule.baselines, event.moved_from)
    assert len(baselines) == event.baseline_number
    moved = replace(schedule, since=event.rescheduled_on, baselines=baselines)
    return replace(item, due_on=event.moved_to, schedule=moved)


def _milestone_after(milestone: Milestone, event: Event, version: int) -> Milestone:
    match event:
        case MilestoneReported():
            milestone = replace(milestone, state=MilestoneState.REPORTED, since=event.reported_on)
            return replace(milestone, attained_on=event.attained_on, claim_version=version)
        case MilestoneVerified():
            milestone = replace(milestone, state=MilestoneState.VERIFIED, since=event.verified_on)
            return replace(milestone, attained_on=event.attained_on, claim_version=version)
        case MilestoneReturned() | MilestoneVerificationRevoked():
            on = event.returned_on if isinstance(event, MilestoneReturned) else event.revoked_on
            milestone = replace(milestone, state=MilestoneState.PLANNED, since=on)
            return replace(milestone, attained_on=None, claim_version=version)
        case MilestoneRescheduled():
            baselines = (*milestone.baselines, event.moved_from)
            return replace(milestone, since=event.rescheduled_on, planned_on=event.moved_to, baselines=baselines)
        case MilestoneCancelled():
            return replace(milestone, since=event.cancelled_on, state=MilestoneState.CANCELLED)
    raise AssertionError(f"no milestone is told of by {event!r}")
