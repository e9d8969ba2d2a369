"""Whatever is asked of a risk, by whomever, in whatever order: it goes only where the table goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import OWNER, UNITS
from common.contracts import Event
from common.contracts.measures import (
    RiskClosed,
    RiskMaterialised,
    RiskMitigationStarted,
    RiskRaised,
    RiskReassessed,
    SubjectKind,
)
from common.decision import Change, Refused, Unit
from measures.risk import domain as risk_rules
from measures.risk.domain import Risk, RiskState, raise_risk
from measures.subject.partakers import Partakers

TABLE: dict[str, dict[str, str]] = {
    "open": {"reassess": "open", "mitigate": "mitigating", "materialise": "materialised"},
    "mitigating": {"reassess": "mitigating", "close": "closed", "materialise": "materialised"},
    "closed": {},
    "materialised": {},
}
"""Where a risk may stand, which steps its owner may take there, and where they lead."""

REPEATS = {"mitigating": {"mitigate"}, "closed": {"close"}, "materialised": {"materialise"}}
"""Which steps say only what holds already."""


def _treat(risk: Risk, step: str, by: Unit, on: date) -> Change[Risk]:
    match step:
        case "reassess":
            return risk.reassess(likelihood=risk.likelihood % 5 + 1, impact=2, reason="复评", by=by, on=on)
        case "mitigate":
            return risk.mitigate(response="应对", by=by, on=on)
        case "close":
            return risk.close(outcome="结果", by=by, on=on)
        case "materialise":
            return risk.materialise(outcome="结果", by=by, on=on)
    raise AssertionError(step)


def fold_risk(events: Sequence[Event]) -> Risk:
    """The risk that these events tell of."""
    first, *rest = events
    assert isinstance(first, RiskRaised)
    words = first.model_dump(exclude={"risk", "raised_on"})
    risk = Risk(id=first.risk, version=1, state=RiskState.OPEN, since=first.raised_on, **words)
    for version, event in enumerate(rest, start=2):
        risk = replace(_risk_after(risk, event), version=version)
    return risk


def _risk_after(risk: Risk, event: Event) -> Risk:
    match event:
        case RiskReassessed():
            return replace(risk, likelihood=event.likelihood, impact=event.impact, since=event.reassessed_on)
        case RiskMitigationStarted():
            return replace(risk, state=RiskState.MITIGATING, response=event.response, since=event.started_on)
        case RiskClosed():
            return replace(risk, state=RiskState.CLOSED, outcome=event.outcome, since=event.closed_on)
        case RiskMaterialised():
            return replace(risk, state=RiskState.MATERIALISED, outcome=event.outcome, since=event.materialised_on)
    raise AssertionError(f"no risk is told of by {event!r}")


class RiskLife(RuleBasedStateMachine):
    """One risk of ORG's, asked for steps by all kinds of units; beside it stands what the table knows of it."""

    @initialize()
    def is_raised(self) -> None:
        self.on, self.stands = date(2022, 3, 1), "open"
        change = raise_risk(
            id=uuid4(), plan="PLAN-1", subject_kind=SubjectKind.ITEM, subject="A1-01", partakers=Partakers(),
            code="R-1", title_zh="风险", title_en="Risk", owner=OWNER.id, likelihood=1, impact=5, on=self.on,
        )  # fmt: skip
        self.risk, self.told = change.state, list[Event](change.events)

    @rule(step=st.sampled_from(sorted(risk_rules.STEPS)), by=st.sampled_from(sorted(UNITS)), days=st.integers(0, 3))
    def take_a_step(self, step: str, by: str, days: int) -> None:
        self.on += timedelta(days=days)
        lawful = step in TABLE[self.stands] and by == "ORG"
        repeated = step in REPEATS.get(self.stands, set())
        try:
            change = _treat(self.risk, step, UNITS[by], self.on)
        except Refused:
            assert not lawful
            return
        assert lawful if change.events else repeated
        self.stands = TABLE[self.stands][step] if change.events else self.stands
        self.risk = change.state
        self.told += change.events

    @rule(step=st.sampled_from(sorted(risk_rules.STEPS)))
    def its_owner_takes_a_step(self, step: str) -> None:
        """Chance alone seldom finds the owner."""
        self.take_a_step(step, "ORG", 1)

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert self.risk.state == self.stands

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_risk(self.told) == self.risk

    @invariant()
    def it_offers_each_unit_exactly_what_it_may_do(self) -> None:
        for code, unit in UNITS.items():
            offered = {path for _, path, refused in self.risk.steps(unit) if refused is None}
            assert offered == (TABLE[self.stands].keys() if code == "ORG" else set())


TestRiskLife = RiskLife.TestCase
TestRiskLife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize(
    ("step", "broken"),
    [("close", (RiskState.OPEN, RiskState.MITIGATING)), ("materialise", (RiskState.MITIGATING,))],
)
def test_a_risk_that_breaks_the_table_is_caught(
    monkeypatch: pytest.MonkeyPatch, step: str, broken: tuple[RiskState, ...]
) -> None:
    monkeypatch.setitem(risk_rules.STEPS, step, broken)
    _assert_caught()


def test_a_risk_that_anyone_above_may_treat_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Risk, "_why_not", lambda risk, action, by: None)
    _assert_caught()


def _assert_caught() -> None:
    once = settings(
        max_examples=200, stateful_step_count=20, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(RiskLife, settings=once)
