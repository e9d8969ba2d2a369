"""How an item's due date moves: the owner asks, the office decides or moves it itself; every day before is kept."""

from dataclasses import replace
from datetime import date

from common.contracts.measures import ExtensionGranted, ExtensionRefused, ExtensionRequested, ReformItemRescheduled
from common.decision import Change, Unit, must_follow
from measures.item.domain import Item
from measures.item.particulars import Extension, Schedule
from measures.item.rules import DUE_BEFORE_START, NOT_LATER


def request_extension(item: Item, *, due_on: date, reason: str, by: Unit, on: date) -> Change[Item]:
    """The owner asks for a later due date; the due date stays until the office has decided.

    :raises Refused: ``item.wrong-state``, ``item.not-owner``, ``item.extension-open``, ``item.extension-not-later``,
        ``effective.before-predecessor``.
    """
    asked = Extension(due_on=due_on, reason=reason)
    if item.schedule.extension == asked and by.id == item.owner:
        return Change(item, (), on)
    if refused := item.why_not_extension("request", by, on):
        raise refused
    if due_on <= item.due_on:
        raise NOT_LATER(pointer="/due_on", due_on=item.due_on)
    must_follow(on, max(item.since, item.schedule.since))
    event = ExtensionRequested(
        item=item.id, due_on=item.due_on, requested_due_on=due_on, reason=reason, by=by.id, requested_on=on
    )
    schedule = replace(item.schedule, since=on, extension=asked)
    return Change(replace(item, version=item.version + 1, schedule=schedule), (event,), on)


def grant_extension(item: Item, *, by: Unit | None, on: date) -> Change[Item]:
    """The office grants what was asked: the item is due later, for the owner's reason.

    :raises Refused: ``item.wrong-state``, ``item.no-extension``, ``measure.suspended``,
        ``effective.before-predecessor``.
    """
    if refused := item.why_not_extension("grant", by, on):
        raise refused
    asked = item.schedule.extension
    assert asked is not None
    must_follow(on, item.schedule.since)
    granted = ExtensionGranted(item=item.id, due_on=asked.due_on, granted_on=on)
    moved, event = _moved(item, asked.due_on, asked.reason, on)
    return Change(replace(moved, version=item.version + 2), (granted, event), on)


def refuse_extension(item: Item, *, reason: str, by: Unit | None, on: date) -> Change[Item]:
    """The office refuses what was asked, with a reason; the item is due as before.

    :raises Refused: ``item.wrong-state``, ``item.no-extension``, ``effective.before-predecessor``.
    """
    if refused := item.why_not_extension("refuse", by, on):
        raise refused
    asked = item.schedule.extension
    assert asked is not None
    must_follow(on, item.schedule.since)
    event = ExtensionRefused(item=item.id, requested_due_on=asked.due_on, reason=reason, refused_on=on)
    schedule = replace(item.schedule, since=on, extension=None)
    return Change(replace(item, version=item.version + 1, schedule=schedule), (event,), on)


def reschedule_item(item: Item, *, due_on: date, reason: str, by: Unit | None, on: date) -> Change[Item]:
    """The office moves the due date by itself, later or earlier, for a reason.

    :raises Refused: ``item.wrong-state``, ``measure.suspended``, ``item.extension-open``, ``item.due-before-start``,
        ``effective.before-predecessor``.
    """
    if item.due_on == due_on and item.schedule.extension is None:
        return Change(item, (), on)
    if refused := item.why_not("reschedule", by, on):
        raise refused
    if due_on < item.planned_start_on:
        raise DUE_BEFORE_START(pointer="/due_on")
    must_follow(on, item.schedule.since)
    moved, event = _moved(item, due_on, reason, on)
    return Change(replace(moved, version=item.version + 1), (event,), on)


def _moved(item: Item, due_on: date, reason: str, on: date) -> tuple[Item, ReformItemRescheduled]:
    baselines = (*item.schedule.baselines, item.due_on)
    event = ReformItemRescheduled(
        item=item.id, moved_from=item.due_on, moved_to=due_on, reason=reason, baseline_number=len(baselines),
        rescheduled_on=on,
    )  # fmt: skip
    return replace(item, due_on=due_on, schedule=Schedule(since=on, baselines=baselines)), event
