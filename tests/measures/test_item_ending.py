"""How an item ends otherwise than verified, by the office and an authority; and how a closed one is taken up again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from builders import (
    JUDGE,
    OWNER,
    a_closed_item,
    a_draft_item,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
    an_item_with_a_report,
)
from common.contracts.measures import (
    ReformItemCancelled,
    ReformItemCarriedOver,
    ReformItemMerged,
    ReformItemReopened,
)
from common.decision import Change
from measures.item.domain import Item
from measures.item.ending import cancel_item, carry_over_item, merge_item, reopen_item
from measures.item.extension import request_extension
from measures.item.note import note_progress
from measures.item.particulars import Ending
from measures.item.rules import ItemState
from measures.measure.lead import MeasureAbove
from refusals import refused

LATER = date(2022, 9, 1)
WHY: dict[str, Any] = {"reason": "任务重复", "authority": "会议纪要"}
OTHER = a_draft_item(code="A1-99")
ENDING = MeasureAbove(plan_in_final_evaluation=True)
LIVE = [a_draft_item, an_assigned_item, an_item_in_progress, an_item_reported_done]


def _cancelled(item: Item, *, on: date = LATER, **changed: str) -> Change[Item]:
    return cancel_item(item, **(WHY | changed), by=None, on=on)


def _merged(item: Item, into: Item = OTHER, **changed: str) -> Change[Item]:
    return merge_item(item, into=into, **(WHY | changed), by=None, on=LATER)


def _carried_over(item: Item, successor: str = "PLAN-2") -> Change[Item]:
    return carry_over_item(replace(item, above=ENDING), successor=successor, plan_since=LATER, **WHY, by=None, on=LATER)


ENDS: list[Callable[[Item], Change[Item]]] = [_cancelled, _merged, _carried_over]


@pytest.mark.parametrize("item", LIVE)
def test_an_item_that_is_alive_is_cancelled(item: Callable[[], Item]) -> None:
    change = _cancelled(item())
    assert change.events == (ReformItemCancelled(item=change.state.id, **WHY, cancelled_on=LATER),)
    assert (change.state.state, change.state.since) == (ItemState.CANCELLED, LATER)
    assert change.state.ending == Ending("任务重复", "会议纪要")


@pytest.mark.parametrize("item", LIVE)
def test_an_item_that_is_alive_is_merged_into_another_of_its_plan(item: Callable[[], Item]) -> None:
    change = _merged(item())
    assert change.events == (ReformItemMerged(item=change.state.id, into=OTHER.id, **WHY, merged_on=LATER),)
    assert (change.state.state, change.state.ending) == (ItemState.MERGED, Ending(**WHY, into=OTHER.id))


@pytest.mark.parametrize("item", LIVE)
def test_an_item_that_is_alive_is_carried_over_into_another_plan(item: Callable[[], Item]) -> None:
    change = _carried_over(item())
    told = ReformItemCarriedOver(item=change.state.id, successor="PLAN-2", **WHY, carried_over_on=LATER)
    assert change.events == (told,)
    assert (change.state.state, change.state.ending) == (ItemState.CARRIED_OVER, Ending(**WHY, successor="PLAN-2"))


@pytest.mark.parametrize("end", ENDS)
def test_an_item_that_was_struck_off_does_not_end_otherwise(end: Callable[[Item], Change[Item]]) -> None:
    with refused("item.wrong-state"):
        end(a_closed_item())


@pytest.mark.parametrize("end", ENDS)
def test_ending_it_again_the_same_way_changes_nothing(end: Callable[[Item], Change[Item]]) -> None:
    ended = end(an_item_in_progress()).state
    assert (end(ended).events, end(ended).state) == ((), ended)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("other", ENDS)
def test_an_item_ends_once(end: Callable[[Item], Change[Item]], other: Callable[[Item], Change[Item]]) -> None:
    if end is not other:
        with refused("item.wrong-state"):
            other(end(an_item_in_progress()).state)


def test_an_item_does_not_end_the_same_way_on_other_grounds() -> None:
    with refused("item.ended-otherwise"):
        _cancelled(_cancelled(a_draft_item()).state, authority="另一纪要")
    with refused("item.ended-otherwise"):
        _merged(_merged(a_draft_item()).state, a_draft_item(code="A1-98"))
    carried = _carried_over(a_draft_item()).state
    with refused("item.ended-otherwise"):
        carry_over_item(carried, successor="PLAN-2", reason="另一原因", authority="会议纪要", by=None, on=LATER)


def test_an_item_is_carried_over_into_another_plan_as_long_as_nobody_goes_on_with_it() -> None:
    carried = _carried_over(an_item_in_progress()).state
    change = _carried_over(carried, "PLAN-3")
    assert change.state == replace(carried, version=carried.version + 1, ending=Ending(**WHY, successor="PLAN-3"))
    assert change.events == (
        ReformItemCarriedOver(item=carried.id, successor="PLAN-3", **WHY, carried_over_on=LATER),
    )  # fmt: skip
    anew = partial(carry_over_item, carried, successor="PLAN-3", **WHY, by=None, on=LATER)
    with refused("item.continued-already", at="/successor"):
        anew(continued=True)
    with refused("item.successor-unfit", at="/successor"):
        anew(fit=False)
    with refused("effective.before-predecessor"):
        carry_over_item(carried, successor="PLAN-3", **WHY, by=None, on=LATER - timedelta(days=1))
    assert carry_over_item(carried, successor="PLAN-2", **WHY, by=None, on=LATER, fit=False).events == ()


def test_what_was_carried_over_stays_as_it_is_once_its_plan_is_closed() -> None:
    carried = replace(_carried_over(an_item_in_progress()).state, above=MeasureAbove(plan_closed=True))
    with refused("item.plan-over"):
        carry_over_item(carried, successor="PLAN-3", **WHY, by=None, on=LATER)


@pytest.mark.parametrize("end", [cancel_item, partial(merge_item, into=OTHER)])
def test_an_item_does_not_end_before_another_was_merged_into_it(end: Any) -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        end(an_item_in_progress(), **WHY, by=None, on=LATER, joined_on=LATER + timedelta(days=1))
    assert end(an_item_in_progress(), **WHY, by=None, on=LATER, joined_on=LATER).events


@pytest.mark.parametrize("end", ENDS)
def test_an_item_does_not_end_before_the_last_word_about_it(end: Callable[[Item], Change[Item]]) -> None:
    item = an_item_with_a_report().verify_milestone(1, by=JUDGE, on=date(2022, 9, 2)).state
    with refused("effective.before-predecessor", at="/effective_on"):
        end(item)


def test_an_item_is_not_merged_into_itself() -> None:
    item = an_item_in_progress()
    with refused("item.merged-into-itself", at="/into"):
        _merged(item, item)


def test_an_item_is_not_merged_into_one_of_another_plan() -> None:
    with refused("item.merged-elsewhere", at="/into"):
        _merged(an_item_in_progress(), a_draft_item(plan="PLAN-2"))


@pytest.mark.parametrize("ended", [a_closed_item(), *(end(a_draft_item()).state for end in ENDS)])
def test_an_item_is_not_merged_into_one_that_has_ended(ended: Item) -> None:
    with refused("item.merged-into-ended", at="/into"):
        _merged(an_item_in_progress(), ended)


def test_an_item_is_not_merged_into_one_before_that_was_listed() -> None:
    into = a_draft_item(code="A1-99", on=date(2022, 9, 2))
    assert into.added_on == date(2022, 9, 2)
    with refused("effective.before-predecessor", at="/effective_on"):
        _merged(an_item_in_progress(), into)
    assert _merged(an_item_in_progress(), a_draft_item(code="A1-99", on=LATER)).events


def test_a_merger_that_happened_stands_whatever_the_other_became() -> None:
    merged = _merged(an_item_in_progress()).state
    assert _merged(merged, _cancelled(OTHER).state).events == ()


def test_an_item_is_not_carried_over_while_its_plan_goes_on() -> None:
    with refused("item.plan-goes-on"):
        carry_over_item(an_item_in_progress(), successor="PLAN-2", plan_since=LATER, **WHY, by=None, on=LATER)


def test_no_item_is_carried_over_as_of_a_day_before_the_final_evaluation_began() -> None:
    item, early = replace(an_item_in_progress(), above=ENDING), LATER - timedelta(days=1)
    with refused("effective.before-predecessor"):
        carry_over_item(item, successor="PLAN-2", plan_since=LATER, **WHY, by=None, on=early)


def test_an_item_is_not_carried_over_into_its_own_plan() -> None:
    with refused("item.carried-into-own-plan", at="/successor"):
        _carried_over(an_item_in_progress(), "PLAN-1")


def test_a_request_for_an_extension_is_moot_when_the_item_ends() -> None:
    item = an_item_in_progress()
    asked = request_extension(item, due_on=date(2023, 6, 30), reason="延期", by=OWNER, on=LATER).state
    assert _cancelled(asked).state.schedule.extension is None


def test_a_closed_item_is_reopened_and_its_work_goes_on() -> None:
    change = reopen_item(a_closed_item(), **WHY, by=None, on=LATER)
    assert change.events == (ReformItemReopened(item=change.state.id, **WHY, reopened_on=LATER),)
    assert (change.state.state, change.state.claim, change.state.since) == (ItemState.IN_PROGRESS, None, LATER)


def test_no_item_of_a_closed_plan_is_reopened() -> None:
    over = replace(a_closed_item(), above=MeasureAbove(plan_closed=True))
    with refused("item.plan-over"):
        reopen_item(over, **WHY, by=None, on=LATER)


def test_nothing_that_was_verified_in_a_closed_plan_is_taken_back() -> None:
    over = replace(a_closed_item(), above=MeasureAbove(plan_closed=True))
    with refused("item.plan-over"):
        over.revoke_verification(1, **WHY, by=JUDGE, on=LATER)


def test_no_item_of_a_closed_local_plan_is_reopened_but_what_was_wrongly_verified_is_taken_back() -> None:
    over = replace(a_closed_item(local_plan="YB-2022"), above=MeasureAbove(local_plan_closed=True))
    with refused("item.local-plan-over"):
        reopen_item(over, **WHY, by=None, on=LATER)
    assert over.revoke_verification(1, **WHY, by=JUDGE, on=LATER).state.doubts


def test_no_end_takes_effect_before_the_last_word_of_those_at_work() -> None:
    said: dict[str, Any] = {"done": "已完成调研", "problems": None, "next": None, "help": None}
    noted = note_progress(an_item_in_progress(), **said, by=OWNER, on=LATER).state
    with refused("effective.before-predecessor"):
        _cancelled(noted, on=LATER - timedelta(days=1))
    assert _cancelled(noted, on=LATER).events


def test_an_item_that_was_reopened_is_in_doubt_no_more_and_is_closed_anew() -> None:
    doubted = a_closed_item().revoke_verification(1, **WHY, by=JUDGE, on=LATER).state
    item = reopen_item(doubted, **WHY, by=None, on=LATER).state
    assert item.doubts == ()
    item = item.report_done(claim="补正后完成", by=OWNER, on=LATER).state
    with refused("item.open-milestones"):
        item.close(by=JUDGE, on=LATER)
    item = item.return_to_owner(reason="节点未补报", by=JUDGE, on=LATER).state
    item = item.report_milestone(1, attained_on=LATER, note=None, by=OWNER, on=LATER).state
    item = item.verify_milestone(1, by=JUDGE, on=LATER).state
    assert item.report_done(claim="完成", by=OWNER, on=LATER).state.close(by=JUDGE, on=LATER).events


@pytest.mark.parametrize("item", [*(alive() for alive in LIVE), *(end(a_draft_item()).state for end in ENDS)])
def test_only_a_closed_item_is_reopened(item: Item) -> None:
    with refused("item.wrong-state"):
        reopen_item(item, **WHY, by=None, on=LATER)


def test_an_item_is_reopened_neither_before_it_was_closed_nor_before_it_was_doubted() -> None:
    with refused("effective.before-predecessor"):
        reopen_item(a_closed_item(), **WHY, by=None, on=date(2022, 7, 9))
    doubted = a_closed_item().revoke_verification(1, **WHY, by=JUDGE, on=LATER).state
    with refused("effective.before-predecessor"):
        reopen_item(doubted, **WHY, by=None, on=date(2022, 8, 31))
