"""How a plan is evaluated for the last time, closed and amended."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from builders import (
    SETTLED,
    a_closed_plan,
    a_plan_in_final_evaluation,
    a_plan_in_force,
    an_adopted_plan,
)
from common.contracts.measures import (
    CarriedOver,
    ClosedPlanAmended,
    FinalEvaluationStarted,
    PlanClosed,
    PlanDiff,
    Siblings,
    Weight,
)
from measures.plan.checklist import Carried, Checklist, OpenKind, StillOpen
from measures.plan.domain import Plan
from measures.plan.rules import PlanState
from refusals import refused

# ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CLOSING = date(2026, 6, 30)


def test_the_final_evaluation_begins_when_the_plan_is_in_force() -> None:
    change = a_plan_in_force().start_final_evaluation(on=date(2026, 1, 5))
    assert change.state.state is PlanState.FINAL_EVALUATION
    assert change.events == (FinalEvaluationStarted(plan=change.state.id, started_on=date(2026, 1, 5)),)
    assert change.state.start_final_evaluation(on=date(2026, 2, 1)).events == ()


def test_a_plan_that_never_was_in_force_is_not_evaluated() -> None:
    with refused("plan.wrong-state"):
        an_adopted_plan().start_final_evaluation(on=date(2026, 1, 5))


@pytest.mark.parametrize("ended", [a_plan_in_final_evaluation, a_closed_plan])
def test_from_its_final_evaluation_on_a_plan_takes_nothing_new(ended: Callable[[], Plan]) -> None:
    with refused("plan.takes-no-new-items"):
        ended().require_open_for_items("A1", on=date(2025, 1, 1))
    with refused("plan.wrong-state"):
        ended().enter_phase("P2", on=date(2025, 1, 1))


def test_a_plan_is_not_closed_before_the_last_word_about_it() -> None:
    weights = (Weight(code="A", weight=Decimal(1)), Weight(code="B", weight=Decimal(1)))
    plan = a_plan_in_final_evaluation()
    weighed = plan.set_weights(Siblings.ASPECTS, "PLAN-1", weights, items=(), on=date(2026, 7, 1)).state
    revised = plan.revise(PlanDiff(title_zh="新名称"), reason="更名", authority="纪要", on=date(2026, 7, 1)).state
    for settled in (weighed, revised):
        with refused("effective.before-predecessor", at="/effective_on"):
            settled.close(SETTLED, successor=None, on=CLOSING)
        assert settled.close(SETTLED, successor=None, on=date(2026, 7, 1)).events


def _carried(*successors: str) -> Checklist:
    carried = tuple(Carried(uuid4(), f"A1-0{n}", successor) for n, successor in enumerate(successors))
    return Checklist(open=(), carried=carried, settled_on=date(2026, 6, 1))


def test_a_plan_is_closed_with_what_was_carried_over_into_its_successor() -> None:
    checklist = _carried("PLAN-2", "PLAN-2")
    change = a_plan_in_final_evaluation().close(checklist, successor="PLAN-2", on=CLOSING)
    assert (change.state.state, change.state.successor) == (PlanState.CLOSED, "PLAN-2")
    carried = tuple(CarriedOver(item=one.id, code=one.code) for one in checklist.carried)
    assert change.events == (
        PlanClosed(plan=change.state.id, successor="PLAN-2", carry_over=carried, closed_on=CLOSING),
    )


def test_a_plan_is_not_closed_while_something_is_open() -> None:
    still = StillOpen(OpenKind.LOCAL_PLAN, uuid4(), "YB-2022", "filed")
    with refused("plan.still-open"):
        a_plan_in_final_evaluation().close(Checklist((still,), (), None), successor=None, on=CLOSING)


@pytest.mark.parametrize(
    ("checklist", "successor", "code"),
    [
        (_carried("PLAN-2"), None, "plan.successor-needed"),
        (_carried("PLAN-2", "PLAN-3"), "PLAN-2", "plan.carried-elsewhere"),
        (SETTLED, "PLAN-1", "plan.successor-itself"),
    ],
)
def test_a_plan_is_closed_with_the_successor_of_all_that_was_carried_over(
    checklist: Checklist, successor: str | None, code: str
) -> None:
    with refused(code, at="/successor"):
        a_plan_in_final_evaluation().close(checklist, successor=successor, on=CLOSING)


def test_a_plan_is_not_closed_before_the_last_of_it_ended() -> None:
    with refused("effective.before-predecessor"):
        a_plan_in_final_evaluation().close(Checklist((), (), date(2026, 7, 1)), successor=None, on=CLOSING)


def test_a_plan_is_closed_from_its_final_evaluation_alone() -> None:
    with refused("plan.wrong-state"):
        a_plan_in_force().close(SETTLED, successor=None, on=CLOSING)


def test_closing_it_again_changes_nothing_unless_the_successor_is_another() -> None:
    assert a_closed_plan().close(SETTLED, successor=None, on=CLOSING).events == ()
    with refused("plan.closed-otherwise"):
        a_closed_plan().close(SETTLED, successor="PLAN-2", on=CLOSING)


def test_a_closed_plan_is_amended_and_stays_closed() -> None:
    right = {"what": "更正附件名称", "authority": "会议纪要 2026-3"}
    change = a_closed_plan().amend(**right, on=date(2026, 8, 1))
    assert change.state.state is PlanState.CLOSED
    assert change.events == (ClosedPlanAmended(plan=change.state.id, **right, amended_on=date(2026, 8, 1)),)
    assert change.state.amend(**right, on=date(2026, 9, 1)).events == ()
    with refused("effective.before-predecessor"):
        change.state.amend(what="另一处", authority="会议纪要 2026-4", on=date(2026, 7, 31))


def test_a_plan_that_is_not_closed_is_revised_and_not_amended() -> None:
    with refused("plan.wrong-state"):
        a_plan_in_final_evaluation().amend(what="x", authority="y", on=CLOSING)
