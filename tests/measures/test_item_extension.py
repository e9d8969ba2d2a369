"""How an item's due date moves, and what is said of its work in between."""

from collections.abc import Callable
from datetime import date

import pytest

from builders import (
    CO_UNIT,
    OWNER,
    UNITS,
    a_closed_item,
    a_draft_item,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
)
from common.contracts.measures import (
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    ProgressNoted,
    ReformItemRescheduled,
)
from common.decision import Change, Unit
from measures.item.domain import Item
from measures.item.extension import grant_extension, refuse_extension, request_extension, reschedule_item
from measures.item.note import note_progress
from measures.item.particulars import Extension, Schedule
from refusals import refused

LATER, DUE, NEXT_YEAR = date(2022, 9, 1), date(2022, 12, 31), date(2023, 6, 30)


def _requested(item: Item, due_on: date = NEXT_YEAR, by: Unit = OWNER, on: date = LATER) -> Change[Item]:
    return request_extension(item, due_on=due_on, reason="接口未开放", by=by, on=on)


def _rescheduled(item: Item, due_on: date = NEXT_YEAR, on: date = LATER) -> Change[Item]:
    return reschedule_item(item, due_on=due_on, reason="统一顺延", by=None, on=on)


def an_item_to_be_extended() -> Item:
    """An item in progress, due at the end of 2022, whose owner asked on 2022-09-01 for half a year more."""
    return _requested(an_item_in_progress()).state


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_owner_asks_for_a_later_due_date_and_the_due_date_stays() -> None:
    change = _requested(an_item_in_progress())
    told = ExtensionRequested(
        item=change.state.id,
        due_on=DUE,
        requested_due_on=NEXT_YEAR,
        reason="接口未开放",
        by=OWNER.id,
        requested_on=LATER,
    )
    assert change.events == (told,)
    assert change.state.due_on == DUE
    assert change.state.schedule == Schedule(since=LATER, extension=Extension(NEXT_YEAR, "接口未开放"))


@pytest.mark.parametrize("unit", ["FIN", "SOC", "ORG-1", "CQ"])
def test_nobody_but_the_owner_asks(unit: str) -> None:
    with refused("item.not-owner"):
        _requested(an_item_in_progress(), by=UNITS[unit])


@pytest.mark.parametrize("due_on", [DUE, date(2022, 12, 30)])
def test_an_extension_is_to_a_later_day(due_on: date) -> None:
    with refused("item.extension-not-later", at="/due_on"):
        _requested(an_item_in_progress(), due_on)


@pytest.mark.parametrize("item", [a_draft_item, an_item_reported_done, a_closed_item])
def test_no_extension_is_asked_for_an_item_that_nobody_works_on(item: Callable[[], Item]) -> None:
    with refused("item.wrong-state"):
        _requested(item())


def test_asking_for_the_same_again_changes_nothing() -> None:
    assert _requested(an_item_to_be_extended()).events == ()


def test_one_extension_at_a_time_is_asked_for() -> None:
    with refused("item.extension-open"):
        _requested(an_item_to_be_extended(), date(2023, 12, 31))


# ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_granting_it_moves_the_due_date_and_keeps_the_one_before() -> None:
    change = grant_extension(an_item_to_be_extended(), by=None, on=date(2022, 9, 8))
    moved = ReformItemRescheduled(
        item=change.state.id, moved_from=DUE, moved_to=NEXT_YEAR, reason="接口未开放", baseline_number=1,
        rescheduled_on=date(2022, 9, 8),
    )  # fmt: skip
    assert change.events == (
        ExtensionGranted(item=change.state.id, due_on=NEXT_YEAR, granted_on=date(2022, 9, 8)),
        moved,
    )
    assert change.state.version == an_item_to_be_extended().version + 2
    assert change.state.due_on == NEXT_YEAR
    assert change.state.schedule == Schedule(since=date(2022, 9, 8), baselines=(DUE,))


def test_refusing_it_leaves_the_due_date_and_another_may_be_asked_for() -> None:
    change = refuse_extension(an_item_to_be_extended(), reason="接口已开放", by=None, on=LATER)
    told = ExtensionRefused(
        item=change.state.id, requested_due_on=NEXT_YEAR, reason="接口已开放", refused_on=LATER
    )  # fmt: skip
    assert change.events == (told,)
    assert (change.state.due_on, change.state.schedule) == (DUE, Schedule(since=LATER))
    assert _requested(change.state, date(2023, 3, 31)).events


def test_nothing_is_decided_that_was_not_asked_for() -> None:
    with refused("item.no-extension"):
        grant_extension(an_item_in_progress(), by=None, on=LATER)
    with refused("item.no-extension"):
        refuse_extension(an_item_in_progress(), reason="无", by=None, on=LATER)


def test_what_was_asked_for_is_decided_even_if_the_item_is_reported_done_meanwhile() -> None:
    item = an_item_to_be_extended().report_done(claim="完成", by=OWNER, on=LATER).state
    assert grant_extension(item, by=None, on=LATER).state.due_on == NEXT_YEAR


# ── the office by itself ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_office_moves_a_due_date_by_itself_and_every_day_before_is_kept() -> None:
    once = _rescheduled(an_item_in_progress())
    twice = _rescheduled(once.state, date(2022, 11, 30), on=date(2022, 10, 1))
    assert twice.state.schedule.baselines == (DUE, NEXT_YEAR)
    told = ReformItemRescheduled(
        item=twice.state.id, moved_from=NEXT_YEAR, moved_to=date(2022, 11, 30), reason="统一顺延", baseline_number=2,
        rescheduled_on=date(2022, 10, 1),
    )  # fmt: skip
    assert (twice.events, twice.state.due_on) == ((told,), date(2022, 11, 30))


def test_moving_it_to_where_it_is_changes_nothing() -> None:
    assert _rescheduled(an_item_in_progress(), DUE).events == ()


def test_an_item_is_not_made_due_before_it_is_planned_to_start() -> None:
    with refused("item.due-before-start", at="/due_on"):
        _rescheduled(an_item_in_progress(), date(2021, 12, 31))


def test_what_the_owner_asked_for_is_decided_before_the_office_moves_the_date() -> None:
    with refused("item.extension-open"):
        _rescheduled(an_item_to_be_extended())


@pytest.mark.parametrize("item", [an_item_reported_done, a_closed_item])
def test_the_due_date_of_an_item_that_was_reported_done_stays(item: Callable[[], Item]) -> None:
    with refused("item.wrong-state"):
        _rescheduled(item())


@pytest.mark.parametrize(
    "step",
    [
        lambda on: _requested(an_assigned_item(), on=on),
        lambda on: grant_extension(an_item_to_be_extended(), by=None, on=on),
        lambda on: refuse_extension(an_item_to_be_extended(), reason="无", by=None, on=on),
        lambda on: _rescheduled(_rescheduled(an_item_in_progress()).state, date(2023, 9, 30), on=on),
        lambda on: _noted(an_item_in_progress(), on=on),
    ],
)
def test_nothing_is_said_as_of_a_day_before_the_last_word(step: Callable[[date], Change[Item]]) -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        step(date(2022, 1, 4))


# ── progress notes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _noted(item: Item, done: str = "已签约八家", by: Unit = OWNER, on: date = LATER) -> Change[Item]:
    return note_progress(item, done=done, problems="两家未回函", next="首次对接", help=None, by=by, on=on)


@pytest.mark.parametrize("by", [OWNER, CO_UNIT], ids=lambda unit: unit.code)
def test_whoever_takes_part_says_how_the_work_goes(by: Unit) -> None:
    change = _noted(an_item_in_progress(), by=by)
    told = ProgressNoted(
        item=change.state.id,
        done="已签约八家",
        problems="两家未回函",
        next="首次对接",
        help=None,
        by=by.id,
        noted_on=LATER,
    )
    assert change.events == (told,)
    assert change.state.note is not None
    assert change.state.note.done == "已签约八家"


@pytest.mark.parametrize("unit", ["SOC", "ORG-1", "CQ"])
def test_nobody_else_does(unit: str) -> None:
    with refused("item.not-partaker"):
        _noted(an_item_in_progress(), by=UNITS[unit])


@pytest.mark.parametrize("item", [a_draft_item, a_closed_item])
def test_nothing_is_noted_before_an_item_is_handed_out_or_after_it_ended(item: Callable[[], Item]) -> None:
    with refused("item.wrong-state"):
        _noted(item())


def test_the_same_note_again_changes_nothing_and_another_takes_its_place() -> None:
    noted = _noted(an_item_in_progress()).state
    assert _noted(noted).events == ()
    assert _noted(noted, "已签约十家").events


def test_a_note_is_not_dated_before_the_one_before_it() -> None:
    with refused("effective.before-predecessor"):
        _noted(_noted(an_item_in_progress()).state, "补记", on=date(2022, 8, 31))
