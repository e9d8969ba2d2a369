"""Whatever is asked of evidence, by whomever, in whatever order: it goes only where the table goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import UNITS
from common.contracts import Event
from common.contracts.measures import (
    EvidenceInvalidated,
    EvidenceLink,
    EvidenceLinked,
    EvidenceRegistered,
    EvidenceRejected,
    EvidenceSuperseded,
    EvidenceUnlinked,
    EvidenceVerified,
    Proven,
)
from common.decision import Change, Refused, Unit
from measures.evidence import rules
from measures.evidence.domain import Evidence, register
from measures.evidence.rules import EvidenceState, Who
from papers import evidence_words, some_evidence, verified_evidence

LINKS = [EvidenceLink(kind=Proven.MILESTONE, id=UUID(int=7), number=number) for number in (1, 2)]
REGISTRANTS, JUDGES = {"ORG"}, {"CQ", "SOC", "SOC-1", "YB"}

STEPS = {
    "link": ({"registered"}, None, REGISTRANTS),
    "unlink": ({"registered"}, None, REGISTRANTS),
    "verify": ({"registered"}, "verified", JUDGES),
    "reject": ({"registered"}, "rejected", JUDGES),
    "invalidate": ({"verified"}, "invalidated", JUDGES),
    "supersede": ({"registered", "verified"}, "superseded", REGISTRANTS),
}
"""A step: from where, to where (None: it stays), by whom. ORG registered it, and FIN took part in what it proves."""
SUCCESSOR = verified_evidence(links=tuple(LINKS), issued_on=None, on=date(2022, 6, 1))


def fold(events: Sequence[Event], before: Evidence) -> Evidence:
    """The evidence that these events tell of; where its bytes are and whose work it proves are not told by them."""
    first, *rest = events
    assert isinstance(first, EvidenceRegistered)
    known = first.model_dump(exclude={"evidence", "not_a_state_secret", "links", "registered_on"})
    evidence = Evidence(
        id=first.evidence, version=1, file=before.file, links=first.links, state=EvidenceState.REGISTERED,
        since=first.registered_on, partakers=before.partakers, **known,
    )  # fmt: skip
    for version, event in enumerate(rest, start=2):
        evidence = replace(_after(evidence, event), version=version)
    return evidence


def _after(evidence: Evidence, event: Event) -> Evidence:
    match event:
        case EvidenceLinked():
            return replace(evidence, links=(*evidence.links, event.link), since=event.linked_on)
        case EvidenceUnlinked():
            links = tuple(one for one in evidence.links if one != event.link)
            return replace(evidence, links=links, since=event.unlinked_on)
        case EvidenceVerified():
            return replace(evidence, state=EvidenceState.VERIFIED, since=event.verified_on)
        case EvidenceRejected():
            rejected = replace(evidence, state=EvidenceState.REJECTED, since=event.rejected_on)
            return replace(rejected, reason=event.reason)
        case EvidenceInvalidated():
            invalid = replace(evidence, state=EvidenceState.INVALIDATED, since=event.invalidated_on)
            return replace(invalid, reason=event.reason, authority=event.authority)
        case EvidenceSuperseded():
            superseded = replace(evidence, state=EvidenceState.SUPERSEDED, since=event.superseded_on)
            return replace(superseded, successor=event.successor)
    raise AssertionError(f"no evidence is told of by {event!r}")


def _take(evidence: Evidence, step: str, link: EvidenceLink, by: Unit, on: date) -> Change[Evidence]:
    match step:
        case "link":
            return evidence.link(link, by=by, on=on)
        case "unlink":
            return evidence.unlink(link, reason="有误", by=by, on=on)
        case "verify":
            return evidence.verify(by=by, on=on)
        case "reject":
            return evidence.reject(reason="不实", by=by, on=on)
        case "invalidate":
            return evidence.invalidate(reason="已撤销", authority="纪要 4", by=by, on=on)
        case "supersede":
            return evidence.supersede(SUCCESSOR, by=by, on=on)
    raise AssertionError(step)


class EvidenceLife(RuleBasedStateMachine):
    """One document, asked for steps by all kinds of units; beside it stands what the table knows of it."""

    @initialize(linked=st.booleans())
    def put_on_record(self, *, linked: bool) -> None:
        self.on = SUCCESSOR.since
        change = register(**evidence_words(links=tuple(LINKS[:1] if linked else ())))
        self.evidence, self.told = change.state, list[Event](change.events)
        self.state, self.links = "registered", {1} if linked else set[int]()

    @rule(
        step=st.sampled_from(sorted(STEPS)),
        number=st.integers(1, 2),
        by=st.sampled_from(sorted(UNITS)),
        days=st.integers(0, 3),
    )
    def take_a_step(self, step: str, number: int, by: str, days: int) -> None:
        self.on += timedelta(days=days)
        try:
            change = _take(self.evidence, step, LINKS[number - 1], UNITS[by], self.on)
        except Refused:
            assert step not in self._expected(by)
            assert not self._repeats(step, number)
            return
        assert self._repeats(step, number) if not change.events else step in self._expected(by)
        self.evidence = change.state
        self.told += change.events
        if change.events:
            self.state = STEPS[step][1] or self.state
            self.links = self.links ^ {number} if step in {"link", "unlink"} else self.links

    @rule(by=st.sampled_from(["ORG", "SOC"]), number=st.integers(1, 2), data=st.data())
    def take_one_of_the_steps_that_are_offered(self, by: str, number: int, data: st.DataObject) -> None:
        """Chance alone seldom finds the way to the end."""
        if offered := sorted(self._expected(by)):
            self.take_a_step(data.draw(st.sampled_from(offered)), number, by, 1)

    def _expected(self, by: str) -> set[str]:
        return {
            step
            for step, (states, _, who) in STEPS.items()
            if self.state in states and by in who and (step != "verify" or self.links)
        }

    def _repeats(self, step: str, number: int) -> bool:
        """Whether that was said before."""
        if step in {"link", "unlink"}:
            return (number in self.links) == (step == "link")
        return self.state == STEPS[step][1]

    @invariant()
    def it_stands_where_the_table_says(self) -> None:
        assert self.evidence.state == self.state
        assert {link.number for link in self.evidence.links} == self.links

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        assert fold(self.told, self.evidence) == self.evidence

    @invariant()
    def it_offers_each_unit_exactly_what_it_may_do(self) -> None:
        for code, unit in UNITS.items():
            assert {path for _, path, refused in self.evidence.steps(unit) if refused is None} == self._expected(code)


TestEvidenceLife = EvidenceLife.TestCase
TestEvidenceLife.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("verify", (frozenset({EvidenceState.REGISTERED, EvidenceState.REJECTED}), Who.JUDGE)),
        ("link", (frozenset({EvidenceState.REGISTERED, EvidenceState.VERIFIED}), Who.REGISTRANT)),
        ("invalidate", (frozenset({EvidenceState.VERIFIED}), Who.REGISTRANT)),
    ],
)
def test_evidence_that_breaks_the_table_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setitem(rules.STEPS, name, broken)
    _assert_caught()


def test_evidence_that_forgets_who_may_judge_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unit, "belongs_to", lambda unit, *units: unit.id in units)
    _assert_caught()


def test_a_successor_of_the_table_is_fit() -> None:
    assert some_evidence(links=tuple(LINKS)).supersede(SUCCESSOR, by=UNITS["ORG"], on=date(2022, 6, 20)).events


def _assert_caught() -> None:
    once = settings(
        max_examples=400, stateful_step_count=30, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(EvidenceLife, settings=once)
