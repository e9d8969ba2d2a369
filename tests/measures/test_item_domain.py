"""What a reform item takes and what it refuses, step by step from the list to the day it is struck off."""

from collections.abc import Callable
from datetime import date

import pytest

from builders import (
    CO_UNIT,
    JUDGE,
    OWNER,
    UNITS,
    a_closed_item,
    a_draft_item,
    a_milestone,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
    an_item_with_a_report,
    an_item_with_a_verified_milestone,
    item_words,
)
from common.contracts.measures import (
    MilestonePlanned,
    Quality,
    ReformItemAcknowledged,
    ReformItemAdded,
    ReformItemAssigned,
    ReformItemReportedDone,
    ReformItemReturned,
    ReformItemStarted,
    ReformItemVerifiedClosed,
    Tendency,
)
from common.decision import Change, Unit
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.rules import ItemState
from refusals import refused

LATER = date(2022, 9, 1)


# ── putting it on the list ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_put_on_the_list_with_its_milestones() -> None:
    change = add_item(**item_words(milestones=(a_milestone(1), a_milestone(2, required=False))))
    added, first, second = change.events
    assert isinstance(added, ReformItemAdded)
    assert isinstance(first, MilestonePlanned)
    assert isinstance(second, MilestonePlanned)
    assert (first.number, second.number, second.required) == (1, 2, False)
    assert first.effective_on == added.added_on == date(2022, 1, 5)
    assert (change.state.state, change.state.version) == (ItemState.DRAFT, 3)


def test_an_item_may_be_listed_before_its_milestones_are_known() -> None:
    assert len(add_item(**item_words(milestones=())).events) == 1


def test_an_item_has_each_of_its_tags_once() -> None:
    change = add_item(**item_words(tags=(Quality.MASS, Tendency.OFFICE, Quality.MASS)))
    added = change.events[0]
    assert isinstance(added, ReformItemAdded)
    assert added.tags == change.state.tags == (Quality.MASS, Tendency.OFFICE)


def test_the_owner_is_not_a_co_unit_too() -> None:
    with refused("item.owner-among-co-units", at="/co_units"):
        a_draft_item(co_units=(CO_UNIT.id, OWNER.id))


def test_an_item_is_not_due_before_it_is_planned_to_start() -> None:
    with refused("item.due-before-start", at="/due_on"):
        a_draft_item(planned_start_on=date(2022, 1, 2), due_on=date(2022, 1, 1))


def test_two_milestones_do_not_share_a_number() -> None:
    with refused("milestone.number-taken", at="/milestones/2/number"):
        a_draft_item(milestones=(a_milestone(1), a_milestone(2), a_milestone(1, title_en="Another")))


# ── its way ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_assigned_to_its_owner() -> None:
    change = a_draft_item().assign(by=None, on=LATER)
    assert change.events == (ReformItemAssigned(item=change.state.id, owner=OWNER.id, assigned_on=LATER),)
    assert change.state.state is ItemState.ASSIGNED


@pytest.mark.parametrize("milestones", [(), (a_milestone(1, required=False),)])
def test_an_item_without_a_required_milestone_is_not_assigned(milestones: tuple[object, ...]) -> None:
    with refused("item.no-required-milestone"):
        a_draft_item(milestones=milestones).assign(by=None, on=LATER)


def test_the_owner_acknowledges_starts_and_reports_the_item_done() -> None:
    acknowledged = an_assigned_item().acknowledge(by=OWNER, on=LATER)
    assert acknowledged.events == (ReformItemAcknowledged(item=acknowledged.state.id, acknowledged_on=LATER),)
    started = acknowledged.state.start(by=OWNER, on=LATER)
    assert started.events == (ReformItemStarted(item=started.state.id, started_on=LATER),)
    done = started.state.report_done(claim="完成", by=OWNER, on=LATER)
    assert done.events == (ReformItemReportedDone(item=done.state.id, claim="完成", reported_on=LATER),)
    assert (done.state.state, done.state.claim) == (ItemState.REPORTED_DONE, "完成")


def test_an_independent_unit_closes_an_item_whose_required_milestones_are_verified() -> None:
    change = an_item_reported_done().close(by=JUDGE, on=LATER)
    assert change.events == (ReformItemVerifiedClosed(item=change.state.id, verifier=JUDGE.id, closed_on=LATER),)
    assert change.state.state is ItemState.VERIFIED_CLOSED


def test_an_item_with_an_open_required_milestone_is_not_closed() -> None:
    item = an_item_in_progress().report_done(claim="完成", by=OWNER, on=LATER).state
    with refused("item.open-milestones"):
        item.close(by=JUDGE, on=LATER)


def test_an_open_milestone_that_is_not_required_does_not_keep_an_item_open() -> None:
    item = an_item_reported_done(milestones=(a_milestone(1), a_milestone(2, required=False)))
    assert item.close(by=JUDGE, on=LATER).state.state is ItemState.VERIFIED_CLOSED


def test_a_cancelled_milestone_does_not_keep_an_item_open() -> None:
    item = an_item_with_a_verified_milestone(milestones=(a_milestone(1), a_milestone(2)))
    item = item.cancel_milestone(2, reason="撤并", authority="纪要", on=LATER).state
    assert item.report_done(claim="完成", by=OWNER, on=LATER).state.close(by=JUDGE, on=LATER).events


def test_a_claim_that_is_sent_back_puts_the_item_in_progress_again() -> None:
    change = an_item_reported_done().return_to_owner(reason="证据不足", by=JUDGE, on=LATER)
    told = ReformItemReturned(item=change.state.id, reason="证据不足", by=JUDGE.id, returned_on=LATER)
    assert change.events == (told,)
    assert (change.state.state, change.state.claim) == (ItemState.IN_PROGRESS, None)


def test_an_item_that_was_sent_back_may_be_reported_done_with_another_claim() -> None:
    returned = an_item_reported_done().return_to_owner(reason="证据不足", by=JUDGE, on=LATER).state
    assert returned.report_done(claim="补充后完成", by=OWNER, on=LATER).state.claim == "补充后完成"


# ── what holds already ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("item", "again"),
    [
        (an_assigned_item, lambda item: item.assign(by=None, on=LATER)),
        (an_item_in_progress, lambda item: item.start(by=OWNER, on=LATER)),
        (an_item_reported_done, lambda item: item.report_done(claim="完成", by=OWNER, on=LATER)),
        (a_closed_item, lambda item: item.close(by=JUDGE, on=LATER)),
    ],
)
def test_saying_it_again_changes_nothing(item: Callable[[], Item], again: Callable[[Item], Change[Item]]) -> None:
    before = item()
    assert (again(before).events, again(before).state) == ((), before)


def test_an_item_is_not_reported_done_again_with_another_claim() -> None:
    with refused("item.claimed-otherwise"):
        an_item_reported_done().report_done(claim="另一说法", by=OWNER, on=LATER)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────

STRANGERS = [UNITS["SOC"], UNITS["FIN"], UNITS["CQ"]]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda unit: unit.code)
@pytest.mark.parametrize(
    ("item", "step"),
    [
        (an_assigned_item, lambda item, by: item.acknowledge(by=by, on=LATER)),
        (
            lambda: an_assigned_item().acknowledge(by=OWNER, on=LATER).state,
            lambda item, by: item.start(by=by, on=LATER),
        ),
        (an_item_in_progress, lambda item, by: item.report_done(claim="完成", by=by, on=LATER)),
    ],
    ids=["acknowledge", "start", "report done"],
)
def test_only_the_owner_takes_the_owners_steps(
    item: Callable[[], Item], step: Callable[[Item, Unit], Change[Item]], stranger: Unit
) -> None:
    with refused("item.not-owner"):
        step(item(), stranger)


@pytest.mark.parametrize("kin", ["ORG-1", "CQ"])
def test_nobody_takes_the_owners_steps_for_it_not_even_a_unit_below_or_above(kin: str) -> None:
    with refused("item.not-owner"):
        an_assigned_item().acknowledge(by=UNITS[kin], on=LATER)


@pytest.mark.parametrize("partial", ["ORG", "ORG-1", "FIN"])
def test_whoever_took_part_neither_closes_nor_returns(partial: str) -> None:
    with refused("judge.not-independent"):
        an_item_reported_done().close(by=UNITS[partial], on=LATER)
    with refused("judge.not-independent"):
        an_item_reported_done().return_to_owner(reason="证据不足", by=UNITS[partial], on=LATER)


@pytest.mark.parametrize("independent", ["SOC", "SOC-1", "YB", "CQ"])
def test_a_unit_that_took_no_part_judges_even_if_it_stands_above_the_owner(independent: str) -> None:
    assert an_item_reported_done().close(by=UNITS[independent], on=LATER).events


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "step",
    [
        lambda on: a_draft_item().assign(by=None, on=on),
        lambda on: an_assigned_item().acknowledge(by=OWNER, on=on),
        lambda on: an_item_in_progress().report_done(claim="完成", by=OWNER, on=on),
        lambda on: an_item_in_progress().plan_milestone(a_milestone(2), on=on),
        lambda on: an_item_in_progress().report_milestone(1, attained_on=on, note=None, by=OWNER, on=on),
        lambda on: an_item_with_a_report().verify_milestone(1, by=JUDGE, on=on),
        lambda on: an_item_with_a_report().return_milestone(1, reason="不符", by=JUDGE, on=on),
        lambda on: an_item_in_progress().reschedule_milestone(1, planned_on=LATER, reason="延期", on=on),
        lambda on: an_item_reported_done().return_to_owner(reason="证据不足", by=JUDGE, on=on),
        lambda on: an_item_reported_done().close(by=JUDGE, on=on),
    ],
)
def test_no_step_takes_effect_before_the_one_before_it(step: Callable[[date], Change[Item]]) -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        step(date(2022, 1, 4))


def test_an_item_is_not_closed_before_its_last_milestone_was_verified() -> None:
    item = an_item_with_a_report().report_done(claim="完成", by=OWNER, on=date(2022, 7, 1)).state
    item = item.verify_milestone(1, by=JUDGE, on=date(2022, 8, 1)).state
    with refused("effective.before-predecessor"):
        item.close(by=JUDGE, on=date(2022, 7, 31))
    assert item.close(by=JUDGE, on=date(2022, 8, 1)).events


# ── how late it is ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("item", "day", "late"),
    [
        (an_item_in_progress, date(2022, 12, 31), 0),
        (an_item_in_progress, date(2023, 1, 1), 1),
        (a_draft_item, date(2023, 12, 31), 365),
        (a_closed_item, date(2023, 12, 31), 0),
    ],
)
def test_it_is_late_by_the_days_since_it_was_due_until_it_has_ended(
    item: Callable[[], Item], day: date, late: int
) -> None:
    assert item().as_of(day).days_late == late


# ── from where ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("item", "step"),
    [
        (a_draft_item, lambda item: item.acknowledge(by=OWNER, on=LATER)),
        (a_draft_item, lambda item: item.close(by=JUDGE, on=LATER)),
        (an_assigned_item, lambda item: item.start(by=OWNER, on=LATER)),
        (an_item_in_progress, lambda item: item.assign(by=None, on=LATER)),
        (an_item_in_progress, lambda item: item.return_to_owner(reason="证据不足", by=JUDGE, on=LATER)),
        (a_closed_item, lambda item: item.report_done(claim="再次", by=OWNER, on=LATER)),
        (a_closed_item, lambda item: item.return_to_owner(reason="证据不足", by=JUDGE, on=LATER)),
    ],
)
def test_a_step_is_taken_from_its_own_state_only(item: Callable[[], Item], step: Callable[[Item], object]) -> None:
    with refused("item.wrong-state"):
        step(item())
