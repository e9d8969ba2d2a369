"""When an item's owner is reminded, and when not."""

from dataclasses import replace
from datetime import date

import pytest

from builders import (
    OWNER,
    UNITS,
    a_closed_item,
    a_draft_item,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
)
from common.contracts.measures import ReformItemReminded, ReminderCause
from measures.item.domain import Item
from measures.item.reminder import remind_on_its_day, remind_owner
from measures.measure.lead import MeasureAbove
from measures.measure.rules import MeasureState
from refusals import refused

DUE_ON = date(2022, 12, 31)
OFFICE = UNITS["CQ"]

waiting = pytest.mark.parametrize("item", [an_assigned_item(), an_item_in_progress()], ids=["assigned", "in progress"])
not_waiting = pytest.mark.parametrize(
    "item", [a_draft_item(), an_item_reported_done(), a_closed_item()], ids=["draft", "reported done", "closed"]
)


def a_reminded_item() -> Item:
    """An item whose owner was reminded on 2022-12-01."""
    return remind_on_its_day(an_item_in_progress(), due_on=DUE_ON, on=date(2022, 12, 1)).state


# ── by the clock ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("on", "cause"),
    [
        (date(2022, 12, 1), ReminderCause.DUE_SOON),
        (date(2022, 12, 31), ReminderCause.DUE_SOON),
        (date(2023, 1, 1), ReminderCause.OVERDUE),
    ],
)
@waiting
def test_its_owner_is_reminded_of_the_day_by_which_it_is_to_be_done(item: Item, on: date, cause: ReminderCause) -> None:
    change = remind_on_its_day(item, due_on=DUE_ON, on=on)
    assert change.events == (
        ReformItemReminded(item=item.id, owner=OWNER.id, cause=cause, due_on=DUE_ON, by=None, reminded_on=on),
    )
    assert (change.state.version, change.state.reminded_on) == (item.version + 1, on)


def test_a_reminder_is_no_step() -> None:
    item, after = an_item_in_progress(), a_reminded_item()
    assert (after.state, after.since) == (item.state, item.since)
    assert after.report_done(claim="完成", by=OWNER, on=date(2022, 11, 30)).events


@not_waiting
def test_the_clock_reminds_nobody_of_what_does_not_wait_for_its_owner(item: Item) -> None:
    assert remind_on_its_day(item, due_on=DUE_ON, on=date(2022, 12, 1)).events == ()


def test_the_clock_reminds_nobody_of_a_day_that_was_moved() -> None:
    moved = an_item_in_progress(due_on=date(2023, 6, 30))
    assert remind_on_its_day(moved, due_on=DUE_ON, on=date(2022, 12, 1)).events == ()


def test_the_clock_reminds_nobody_for_a_day_before_the_item_s_last_step() -> None:
    assert remind_on_its_day(an_item_in_progress(), due_on=DUE_ON, on=date(2022, 1, 31)).events == ()


def test_the_clock_reminds_nobody_while_the_measure_is_suspended() -> None:
    held_up = replace(an_item_in_progress(), above=MeasureAbove(MeasureState.SUSPENDED))
    assert remind_on_its_day(held_up, due_on=DUE_ON, on=date(2022, 12, 1)).events == ()


@pytest.mark.parametrize(("on", "times"), [(date(2022, 12, 1), 0), (date(2022, 12, 7), 0), (date(2022, 12, 8), 1)])
def test_a_week_lies_between_two_reminders_of_the_clock(on: date, times: int) -> None:
    assert len(remind_on_its_day(a_reminded_item(), due_on=DUE_ON, on=on).events) == times


# ── by the office ────────────────────────────────────────────────────────────────────────────────────────────────────


@waiting
def test_the_office_reminds_the_owner_when_it_likes(item: Item) -> None:
    change = remind_owner(item, by=OFFICE, on=date(2022, 5, 5))
    (event,) = change.events
    assert isinstance(event, ReformItemReminded)
    assert (event.by, event.cause, event.reminded_on) == (OFFICE.id, ReminderCause.DUE_SOON, date(2022, 5, 5))


def test_reminding_twice_on_one_day_changes_nothing() -> None:
    assert remind_owner(a_reminded_item(), by=OFFICE, on=date(2022, 12, 1)).events == ()


def test_the_office_does_not_remind_again_within_a_week_whoever_reminded() -> None:
    with refused("item.reminded-recently"):
        remind_owner(a_reminded_item(), by=OFFICE, on=date(2022, 12, 7))
    assert remind_owner(a_reminded_item(), by=OFFICE, on=date(2022, 12, 8)).events


@not_waiting
def test_the_office_reminds_nobody_of_what_does_not_wait_for_its_owner(item: Item) -> None:
    with refused("item.wrong-state"):
        remind_owner(item, by=OFFICE, on=date(2022, 12, 1))


def test_nobody_is_reminded_before_the_item_s_last_step() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        remind_owner(an_item_in_progress(), by=OFFICE, on=date(2022, 1, 31))
