"""When an item's owner is reminded, and when no longer."""

from datetime import date

import pytest

from builders import OWNER, a_closed_item, a_draft_item, an_assigned_item, an_item_in_progress, an_item_reported_done
from common.contracts.measures import ReformItemReminded, ReminderCause
from measures.item.domain import Item
from measures.item.reminder import remind

DUE_ON = date(2022, 12, 31)


@pytest.mark.parametrize(
    ("on", "cause"),
    [
        (date(2022, 12, 1), ReminderCause.DUE_SOON),
        (date(2022, 12, 31), ReminderCause.DUE_SOON),
        (date(2023, 1, 1), ReminderCause.OVERDUE),
    ],
)
@pytest.mark.parametrize("item", [an_assigned_item(), an_item_in_progress()], ids=["assigned", "in progress"])
def test_its_owner_is_reminded_of_the_day_by_which_it_is_to_be_done(item: Item, on: date, cause: ReminderCause) -> None:
    change = remind(item, due_on=DUE_ON, on=on)
    assert change.events == (
        ReformItemReminded(item=item.id, owner=OWNER.id, cause=cause, due_on=DUE_ON, reminded_on=on),
    )
    assert (change.state.version, change.state.reminded_on) == (item.version + 1, on)


def test_a_reminder_is_no_step() -> None:
    item = an_item_in_progress()
    after = remind(item, due_on=DUE_ON, on=date(2022, 12, 1)).state
    assert (after.state, after.since) == (item.state, item.since)
    assert after.report_done(claim="完成", by=OWNER, on=date(2022, 11, 30)).events


@pytest.mark.parametrize(
    "item", [a_draft_item(), an_item_reported_done(), a_closed_item()], ids=["draft", "reported done", "closed"]
)
def test_nobody_is_reminded_of_what_does_not_wait_for_its_owner(item: Item) -> None:
    assert remind(item, due_on=DUE_ON, on=date(2022, 12, 1)).events == ()


def test_nobody_is_reminded_of_a_day_that_was_moved() -> None:
    assert remind(an_item_in_progress(due_on=date(2023, 6, 30)), due_on=DUE_ON, on=date(2022, 12, 1)).events == ()


def test_nobody_is_reminded_for_a_day_before_the_item_s_last_step() -> None:
    assert remind(an_item_in_progress(), due_on=DUE_ON, on=date(2022, 1, 31)).events == ()


@pytest.mark.parametrize(("on", "times"), [(date(2022, 12, 1), 0), (date(2022, 12, 7), 0), (date(2022, 12, 8), 1)])
def test_a_week_lies_between_two_reminders(on: date, times: int) -> None:
    reminded = remind(an_item_in_progress(), due_on=DUE_ON, on=date(2022, 12, 1)).state
    assert len(remind(reminded, due_on=DUE_ON, on=on).events) == times
