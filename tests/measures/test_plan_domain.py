"""What a plan takes and what it refuses."""

from datetime import date

import pytest

from builders import (
    a_closed_plan,
    a_phase,
    a_plan,
    a_plan_in_final_evaluation,
    a_plan_in_force,
    an_adopted_plan,
    plan_words,
)
from common.contracts.measures import Aspect, Measure, PhaseEntered, PhaseMode, PlanAdopted, PlanDefined
from measures.plan.domain import Plan, define_plan
from measures.plan.rules import PlanState
from refusals import refused

BY = {"issuer": "市委深改办", "document_number": "2021-1"}


def _in_force() -> Plan:
    return a_plan_in_force()


# ── putting it down ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_put_down_as_a_draft_with_all_that_it_says() -> None:
    change = define_plan(**plan_words())
    (event,) = change.events
    assert isinstance(event, PlanDefined)
    assert (change.state.state, change.state.version, change.state.phase) == (PlanState.DRAFT, 1, None)
    assert (event.aspects, event.measures, event.phases) == (
        change.state.aspects,
        change.state.measures,
        change.state.phases,
    )
    assert event.defined_on == change.effective_on == date(2021, 1, 10)


def test_phases_are_kept_in_the_order_of_time() -> None:
    phases = plan_words()["phases"]
    assert a_plan(phases=phases[::-1]).phases == phases


@pytest.mark.parametrize(("list_name", "position"), [("aspects", 2), ("measures", 3), ("phases", 3)])
def test_a_code_is_given_once(list_name: str, position: int) -> None:
    listed = plan_words()[list_name]
    with refused("plan.code-twice", at=f"/{list_name}/{position}/code"):
        a_plan(**{list_name: (*listed, listed[0])})


def test_a_measure_belongs_to_an_aspect_of_the_plan() -> None:
    stray = Measure(code="Z1", aspect="Z", name_zh="举措", name_en="Measure")
    with refused("plan.unknown-aspect", at="/measures/1/aspect"):
        a_plan(measures=(plan_words()["measures"][0], stray))


def test_an_aspect_may_have_no_measure() -> None:
    alone = Aspect(code="Z", name_zh="方面", name_en="Aspect")
    assert alone in a_plan(aspects=(*plan_words()["aspects"], alone)).aspects


def test_a_plan_does_not_end_before_it_starts() -> None:
    with refused("plan.period-reversed", at="/ends_on"):
        a_plan(starts_on=date(2021, 1, 2), ends_on=date(2021, 1, 1))


def test_a_phase_does_not_end_before_it_starts() -> None:
    with refused("plan.period-reversed", at="/phases"):
        a_plan(phases=(a_phase("P0", PhaseMode.PILOT, date(2021, 2, 1), date(2021, 1, 1)),))


@pytest.mark.parametrize(
    ("starts_on", "ends_on"), [(date(2020, 12, 31), date(2021, 5, 1)), (date(2025, 5, 1), date(2026, 1, 1))]
)
def test_a_phase_lies_within_the_plan(starts_on: date, ends_on: date) -> None:
    with refused("plan.phase-outside"):
        a_plan(phases=(a_phase("P0", PhaseMode.PILOT, starts_on, ends_on),))


def test_phases_do_not_share_a_day() -> None:
    first = a_phase("P0", PhaseMode.PILOT, date(2021, 1, 1), date(2021, 6, 1))
    with refused("plan.phases-overlap"):
        a_plan(phases=(first, a_phase("P1", PhaseMode.FULL, date(2021, 6, 1), date(2021, 12, 1))))


def test_a_phase_may_begin_on_the_day_after_the_one_before() -> None:
    first = a_phase("P0", PhaseMode.PILOT, date(2021, 1, 1), date(2021, 6, 1))
    assert len(a_plan(phases=(first, a_phase("P1", PhaseMode.FULL, date(2021, 6, 2), date(2021, 12, 1)))).phases) == 2


# ── adopting it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_adopted_with_its_document() -> None:
    change = a_plan().adopt(**BY, on=date(2021, 2, 1))
    assert (change.state.state, change.state.version, change.state.since) == (PlanState.ADOPTED, 2, date(2021, 2, 1))
    assert change.events == (PlanAdopted(plan=change.state.id, adopted_on=date(2021, 2, 1), **BY),)


def test_adopting_it_again_with_the_same_document_changes_nothing() -> None:
    plan = an_adopted_plan()
    assert plan.adopt(**BY, on=date(2022, 1, 1)).events == ()


@pytest.mark.parametrize("changed", [{"issuer": "另一机关"}, {"document_number": "2021-2"}])
def test_an_adopted_plan_is_not_adopted_with_other_particulars(changed: dict[str, str]) -> None:
    with refused("plan.adopted-otherwise"):
        an_adopted_plan().adopt(**(BY | changed), on=date(2021, 2, 1))


def test_a_plan_is_not_adopted_before_it_was_put_down() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        a_plan(on=date(2021, 1, 10)).adopt(**BY, on=date(2021, 1, 9))


def test_a_plan_may_be_adopted_on_the_day_it_was_put_down() -> None:
    assert a_plan(on=date(2021, 1, 10)).adopt(**BY, on=date(2021, 1, 10)).events


# ── entering its phases ──────────────────────────────────────────────────────────────────────────────────────────────


def test_with_its_first_phase_a_plan_is_in_force() -> None:
    change = an_adopted_plan().enter_phase("P0", on=date(2021, 3, 1))
    assert (change.state.state, change.state.phase, change.state.version) == (PlanState.IN_FORCE, "P0", 3)
    assert change.events == (
        PhaseEntered(plan=change.state.id, phase="P0", mode=PhaseMode.PREPARATION, entered_on=date(2021, 3, 1)),
    )


def test_a_phase_may_be_left_out() -> None:
    assert an_adopted_plan().enter_phase("P2", on=date(2023, 1, 1)).state.phase == "P2"


def test_entering_the_present_phase_again_changes_nothing() -> None:
    assert _in_force().enter_phase("P1", on=date(2022, 4, 1)).events == ()


def test_a_plan_does_not_go_back_to_an_earlier_phase() -> None:
    with refused("plan.phase-passed"):
        _in_force().enter_phase("P0", on=date(2021, 5, 1))


def test_a_draft_enters_no_phase() -> None:
    with refused("plan.wrong-state"):
        a_plan().enter_phase("P0", on=date(2021, 3, 1))


def test_a_plan_enters_only_its_own_phases() -> None:
    with refused("plan.unknown-phase"):
        an_adopted_plan().enter_phase("P9", on=date(2021, 3, 1))


@pytest.mark.parametrize("on", [date(2021, 12, 31), date(2023, 1, 1)])
def test_a_phase_is_entered_on_one_of_its_days(on: date) -> None:
    with refused("plan.phase-not-on-this-day", at="/effective_on"):
        an_adopted_plan().enter_phase("P1", on=on)


@pytest.mark.parametrize("on", [date(2022, 1, 1), date(2022, 12, 31)])
def test_its_first_and_its_last_day_are_days_of_a_phase(on: date) -> None:
    assert an_adopted_plan().enter_phase("P1", on=on).state.since == on


def test_a_phase_is_not_entered_before_the_plan_was_adopted() -> None:
    with refused("effective.before-predecessor"):
        an_adopted_plan().enter_phase("P0", on=date(2021, 1, 31))


# ── items under it ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_adopted_plan_takes_items_under_its_measures() -> None:
    an_adopted_plan().require_open_for_items("A1", on=date(2021, 2, 1))


def test_a_plan_takes_no_items_as_of_a_day_before_its_adoption_whatever_came_after() -> None:
    for plan in (an_adopted_plan(), a_plan_in_force()):
        with refused("effective.before-predecessor", at="/effective_on"):
            plan.require_open_for_items("A1", on=date(2021, 1, 31))


def test_a_plan_takes_items_after_its_end_for_the_final_evaluation() -> None:
    an_adopted_plan().require_open_for_items("A1", on=date(2026, 6, 1))


def test_a_draft_takes_no_items() -> None:
    with refused("plan.wrong-state"):
        a_plan().require_open_for_items("A1", on=date(2022, 1, 1))


def test_a_plan_takes_no_items_under_a_measure_that_it_does_not_have() -> None:
    with refused("plan.unknown-measure", at="/measure"):
        an_adopted_plan().require_open_for_items("C1", on=date(2022, 1, 1))


def test_a_plan_takes_no_items_before_it_begins() -> None:
    with refused("effective.before-plan", at="/effective_on"):
        an_adopted_plan().require_open_for_items("A1", on=date(2020, 12, 31))


# ── what is offered ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plan", "paths"),
    [
        (a_plan(), ["adopt", "revise", "weights", "scoring-policy"]),
        (an_adopted_plan(), ["revise", "weights", "scoring-policy", *(f"phases/P{n}/enter" for n in (0, 1, 2))]),
        (_in_force(), ["revise", "weights", "scoring-policy", "start-final-evaluation", "phases/P2/enter"]),
        (a_plan_in_final_evaluation(), ["revise", "weights", "scoring-policy", "close"]),
        (a_closed_plan(), ["amend"]),
    ],
)
def test_each_state_offers_what_begins_in_it(plan: Plan, paths: list[str]) -> None:
    assert [path for _, path, _ in plan.steps(None)] == paths
