"""An item's owner is reminded (催办) on certain days before it is due and when it is overdue, and not too often."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from common.contracts.measures import ReformItemReminded, ReminderCause
from common.decision import Change
from measures.item.domain import Item
from measures.item.rules import ItemState

WITH_ITS_OWNER: Final = (ItemState.ASSIGNED, ItemState.ACKNOWLEDGED, ItemState.IN_PROGRESS)
"""In these states an item waits for its owner."""
REMINDED_DAYS_AFTER_DUE: Final = (-30, -7, 1)
"""On which days, counted from the one on which it is due, an item's owner is reminded: ours, not law."""
REMINDERS_APART_DAYS: Final = 7
"""Between two reminders of one item lie at least as many days."""
LAPSED_AFTER_DAYS: Final = 90
"""A reminder that could not be given for longer than this is not given any more."""


def remind(item: Item, *, due_on: date, on: date) -> Change[Item]:
    """Remind the owner on one of the days of ``REMINDED_DAYS_AFTER_DUE``.

    Nothing happens where the item no longer waits for its owner, is due on another day by now or has taken a step
    since, or where its owner was reminded on that day already or shortly before.
    """
    moved_on = item.state not in WITH_ITS_OWNER or item.due_on != due_on or on < item.since
    if moved_on or (item.reminded_on and on < item.reminded_on + timedelta(days=REMINDERS_APART_DAYS)):
        return Change(item, (), on)
    cause = ReminderCause.OVERDUE if on > due_on else ReminderCause.DUE_SOON
    event = ReformItemReminded(item=item.id, owner=item.owner, cause=cause, due_on=due_on, reminded_on=on)
    return Change(replace(item, version=item.version + 1, reminded_on=on), (event,), on)
