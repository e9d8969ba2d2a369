"""An item's owner is reminded (催办) when it is due soon or overdue: on its days by the clock, or by the office."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from common.contracts.measures import ReformItemReminded, ReminderCause
from common.decision import Change, Refusal, Unit, must_follow
from measures.item.domain import Item
from measures.item.rules import WITH_OWNER
from measures.measure.rules import MeasureState

REMINDED_RECENTLY = Refusal(
    "item.reminded-recently",
    zh="{reminded_on} 已催办，{days} 日内不再催办",
    en="Its owner was reminded on {reminded_on}, and is not again within {days} days",
)

REMINDED_DAYS_AFTER_DUE: Final = (-30, -7, 1)
"""On which days, counted from the one on which it is due, the clock reminds an item's owner: ours, not law."""
REMINDERS_APART_DAYS: Final = 7
"""Between two reminders of one item lie at least as many days, whoever reminds."""
LAPSED_AFTER_DAYS: Final = 90
"""A reminder that the clock could not give for longer than this is not given any more."""


def remind_owner(item: Item, *, by: Unit, on: date) -> Change[Item]:
    """The office reminds the owner.

    :raises Refused: ``item.wrong-state``, ``effective.before-predecessor``, ``item.reminded-recently``.
    """
    if refused := item.why_not("remind", by):
        raise refused
    must_follow(on, item.since)
    if item.reminded_on == on:
        return Change(item, (), on)  # said before: nothing happens twice
    if _recently(item, on):
        raise REMINDED_RECENTLY(reminded_on=item.reminded_on, days=REMINDERS_APART_DAYS)
    return _reminded(item, by=by, on=on)


def remind_on_its_day(item: Item, *, due_on: date, on: date) -> Change[Item]:
    """The clock reminds the owner on one of the days of ``REMINDED_DAYS_AFTER_DUE``.

    Nothing happens where the item no longer waits for its owner, is due on another day by now or has taken a step
    since, where its measure is suspended, or its owner was reminded on that day already or shortly before.
    """
    moved_on = item.state not in WITH_OWNER or item.due_on != due_on or on < item.since
    if moved_on or item.above.state is MeasureState.SUSPENDED or _recently(item, on):
        return Change(item, (), on)
    return _reminded(item, by=None, on=on)


def _recently(item: Item, on: date) -> bool:
    return item.reminded_on is not None and on < item.reminded_on + timedelta(days=REMINDERS_APART_DAYS)


def _reminded(item: Item, *, by: Unit | None, on: date) -> Change[Item]:
    event = ReformItemReminded(
        item=item.id,
        owner=item.owner,
        cause=ReminderCause.OVERDUE if on > item.due_on else ReminderCause.DUE_SOON,
        due_on=item.due_on,
        by=by.id if by else None,
        reminded_on=on,
    )
    return Change(replace(item, version=item.version + 1, reminded_on=on), (event,), on)
