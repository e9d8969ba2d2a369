"""What a local plan takes and what it refuses."""

from datetime import date
from typing import Any

import pytest

from builders import JUDGE, OWNER, UNITS
from common.contracts.measures import (
    LocalPlanClosed,
    LocalPlanDrafted,
    LocalPlanEnteredIntoForce,
    LocalPlanFiled,
    LocalPlanRedrafted,
    LocalPlanReturned,
    LocalPlanSubmitted,
)
from local_plans import a_filed_local_plan, a_local_plan, a_submitted_local_plan, local_plan_draft, local_plan_words
from measures.local_plan.domain import LocalPlan, draft_local_plan
from measures.local_plan.rules import LocalPlanState
from refusals import refused

S = LocalPlanState
WITHIN: dict[str, Any] = {"plan_starts_on": date(2021, 1, 1), "plan_ends_on": date(2025, 12, 31)}
OVER: dict[str, Any] = {"reason": "各事项均已了结", "still_open": (), "settled_on": None, "by": None}


def _returned() -> LocalPlan:
    return a_submitted_local_plan().return_to_unit(reason="缺任务", by=None, on=date(2022, 3, 1)).state


def _in_force() -> LocalPlan:
    return a_filed_local_plan().enter_into_force(by=OWNER, on=date(2022, 4, 1)).state


def _closed() -> LocalPlan:
    return _in_force().close(**OVER, on=date(2023, 1, 31)).state


# ── the unit writes it ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_unit_puts_down_its_plan_with_all_that_it_says() -> None:
    change = draft_local_plan(local_plan_draft(), **local_plan_words())
    plan, words = change.state, local_plan_draft().words()
    assert (plan.state, plan.version, plan.unit, plan.plan) == (S.DRAFT, 1, OWNER.id, "PLAN-1")
    assert change.events == (
        LocalPlanDrafted(
            local_plan=plan.id, plan="PLAN-1", unit=OWNER.id, code="YB-2022", drafted_on=date(2022, 2, 15), **words
        ),
    )


@pytest.mark.parametrize(
    ("changed", "code", "at"),
    [
        ({"measures": ("A1", "B1", "A1")}, "local-plan.measure-twice", "/measures/2"),
        ({"ends_on": date(2021, 12, 31)}, "local-plan.period-reversed", "/ends_on"),
        ({"starts_on": date(2020, 12, 31)}, "local-plan.outside-plan", "/starts_on"),
        ({"ends_on": date(2026, 1, 1)}, "local-plan.outside-plan", "/ends_on"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_when_it_is_drafted_and_redrafted(
    changed: dict[str, Any], code: str, at: str
) -> None:
    with refused(code, at=at):
        draft_local_plan(local_plan_draft(**changed), **local_plan_words())
    with refused(code, at=at):
        a_local_plan().redraft(local_plan_draft(**changed), **WITHIN, by=OWNER, on=date(2022, 3, 10))


@pytest.mark.parametrize("plan", [a_local_plan(), _returned()], ids=["draft", "returned"])
def test_what_is_in_the_units_hands_is_put_in_other_words(plan: LocalPlan) -> None:
    other = local_plan_draft(measures=("A1", "A2"))
    change = plan.redraft(other, **WITHIN, by=OWNER, on=date(2022, 3, 10))
    assert (change.state.measures, change.state.state) == (("A1", "A2"), plan.state)
    assert change.events == (LocalPlanRedrafted(local_plan=plan.id, redrafted_on=date(2022, 3, 10), **other.words()),)


def test_the_same_words_again_change_nothing() -> None:
    assert _in_force().redraft(local_plan_draft(), **WITHIN, by=OWNER, on=date(2022, 5, 1)).events == ()


def test_what_was_submitted_is_not_redrafted() -> None:
    with refused("local-plan.wrong-state"):
        a_submitted_local_plan().redraft(local_plan_draft(title_zh="另一标题"), **WITHIN, by=OWNER, on=date(2022, 3, 1))


@pytest.mark.parametrize("by", [JUDGE, UNITS["CQ"], UNITS["ORG-1"]])
def test_only_the_unit_itself_takes_its_steps(by: Any) -> None:
    with refused("local-plan.not-owner"):
        a_local_plan().submit(by=by, on=date(2022, 2, 20))
    with refused("local-plan.not-owner"):
        a_local_plan().redraft(local_plan_draft(title_zh="另一标题"), **WITHIN, by=by, on=date(2022, 2, 20))
    with refused("local-plan.not-owner"):
        a_filed_local_plan().enter_into_force(by=by, on=date(2022, 4, 1))


# ── the office files it ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_submitted_returned_and_submitted_again() -> None:
    submitted = a_local_plan().submit(by=OWNER, on=date(2022, 2, 20))
    assert submitted.events == (LocalPlanSubmitted(local_plan=submitted.state.id, submitted_on=date(2022, 2, 20)),)
    returned = submitted.state.return_to_unit(reason="缺任务", by=None, on=date(2022, 3, 1))
    assert (returned.state.state, returned.state.reason) == (S.RETURNED, "缺任务")
    assert returned.events == (
        LocalPlanReturned(local_plan=returned.state.id, reason="缺任务", returned_on=date(2022, 3, 1)),
    )
    again = returned.state.submit(by=OWNER, on=date(2022, 3, 10)).state
    assert (again.state, again.reason) == (S.SUBMITTED, None)


def test_a_plan_is_filed_and_carried_out() -> None:
    filed = a_submitted_local_plan().file(filing_number="备案1", by=None, on=date(2022, 3, 20))
    assert filed.events == (
        LocalPlanFiled(local_plan=filed.state.id, filing_number="备案1", filed_on=date(2022, 3, 20)),
    )
    entered = filed.state.enter_into_force(by=OWNER, on=date(2022, 4, 1))
    assert (entered.state.state, entered.state.filing_number) == (S.IN_FORCE, "备案1")
    assert entered.events == (LocalPlanEnteredIntoForce(local_plan=filed.state.id, entered_on=date(2022, 4, 1)),)


def test_saying_the_same_again_changes_nothing_and_saying_it_differently_is_refused() -> None:
    on = date(2024, 1, 1)
    assert a_submitted_local_plan().submit(by=OWNER, on=on).events == ()
    assert _in_force().enter_into_force(by=OWNER, on=on).events == ()
    assert _returned().return_to_unit(reason="缺任务", by=None, on=on).events == ()
    with refused("local-plan.returned-otherwise"):
        _returned().return_to_unit(reason="另一理由", by=None, on=on)
    assert _in_force().file(filing_number="备案1", by=None, on=on).events == ()
    with refused("local-plan.filed-otherwise"):
        _in_force().file(filing_number="备案2", by=None, on=on)
    assert _closed().close(**OVER, on=on).events == ()
    with refused("local-plan.closed-otherwise"):
        _closed().close(**(OVER | {"reason": "另一理由"}), on=on)


def test_a_draft_is_neither_filed_nor_returned() -> None:
    with refused("local-plan.wrong-state"):
        a_local_plan().file(filing_number="备案1", by=None, on=date(2022, 3, 1))
    with refused("local-plan.wrong-state"):
        a_local_plan().return_to_unit(reason="缺任务", by=None, on=date(2022, 3, 1))


def test_no_step_takes_effect_before_the_one_before_it() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        a_submitted_local_plan().file(filing_number="备案1", by=None, on=date(2022, 2, 19))


# ── its items and its end ────────────────────────────────────────────────────────────────────────────────────────────


LISTED: dict[str, Any] = {"due_on": date(2022, 12, 31), "on": date(2022, 3, 20)}


@pytest.mark.parametrize("plan", [a_filed_local_plan(), _in_force()], ids=["filed", "in force"])
def test_a_plan_on_file_takes_items_of_its_measures_for_its_unit_and_those_below(plan: LocalPlan) -> None:
    plan.require_open_for_items("A1", owner=OWNER, **LISTED)
    plan.require_open_for_items("A1", owner=UNITS["ORG-1"], **LISTED)
    with refused("local-plan.unknown-measure", at="/measure"):
        plan.require_open_for_items("A2", owner=OWNER, **LISTED)
    with refused("local-plan.owner-outside", at="/owner"):
        plan.require_open_for_items("A1", owner=JUDGE, **LISTED)


@pytest.mark.parametrize("plan", [a_filed_local_plan(), _in_force()], ids=["filed", "in force"])
def test_it_takes_them_from_the_day_of_its_filing_and_to_be_done_while_it_lasts(plan: LocalPlan) -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        plan.require_open_for_items("A1", owner=OWNER, **LISTED | {"on": date(2022, 3, 19)})
    with refused("local-plan.due-outside", at="/due_on"):
        plan.require_open_for_items("A1", owner=OWNER, **LISTED | {"due_on": date(2023, 1, 1)})


@pytest.mark.parametrize("plan", [a_local_plan(), a_submitted_local_plan(), _returned(), _closed()])
def test_a_plan_that_is_not_on_file_takes_no_items(plan: LocalPlan) -> None:
    with refused("local-plan.wrong-state"):
        plan.require_open_for_items("A1", owner=OWNER, **LISTED)


@pytest.mark.parametrize("plan", [a_local_plan(), a_submitted_local_plan(), _returned(), a_filed_local_plan()])
def test_a_plan_may_be_given_up_before_it_is_in_force(plan: LocalPlan) -> None:
    assert plan.close(**OVER, on=date(2023, 1, 31)).state.state is S.CLOSED


def test_a_plan_is_closed_with_the_reason_when_all_its_items_have_ended() -> None:
    change = _in_force().close(**(OVER | {"settled_on": date(2023, 1, 30)}), on=date(2023, 1, 31))
    assert change.events == (
        LocalPlanClosed(local_plan=change.state.id, reason="各事项均已了结", closed_on=date(2023, 1, 31)),
    )


def test_a_plan_with_open_items_is_not_closed() -> None:
    with refused("local-plan.items-open"):
        _in_force().close(**(OVER | {"still_open": ("YB-A1-01",)}), on=date(2023, 1, 31))


def test_a_plan_is_not_closed_before_its_last_item_ended() -> None:
    with refused("effective.before-predecessor"):
        _in_force().close(**(OVER | {"settled_on": date(2023, 2, 1)}), on=date(2023, 1, 31))
