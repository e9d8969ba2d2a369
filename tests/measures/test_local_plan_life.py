"""Whatever is asked of a local plan in whatever order, it goes only where the table goes; its events tell all of it."""

from datetime import date
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import JUDGE, OWNER
from common.contracts import Event
from common.contracts.measures import LocalPlanSubmitted
from common.decision import Change, Refused, Unit
from local_plans import local_plan_draft, local_plan_words
from measures.local_plan.domain import LocalPlan, draft_local_plan
from plan_folds import fold_local_plan

DRAFT, SUBMITTED, RETURNED = "draft", "submitted", "returned"
FILED, IN_FORCE, CLOSED = "filed", "in-force", "closed"

TABLE: dict[str, dict[str, str]] = {
    DRAFT: {"redraft": DRAFT, "submit": SUBMITTED, "close": CLOSED},
    SUBMITTED: {"return": RETURNED, "file": FILED, "close": CLOSED},
    RETURNED: {"redraft": RETURNED, "submit": SUBMITTED, "close": CLOSED},
    FILED: {"enter-into-force": IN_FORCE, "close": CLOSED},
    IN_FORCE: {"close": CLOSED},
    CLOSED: {},
}
"""Which steps begin in each state, and where they lead."""

OWNERS = {"redraft", "submit", "enter-into-force"}
"""The steps of the unit whose plan it is; all others are the office's."""

STEPS = ("redraft", "submit", "return", "file", "enter-into-force", "close")


def _take(plan: LocalPlan, step: str, number: int, by: Unit) -> Change[LocalPlan]:
    on = plan.since
    within: dict[str, date] = {"plan_starts_on": date(2021, 1, 1), "plan_ends_on": date(2025, 12, 31)}
    match step:
        case "redraft":
            change = plan.redraft(local_plan_draft(title_en=f"Words {number}"), **within, by=by, on=on)
        case "submit":
            change = plan.submit(by=by, on=on)
        case "return":
            change = plan.return_to_unit(reason=f"r{number}", by=by, on=on)
        case "file":
            change = plan.file(filing_number=f"f{number}", by=by, on=on)
        case "enter-into-force":
            change = plan.enter_into_force(by=by, on=on)
        case _:
            change = plan.close(reason=f"r{number}", still_open=(), settled_on=None, by=by, on=on)
    return change


class LocalPlanLife(RuleBasedStateMachine):
    """One local plan, asked for steps in any order by its unit and by another."""

    @initialize()
    def draft(self) -> None:
        change = draft_local_plan(local_plan_draft(), **local_plan_words())
        self.plan, self.told = change.state, list[Event](change.events)
        self.stands = DRAFT

    @rule(step=st.sampled_from(STEPS), by=st.sampled_from([OWNER, JUDGE]))
    def step(self, step: str, by: Unit) -> None:
        lawful = step in TABLE[self.stands] and (step not in OWNERS or by is OWNER)
        try:
            change = _take(self.plan, step, len(self.told), by)
        except Refused:
            assert not lawful
            return
        assert lawful or not change.events
        if change.events:
            self.stands = TABLE[self.stands][step]
        self.plan = change.state
        self.told += change.events

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert self.plan.state == self.stands

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_local_plan(self.told) == self.plan

    @invariant()
    def it_offers_to_each_what_would_not_be_refused(self) -> None:
        for by in (OWNER, JUDGE):
            offered = {path for _, path, against in self.plan.steps(by) if against is None}
            assert offered == TABLE[self.stands].keys() - (set() if by is OWNER else OWNERS)


TestLocalPlanLife = LocalPlanLife.TestCase
TestLocalPlanLife.settings = settings(max_examples=60, stateful_step_count=14, deadline=None)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("why_not", lambda plan, step, by: None),
        (
            "submit",
            lambda plan, *, by, on: Change(plan, (LocalPlanSubmitted(local_plan=plan.id, submitted_on=on),), on),
        ),
        ("steps", lambda plan, by: iter([("local-plan.close", "close", None)])),
    ],
)
def test_a_local_plan_that_breaks_the_table_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setattr(LocalPlan, name, broken)
    once = settings(max_examples=100, phases=[Phase.generate], deadline=None, database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LocalPlanLife, settings=once)
