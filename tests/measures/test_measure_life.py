"""Whatever is asked of a measure, by whomever, while its items come and go: it goes only where the table goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import UNITS, unit_id
from common.contracts import Event
from common.contracts.measures import (
    MeasureAcceptanceReturned,
    MeasureAccepted,
    MeasureLaunched,
    MeasureLeadAssigned,
    MeasureResumed,
    MeasureSubmittedForAcceptance,
    MeasureSuspended,
    MeasureTagged,
    Quality,
)
from common.decision import Change, Refused, Unit
from measures.measure import rules
from measures.measure.domain import Measure
from measures.measure.lead import Lead
from measures.measure.rules import MeasureState, Who
from measures.measure.surroundings import Acceptance, Tags
from measures.measure.suspension import Suspension
from putting_down import ALL_ENDED, GIVEN_UP, NOTHING_YET, UNDER_WAY, a_measure_of, a_planned_measure

OFFICE, LEADS, JUDGES = "office", "lead", "judges"
RUNNING = {"launched", "in-progress"}

STEPS: dict[str, tuple[set[str], str]] = {
    "launch": ({"planned"}, OFFICE),
    "lead": ({"planned", "launched", "in-progress", "suspended"}, OFFICE),
    "tags": ({"planned", "launched", "in-progress", "suspended", "submitted-for-acceptance", "accepted"}, OFFICE),
    "suspend": ({"launched", "in-progress"}, OFFICE),
    "resume": ({"suspended"}, OFFICE),
    "submit": ({"in-progress"}, LEADS),
    "accept": ({"submitted-for-acceptance"}, JUDGES),
    "return": ({"submitted-for-acceptance"}, JUDGES),
}
"""A step of a measure: from which states, by whom."""

LEADS_TO = {
    "launch": "launched", "suspend": "suspended", "resume": "launched", "submit": "submitted-for-acceptance",
    "accept": "accepted", "return": "launched",
}  # fmt: skip
"""Where a step goes; what is launched is in progress while one of its items shows that work has begun."""

SAID_AGAIN = {
    "launch": RUNNING, "resume": RUNNING, "suspend": {"suspended"}, "submit": {"submitted-for-acceptance"},
    "accept": {"accepted"},
}  # fmt: skip
"""Where a step changes nothing."""

JUDGES_ARE = {"CQ", "SOC", "SOC-1", "ORG", "ORG-1", "FIN"}
"""YB has an item of the measure; of the others one leads, and it and what is below it do not judge."""
WORKS = [NOTHING_YET, UNDER_WAY, ALL_ENDED, GIVEN_UP]


def _take(measure: Measure, step: str, by: Unit, on: date) -> Change[Measure]:
    """The decision behind a step, with lawful words that differ from those before."""
    match step:
        case "lead":
            lead = ("ORG", "SOC")[measure.version % 2]
            return measure.assign_lead(lead=unit_id(lead), co_units=(), by=by, on=on)
        case "tags":
            qualities = () if measure.tags.qualities else (Quality.MASS,)
            return measure.tag(Tags(qualities=qualities), by=by, on=on)
        case "suspend":
            return measure.suspend(reason="等待方案", by=by, on=on)
        case "accept":
            return measure.accept(score=Decimal(90), reviewers=(UNITS["FIN"],), by=by, on=on)
        case "return":
            return measure.return_to_lead(reason="材料不全", by=by, on=on)
    taken: Change[Measure] = getattr(measure, step)(by=by, on=on)
    return taken


def fold_measure(events: Sequence[Event], put_down: Measure) -> Measure:
    """The measure that these events tell of, beginning with what its plan put down."""
    measure = put_down
    for version, event in enumerate(events, 1):
        measure = replace(_after(measure, event), version=version)
    return measure


def _after(measure: Measure, event: Event) -> Measure:
    state: dict[str, Any] = {}
    match event:
        case MeasureLaunched():
            state = {"state": "launched", "since": event.launched_on}
        case MeasureSuspended():
            state = {"state": "suspended", "since": event.suspended_on, "suspended_for": event.reason}
            state |= {"suspensions": (*measure.suspensions, Suspension(event.suspended_on, None))}
        case MeasureResumed():
            state = {"state": "launched", "since": event.resumed_on, "suspended_for": None}
            over = Suspension(measure.suspensions[-1].since, event.resumed_on)
            state |= {"suspensions": (*measure.suspensions[:-1], over)}
        case MeasureSubmittedForAcceptance():
            state = {"state": "submitted-for-acceptance", "since": event.submitted_on}
        case MeasureAcceptanceReturned():
            state = {"state": "launched", "since": event.returned_on, "returned_on": event.returned_on}
        case MeasureAccepted():
            judged = Acceptance(event.score, event.reviewers)
            state = {"state": "accepted", "since": event.accepted_on, "acceptance": judged}
        case MeasureLeadAssigned():
            lead = Lead(event.lead_unit, event.co_units, event.assigned_on)
            return replace(measure, leads=(*measure.leads, lead))
        case MeasureTagged():
            tags = Tags(event.qualities, event.tendencies, event.services, event.focus)
            return replace(measure, tags=tags, tagged_on=event.tagged_on)
    return replace(measure, **(state | {"state": MeasureState(state["state"])}))


class MeasureLife(RuleBasedStateMachine):
    """One measure, asked for steps by all kinds of units; beside it stands what the table knows of it."""

    @initialize()
    def put_down(self) -> None:
        self.on = date(2025, 1, 1)
        self.measure, self.told = a_planned_measure(), list[Event]()
        self.state, self.lead, self.work = "planned", "", NOTHING_YET

    @rule(work=st.sampled_from(WORKS))
    def its_items_come_and_go(self, work: Any) -> None:
        self.work = work
        self.measure = a_measure_of(self.measure, work=work)

    @rule(step=st.sampled_from(sorted(STEPS)), by=st.sampled_from(sorted(UNITS)), days=st.integers(0, 3))
    def take_a_step(self, step: str, by: str, days: int) -> None:
        self.on += timedelta(days=days)
        try:
            change = _take(self.measure, step, UNITS[by], self.on)
        except Refused:
            assert step not in self._expected(by) | self._repeats()
            return
        assert step in (self._expected(by) if change.events else self._repeats())
        if change.events:
            self.state = LEADS_TO.get(step, self.state)
            self.lead = ("ORG", "SOC")[self.measure.version % 2] if step == "lead" else self.lead
        self.measure = change.state
        self.told += change.events

    @rule(by=st.sampled_from(["ORG", "SOC", "CQ"]), data=st.data())
    def take_one_of_the_steps_that_are_offered(self, by: str, data: st.DataObject) -> None:
        """Chance alone seldom finds the way to the end."""
        if offered := sorted(self._expected(by)):
            self.take_a_step(data.draw(st.sampled_from(offered)), by, 1)

    def _stands(self) -> str:
        return "in-progress" if self.state == "launched" and self.work in (UNDER_WAY, ALL_ENDED) else self.state

    def _expected(self, by: str) -> set[str]:
        may = {OFFICE: set(UNITS), LEADS: {self.lead}, JUDGES: JUDGES_ARE - {self.lead, f"{self.lead}-1"}}
        open_items = self.work in (NOTHING_YET, UNDER_WAY)
        return {
            step
            for step, (states, who) in STEPS.items()
            if self._stands() in states and by in may[who] and not (step in {"submit", "accept"} and open_items)
        } - self._says_nothing_new()

    def _says_nothing_new(self) -> set[str]:
        same = self.lead and ("ORG", "SOC")[self.measure.version % 2] == self.lead
        return {"lead"} if same and self._stands() in STEPS["lead"][0] else set()

    def _repeats(self) -> set[str]:
        return self._says_nothing_new() | {step for step, states in SAID_AGAIN.items() if self._stands() in states}

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert self.measure.state == self._stands()

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_measure(self.told, a_planned_measure(work=self.work)) == self.measure

    @invariant()
    def it_offers_each_unit_exactly_what_it_may_do(self) -> None:
        for code, unit in UNITS.items():
            offered = {path for _, path, refused in self.measure.steps(unit) if refused is None}
            assert offered - {"lead"} == self._expected(code) - {"lead"}
            assert ("lead" in offered) == (self._stands() in STEPS["lead"][0])


TestMeasureLife = MeasureLife.TestCase
TestMeasureLife.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("step", "broken"),
    [
        ("submit", ("measure.submit", frozenset({MeasureState.LAUNCHED, MeasureState.IN_PROGRESS}), Who.LEAD)),
        ("accept", ("measure.accept", frozenset({MeasureState.SUBMITTED_FOR_ACCEPTANCE}), Who.OFFICE)),
        ("suspend", ("measure.suspend", frozenset({MeasureState.LAUNCHED}), Who.OFFICE)),
        ("return", ("measure.return", frozenset({MeasureState.ACCEPTED}), Who.JUDGE)),
    ],
)
def test_a_measure_that_breaks_the_table_is_caught(monkeypatch: pytest.MonkeyPatch, step: str, broken: Any) -> None:
    monkeypatch.setitem(rules.STEPS, step, broken)
    _assert_caught()


def test_a_measure_that_forgets_its_open_items_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Measure, "why_not", _without_items(Measure.why_not))
    _assert_caught()


def test_a_measure_that_forgets_who_judges_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unit, "belongs_to", lambda unit, *units: unit.id in units)
    _assert_caught()


def _without_items(why_not: Any) -> Any:
    return lambda measure, *about: why_not(a_measure_of(measure, work=replace(measure.work, unfinished=0)), *about)


def _assert_caught() -> None:
    once = settings(
        max_examples=400, stateful_step_count=40, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(MeasureLife, settings=once)
