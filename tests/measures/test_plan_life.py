"""Whatever is asked of a plan in whatever order, it goes only where the table goes, and its events tell all of it."""

from datetime import date
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import plan_words
from common.contracts import Event
from common.contracts.measures import PhaseEntered
from common.decision import Change, Refused
from folds import fold_plan
from measures.plan.domain import Plan, define_plan

PHASES = ("P0", "P1", "P2")
DAYS = {"P0": date(2021, 6, 1), "P1": date(2022, 6, 1), "P2": date(2023, 6, 1)}
DRAFT, ADOPTED, IN_FORCE = "draft", "adopted", "in-force"

TABLE: dict[tuple[str, str | None], set[str]] = {
    (DRAFT, None): {"adopt"},
    (ADOPTED, None): {"enter P0", "enter P1", "enter P2"},
    (IN_FORCE, "P0"): {"enter P1", "enter P2"},
    (IN_FORCE, "P1"): {"enter P2"},
    (IN_FORCE, "P2"): set(),
}
"""Where a plan may stand, with the phase that it has entered, and which steps change it there."""

REPEATS: dict[tuple[str, str | None], set[str]] = {
    (DRAFT, None): set(),
    (ADOPTED, None): {"adopt"},
    (IN_FORCE, "P0"): {"adopt", "enter P0"},
    (IN_FORCE, "P1"): {"adopt", "enter P1"},
    (IN_FORCE, "P2"): {"adopt", "enter P2"},
}
"""Which steps say only what holds already."""


def _take(plan: Plan, step: str) -> Change[Plan]:
    if step == "adopt":
        return plan.adopt(issuer="机关", document_number="1", on=date(2021, 2, 1))
    code = step.removeprefix("enter ")
    return plan.enter_phase(code, on=DAYS[code])


class PlanLife(RuleBasedStateMachine):
    """One plan, asked for steps in any order."""

    @initialize()
    def put_down(self) -> None:
        change = define_plan(**plan_words())
        self.plan, self.told = change.state, list[Event](change.events)
        self.stands: tuple[str, str | None] = (DRAFT, None)

    @rule(step=st.sampled_from(["adopt", *(f"enter {code}" for code in PHASES)]))
    def step(self, step: str) -> None:
        try:
            change = _take(self.plan, step)
        except Refused:
            assert step not in TABLE[self.stands] | REPEATS[self.stands]
            return
        assert step in (TABLE[self.stands] if change.events else REPEATS[self.stands])
        if change.events:
            self.stands = (ADOPTED, None) if step == "adopt" else (IN_FORCE, step.removeprefix("enter "))
        self.plan = change.state
        self.told += change.events

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert (self.plan.state, self.plan.phase) == self.stands

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_plan(self.told) == self.plan

    @invariant()
    def it_offers_what_would_change_it(self) -> None:
        offered = {path.replace("phases/", "enter ").removesuffix("/enter") for _, path, _ in self.plan.steps(None)}
        assert offered == TABLE[self.stands]


TestPlanLife = PlanLife.TestCase
TestPlanLife.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("enter_phase", lambda plan, code, *, on: plan._told(on, _phase(plan, code, on), plan)),
        ("steps", lambda plan, by: iter([("plan.adopt", "adopt", None)])),
        ("adopt", lambda plan, *, issuer, document_number, on: Change(plan, (), on)),
    ],
)
def test_a_plan_that_breaks_the_table_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setattr(Plan, name, broken)
    once = settings(max_examples=100, phases=[Phase.generate], deadline=None, database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(PlanLife, settings=once)


def _phase(plan: Plan, code: str, on: date) -> Event:
    return PhaseEntered(plan=plan.id, phase=code, mode=plan.phases[0].mode, entered_on=on)
