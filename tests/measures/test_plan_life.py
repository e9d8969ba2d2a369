"""Whatever is asked of a plan in whatever order, it goes only where the table goes, and its events tell all of it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import SETTLED, plan_words
from common.contracts import Event
from common.contracts.measures import Measure, Method, PhaseEntered, PlanDiff, Siblings, Thresholds, Weight
from common.decision import Change, Refused
from measures.plan.checklist import Checklist, OpenKind, StillOpen
from measures.plan.domain import Plan, define_plan
from plan_folds import fold_plan

PHASES = ("P0", "P1", "P2")
DAYS = {"P0": date(2021, 6, 1), "P1": date(2022, 6, 1), "P2": date(2023, 6, 1)}
DRAFT, ADOPTED, IN_FORCE, FINAL, CLOSED = "draft", "adopted", "in-force", "final-evaluation", "closed"
Stand = tuple[str, str | None]

TABLE: dict[Stand, dict[str, Stand]] = {
    (DRAFT, None): {"adopt": (ADOPTED, None)},
    (ADOPTED, None): {"enter P0": (IN_FORCE, "P0"), "enter P1": (IN_FORCE, "P1"), "enter P2": (IN_FORCE, "P2")},
    (IN_FORCE, "P0"): {"enter P1": (IN_FORCE, "P1"), "enter P2": (IN_FORCE, "P2"), "evaluate": (FINAL, "P0")},
    (IN_FORCE, "P1"): {"enter P2": (IN_FORCE, "P2"), "evaluate": (FINAL, "P1")},
    (IN_FORCE, "P2"): {"evaluate": (FINAL, "P2")},
    (FINAL, "P0"): {"close": (CLOSED, "P0")},
    (FINAL, "P1"): {"close": (CLOSED, "P1")},
    (FINAL, "P2"): {"close": (CLOSED, "P2")},
    (CLOSED, "P0"): {},
    (CLOSED, "P1"): {},
    (CLOSED, "P2"): {},
}
"""Where a plan may stand, with the phase that it has entered, and where which step leads from there."""

STAYING: dict[str, set[str]] = {
    DRAFT: {"revise", "weigh", "score"},
    ADOPTED: {"revise", "weigh", "score"},
    IN_FORCE: {"revise", "weigh", "score"},
    FINAL: {"revise", "weigh", "score"},
    CLOSED: {"amend"},
}
"""Which steps a plan takes in each state without leaving it."""

REPEATS: dict[Stand, set[str]] = {
    (DRAFT, None): set(),
    (ADOPTED, None): {"adopt"},
    (IN_FORCE, "P0"): {"adopt", "enter P0"},
    (IN_FORCE, "P1"): {"adopt", "enter P1"},
    (IN_FORCE, "P2"): {"adopt", "enter P2"},
    (FINAL, "P0"): {"adopt", "enter P0", "evaluate"},
    (FINAL, "P1"): {"adopt", "enter P1", "evaluate"},
    (FINAL, "P2"): {"adopt", "enter P2", "evaluate"},
    (CLOSED, "P0"): {"adopt", "enter P0", "close"},
    (CLOSED, "P1"): {"adopt", "enter P1", "close"},
    (CLOSED, "P2"): {"adopt", "enter P2", "close"},
}
"""Which steps say only what holds already."""

OFFERED: dict[str, set[str]] = {
    DRAFT: {"adopt", "revise", "weights", "scoring-policy"},
    ADOPTED: {"revise", "weights", "scoring-policy"},
    IN_FORCE: {"revise", "weights", "scoring-policy", "start-final-evaluation"},
    FINAL: {"revise", "weights", "scoring-policy", "close"},
    CLOSED: {"amend"},
}
"""What each state offers beside the phases that are still to come."""

OPEN = Checklist((StillOpen(OpenKind.ITEM, UUID(int=1), "A1-01", "draft"),), (), None)
LATE = date(2024, 1, 1)


def _take(plan: Plan, step: str, number: int) -> Change[Plan]:
    if step.startswith("enter"):
        code = step.removeprefix("enter ")
        return plan.enter_phase(code, on=DAYS[code])
    added = Measure(code=f"A{number + 3}", aspect="A", name_zh="举措", name_en="Measure")
    below_a = [measure.code for measure in plan.measures if measure.aspect == "A"]
    weights = tuple(Weight(code=code, weight=Decimal(place + number)) for place, code in enumerate(below_a, 1))
    thresholds = Thresholds(yellow_overdue_days=number)
    on = max(plan.since, LATE)
    match step:
        case "adopt":
            change = plan.adopt(issuer="机关", document_number="1", on=date(2021, 2, 1))
        case "revise":
            change = plan.revise(PlanDiff(measures=(added,)), reason="r", authority="a", on=plan.since)
        case "weigh":
            change = plan.set_weights(Siblings.MEASURES, "A", weights, items=(), on=LATE)
        case "score":
            change = plan.adopt_policy(method=Method(), thresholds=thresholds, evidence_from=None, on=LATE)
        case "evaluate":
            change = plan.start_final_evaluation(on=on)
        case "close" | "close too early":
            checklist = SETTLED if step == "close" else OPEN
            change = plan.close(checklist, successor=None, on=on)
        case _:
            change = plan.amend(what=f"w{number}", authority="a", on=on)
    return change


STEPS = ("adopt", "revise", "weigh", "score", "evaluate", "close", "amend", *(f"enter {code}" for code in PHASES))


class PlanLife(RuleBasedStateMachine):
    """One plan, asked for steps in any order."""

    @initialize()
    def put_down(self) -> None:
        change = define_plan(**plan_words())
        self.plan, self.told = change.state, list[Event](change.events)
        self.stands: Stand = (DRAFT, None)

    @rule(step=st.sampled_from(STEPS))
    def step(self, step: str) -> None:
        lawful = TABLE[self.stands].keys() | STAYING[self.stands[0]]
        try:
            change = _take(self.plan, step, len(self.told))
        except Refused:
            assert step not in lawful | REPEATS[self.stands]
            return
        assert step in (lawful if change.events else REPEATS[self.stands])
        if change.events:
            self.stands = TABLE[self.stands].get(step, self.stands)
        self.plan = change.state
        self.told += change.events

    @rule()
    def close_with_something_open(self) -> None:
        if self.stands[0] != CLOSED:
            with pytest.raises(Refused):
                _take(self.plan, "close too early", 1)

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert (self.plan.state, self.plan.phase) == self.stands

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_plan(self.told) == self.plan

    @invariant()
    def it_offers_what_would_change_it(self) -> None:
        offered = {path for _, path, _ in self.plan.steps(None)}
        phases = {f"phases/{step.removeprefix('enter ')}/enter" for step in TABLE[self.stands] if "enter" in step}
        assert offered == OFFERED[self.stands[0]] | phases


TestPlanLife = PlanLife.TestCase
TestPlanLife.settings = settings(max_examples=80, stateful_step_count=16, deadline=None)


def _unrevised(plan: Plan, *_: Any, on: date, **__: Any) -> Change[Plan]:
    return Change(plan, (), on)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("enter_phase", lambda plan, code, *, on: plan._told(_phase(plan, code, on), on=on)),
        ("steps", lambda plan, by: iter([("plan.adopt", "adopt", None)])),
        ("adopt", lambda plan, *, issuer, document_number, on: Change(plan, (), on)),
        ("revise", _unrevised),
        ("set_weights", _unrevised),
        ("_require", lambda plan, step: None),
    ],
)
def test_a_plan_that_breaks_the_table_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setattr(Plan, name, broken)
    once = settings(max_examples=100, phases=[Phase.generate], deadline=None, database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(PlanLife, settings=once)


def _phase(plan: Plan, code: str, on: date) -> Event:
    return PhaseEntered(plan=plan.id, phase=code, mode=plan.phases[0].mode, entered_on=on)
