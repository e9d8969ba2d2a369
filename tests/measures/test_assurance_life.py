"""Whatever is asked of an assurance, by whomever, whenever the clock comes: it goes only where the table goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import CO_UNIT, JUDGE, OWNER, UNITS
from common.contracts import Event
from common.contracts.measures import (
    AssuranceExpired,
    AssuranceGiven,
    AssuranceWithdrawn,
    Rating,
    SubjectKind,
)
from common.decision import Change, Refused, Unit
from measures.assurance.domain import Assurance, AssuranceState, give_assurance
from measures.subject.partakers import Partakers

TABLE: dict[str, dict[str, str]] = {
    "valid": {"give": "valid", "withdraw": "withdrawn"},
    "withdrawn": {"give": "valid"},
    "expired": {"give": "valid"},
}
"""Where an assurance may stand, which steps a unit that takes no part may take there, and where they lead."""

INDEPENDENT = {"CQ", "SOC", "SOC-1", "YB"}
"""What is rated belongs to ORG, and FIN takes part in it."""


def fold_assurance(events: Sequence[Event], *, partakers: Partakers) -> Assurance:
    """The assurance that these events tell of; whose work is rated, they do not say."""
    first = events[0]
    assert isinstance(first, AssuranceGiven)
    assurance = _given(None, first, 1, partakers)
    for version, event in enumerate(events[1:], start=2):
        match event:
            case AssuranceGiven():
                assurance = _given(assurance, event, version, partakers)
            case AssuranceWithdrawn():
                ended = replace(assurance, state=AssuranceState.WITHDRAWN, since=event.withdrawn_on, version=version)
                assurance = replace(ended, withdrawn_because=event.reason)
            case AssuranceExpired():
                assurance = replace(assurance, state=AssuranceState.EXPIRED, since=event.expired_on, version=version)
    return assurance


def _given(before: Assurance | None, event: AssuranceGiven, version: int, partakers: Partakers) -> Assurance:
    held = before is not None and before.state is AssuranceState.VALID and event.given_on < before.expires_on
    assert event.replaces == (before.given_version if before and held else None)
    words = event.model_dump(exclude={"assurance", "given_on", "replaces"})
    return Assurance(
        id=event.assurance, version=version, given_version=version, state=AssuranceState.VALID, since=event.given_on,
        partakers=partakers, **words,
    )  # fmt: skip


class AssuranceLife(RuleBasedStateMachine):
    """One assurance of an item of ORG's, day by day; the clock comes now and then."""

    @initialize()
    def is_given(self) -> None:
        self.on, self.stands, self.times = date(2022, 3, 1), "valid", 0
        self.expires_on = self.on + timedelta(days=5)
        change = give_assurance(
            id=uuid4(), plan="PLAN-1", subject_kind=SubjectKind.ITEM, subject="A1-01",
            partakers=Partakers(units=(OWNER.id, CO_UNIT.id)),
            rating=Rating.GREEN, reason="理由", expires_on=self.expires_on, by=JUDGE, on=self.on,
        )  # fmt: skip
        self.assurance, self.told = change.state, list[Event](change.events)

    @rule(by=st.sampled_from(sorted(UNITS)), days=st.integers(0, 3), lasts=st.integers(1, 6))
    def give(self, by: str, days: int, lasts: int) -> None:
        self.on, self.times = self.on + timedelta(days=days), self.times + 1
        said: dict[str, Any] = {
            "rating": Rating.RED,
            "reason": f"理由{self.times}",
            "expires_on": self.on + timedelta(days=lasts),
        }
        self._try("give", by, lambda: self.assurance.give(**said, by=UNITS[by], on=self.on))

    @rule(by=st.sampled_from(sorted(UNITS)))
    def withdraw(self, by: str) -> None:
        if self.stands == "valid" and self.on >= self.assurance.expires_on:
            return  # the clock has not come yet
        self._try("withdraw", by, lambda: self.assurance.withdraw(reason="撤回", by=UNITS[by], on=self.on))

    @rule(days=st.integers(0, 6))
    def the_clock_comes(self, days: int) -> None:
        self.on += timedelta(days=days)
        due = self.stands == "valid" and self.on >= self.assurance.expires_on
        change = self.assurance.expire(on=self.on)
        assert bool(change.events) == due
        self.stands = "expired" if due else self.stands
        self.assurance = change.state
        self.told += change.events

    def _try(self, step: str, by: str, take: Any) -> None:
        lawful = step in TABLE[self.stands] and by in INDEPENDENT
        repeated = step == "withdraw" and self.stands == "withdrawn"
        try:
            change = take()
        except Refused:
            assert not lawful
            return
        assert lawful if change.events else repeated
        self.stands = TABLE[self.stands][step] if change.events else self.stands
        self.assurance = change.state
        self.told += change.events

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert self.assurance.state == self.stands

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold_assurance(self.told, partakers=self.assurance.partakers) == self.assurance

    @invariant()
    def it_offers_each_unit_exactly_what_it_may_do(self) -> None:
        for code, unit in UNITS.items():
            offered = {path for _, path, refused in self.assurance.steps(unit) if refused is None}
            assert offered == (TABLE[self.stands].keys() if code in INDEPENDENT else set())


TestAssuranceLife = AssuranceLife.TestCase
TestAssuranceLife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_an_assurance_that_forgets_who_takes_part_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unit, "belongs_to", lambda unit, *units: unit.id in units)
    _assert_caught()


def test_an_assurance_that_never_expires_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Assurance, "expire", lambda assurance, *, on: Change(assurance, (), on))
    _assert_caught()


def _assert_caught() -> None:
    once = settings(
        max_examples=200, stateful_step_count=20, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(AssuranceLife, settings=once)
