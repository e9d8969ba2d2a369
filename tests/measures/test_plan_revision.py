"""What a revision of a plan takes and what it refuses."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from builders import (
    a_closed_plan,
    a_phase,
    a_plan,
    a_plan_in_force,
    an_adopted_plan,
)
from common.contracts.measures import (
    Aspect,
    Measure,
    PartKind,
    PhaseMode,
    PlanDiff,
    PlanRevised,
    Renamed,
    Siblings,
    Weight,
)
from measures.plan.rules import PlanState
from refusals import refused

WHY = {"reason": "上级新部署", "authority": "会议纪要 2023-1"}
A3 = Measure(code="A3", aspect="A", name_zh="举措A3", name_en="Measure A3")
ON = date(2023, 2, 1)
RENAMED = Renamed(part=PartKind.MEASURE, code="A1", name_zh="一", name_en="One")


# ── revising it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_revision_adds_a_measure_and_says_why_and_by_which_authority() -> None:
    plan, diff = a_plan_in_force(), PlanDiff(measures=(A3,))
    change = plan.revise(diff, **WHY, on=ON)
    assert change.state.measures == (*plan.measures, A3)
    assert (change.state.version, change.state.since, change.state.state) == (4, plan.since, PlanState.IN_FORCE)
    assert change.state.revised_on == ON
    assert change.events == (PlanRevised(plan=plan.id, code="PLAN-1", diff=diff, **WHY, revised_on=ON),)
    change.state.require_open_for_items("A3", on=ON)


def test_a_step_that_was_missed_is_told_as_of_a_day_before_the_revision() -> None:
    revised = an_adopted_plan().revise(PlanDiff(measures=(A3,)), **WHY, on=date(2026, 11, 1)).state
    assert revised.enter_phase("P1", on=date(2022, 3, 1)).state.state is PlanState.IN_FORCE


def test_nothing_is_listed_under_a_measure_before_the_revision_that_added_it() -> None:
    plan = a_plan_in_force().revise(PlanDiff(measures=(A3,)), **WHY, on=ON).state
    with refused("effective.before-predecessor", at="/effective_on"):
        plan.require_open_for_items("A3", on=ON - timedelta(days=1))
    plan.require_open_for_items("A1", on=ON - timedelta(days=1))  # it was there from the beginning


def test_weights_of_a_day_before_need_not_name_what_was_added_later() -> None:
    plan = a_plan_in_force().revise(PlanDiff(measures=(A3,)), **WHY, on=ON).state
    siblings = [one.code for one in plan.measures if one.aspect == "A" and one.code != "A3"]
    weights = tuple(Weight(code=code, weight=Decimal(2)) for code in siblings)
    told: dict[str, Any] = {"siblings": Siblings.MEASURES, "parent": "A", "weights": weights, "items": ()}
    assert plan.set_weights(**told, on=ON - timedelta(days=1)).events
    with refused("plan.weight-missing", at="/weights"):
        plan.set_weights(**told, on=ON)


def test_what_a_draft_is_given_binds_from_its_adoption_like_all_else() -> None:
    plan = a_plan().revise(PlanDiff(measures=(A3,)), **WHY, on=date(2021, 1, 20)).state
    assert plan.binds_from(PartKind.MEASURE, "A3") is None
    adopted = plan.adopt(issuer="市委深改办", document_number="2021-1", on=date(2021, 2, 1)).state
    assert adopted.binds_from(PartKind.MEASURE, "A3") == date(2021, 2, 1)


def test_a_phase_is_not_entered_before_the_revision_that_added_it() -> None:
    early = a_phase("P0", PhaseMode.PREPARATION, date(2021, 1, 1), date(2021, 12, 31))
    plan = an_adopted_plan(phases=(early,)).revise(
        PlanDiff(phases=(a_phase("P1", PhaseMode.FULL, date(2022, 1, 1), date(2023, 12, 31)),)), **WHY, on=ON
    ).state  # fmt: skip
    with refused("effective.before-predecessor", at="/effective_on"):
        plan.enter_phase("P1", on=ON - timedelta(days=1))
    assert plan.enter_phase("P1", on=ON).state.phase == "P1"


def test_one_revision_follows_the_other_and_the_step_before() -> None:
    plan = a_plan_in_force().revise(PlanDiff(measures=(A3,)), **WHY, on=ON).state
    for before, first in ((plan, ON), (a_plan_in_force(), date(2022, 3, 1))):
        with refused("effective.before-predecessor", at="/effective_on"):
            before.revise(PlanDiff(title_zh="新名称"), **WHY, on=first - timedelta(days=1))


def test_a_revision_adds_an_aspect_with_its_measure_and_a_phase() -> None:
    aspect = Aspect(code="C", name_zh="方面C", name_en="Aspect C")
    measure = A3.model_copy(update={"code": "C1", "aspect": "C"})
    ended_early = a_plan(phases=(a_phase("P0", PhaseMode.PREPARATION, date(2021, 1, 1), date(2021, 12, 31)),))
    phase = a_phase("P1", PhaseMode.FULL, date(2022, 1, 1), date(2022, 12, 31))
    after = ended_early.revise(PlanDiff(aspects=(aspect,), measures=(measure,), phases=(phase,)), **WHY, on=ON).state
    assert (after.aspects[-1], after.measures[-1], after.phases[-1]) == (aspect, measure, phase)


@pytest.mark.parametrize(("part", "code"), [(PartKind.ASPECT, "A"), (PartKind.MEASURE, "A1"), (PartKind.PHASE, "P1")])
def test_a_revision_calls_a_part_differently_and_its_code_stays(part: PartKind, code: str) -> None:
    new = Renamed(part=part, code=code, name_zh="新名", name_en="New name")
    after = a_plan_in_force().revise(PlanDiff(renamed=(new,)), **WHY, on=ON).state
    named = {
        PartKind.ASPECT: [(one.code, one.name_en) for one in after.aspects if one.name_zh == "新名"],
        PartKind.MEASURE: [(one.code, one.name_en) for one in after.measures if one.name_zh == "新名"],
        PartKind.PHASE: [(one.code, one.name_en) for one in after.phases if one.name_zh == "新名"],
    }
    assert named.pop(part) == [(code, "New name")]
    assert not any(named.values())


def test_a_revision_changes_the_title() -> None:
    after = a_plan_in_force().revise(PlanDiff(title_zh="新方案"), **WHY, on=ON).state
    assert (after.title_zh, after.title_en) == ("新方案", "Implementation plan")


def test_a_revision_that_says_what_holds_changes_nothing() -> None:
    diff = PlanDiff(measures=(A3,), title_en="Another title")
    after = a_plan_in_force().revise(diff, **WHY, on=ON).state
    assert after.revise(diff, **WHY, on=date(2020, 1, 1)).events == ()
    assert after.revise(PlanDiff(), **WHY, on=ON).events == ()


def test_a_revision_tells_only_of_what_is_new() -> None:
    after = a_plan_in_force().revise(PlanDiff(measures=(A3,)), **WHY, on=ON).state
    a4 = A3.model_copy(update={"code": "A4"})
    (event,) = after.revise(PlanDiff(measures=(A3, a4)), **WHY, on=ON).events
    assert isinstance(event, PlanRevised)
    assert event.diff.measures == (a4,)


@pytest.mark.parametrize(
    ("diff", "code", "at"),
    [
        ({"measures": (A3.model_copy(update={"code": "A1"}),)}, "plan.code-in-use", "/diff/measures/0/code"),
        ({"aspects": (Aspect(code="A", name_zh="x", name_en="x"),)}, "plan.code-in-use", "/diff/aspects/0/code"),
        ({"measures": (A3, A3)}, "plan.code-twice", "/diff/measures/1/code"),
        ({"renamed": (RENAMED, RENAMED)}, "plan.code-twice", "/diff/renamed/1/code"),
        ({"measures": (A3.model_copy(update={"aspect": "Z"}),)}, "plan.unknown-aspect", "/diff/measures/0/aspect"),
        (
            {"renamed": (Renamed(part=PartKind.ASPECT, code="A1", name_zh="x", name_en="x"),)},
            "plan.unknown-part",
            "/diff/renamed/0/code",
        ),
        (
            {"phases": (a_phase("P3", PhaseMode.FULL, date(2025, 12, 1), date(2025, 12, 31)),)},
            "plan.phases-overlap",
            "/diff/phases",
        ),
        (
            {"phases": (a_phase("P3", PhaseMode.FULL, date(2026, 1, 1), date(2026, 12, 31)),)},
            "plan.phase-outside",
            "/diff/phases",
        ),
    ],
)
def test_a_revision_that_does_not_fit_is_refused(diff: dict[str, Any], code: str, at: str) -> None:
    with refused(code, at=at):
        a_plan_in_force().revise(PlanDiff(**diff), **WHY, on=ON)


def test_a_closed_plan_is_not_revised() -> None:
    with refused("plan.wrong-state"):
        a_closed_plan().revise(PlanDiff(measures=(A3,)), **WHY, on=date(2026, 7, 1))


def test_a_revision_does_not_take_effect_before_the_step_before_it() -> None:
    with refused("effective.before-predecessor"):
        a_plan_in_force().revise(PlanDiff(measures=(A3,)), **WHY, on=date(2022, 2, 28))
