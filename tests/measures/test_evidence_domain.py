"""The rules of evidence: registered for what it proves, judged by somebody independent, and counted only then."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from builders import CO_UNIT, JUDGE, OWNER, UNITS
from common.contracts.measures import (
    Classification,
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
from measures.evidence.domain import register
from measures.evidence.rules import EvidenceState
from measures.measure.lead import Lead
from measures.subject.partakers import Partakers
from papers import evidence_words, some_evidence, verified_evidence
from refusals import refused

ON = date(2022, 6, 20)
ANOTHER = EvidenceLink(kind=Proven.ITEM, id=uuid4())


# ── put on record ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_registered_is_told_with_its_digest_and_what_it_is_to_prove() -> None:
    words = evidence_words()
    change = register(**words)
    (event,) = change.events
    assert isinstance(event, EvidenceRegistered)
    assert (event.sha256, event.links, event.registered_by) == (words["sha256"], words["links"], OWNER.id)
    assert (change.state.state, change.state.version) == (EvidenceState.REGISTERED, 1)
    assert event.not_a_state_secret


@pytest.mark.parametrize(
    ("changed", "code", "at"),
    [
        ({"not_a_state_secret": False}, "evidence.not-attested", "/not_a_state_secret"),
        ({"issued_on": date(2022, 6, 13), "on": date(2022, 6, 12)}, "evidence.issued-later", "/issued_on"),
        ({"links": (ANOTHER, ANOTHER)}, "evidence.linked-twice", "/links"),
    ],
)
def test_what_is_not_as_it_should_be_is_not_registered(changed: dict[str, Any], code: str, at: str) -> None:
    with refused(code, at=at):
        register(**evidence_words(**changed))


def test_what_bears_no_number_issuer_or_day_may_be_registered() -> None:
    state = register(**evidence_words(document_number=None, issuer=None, issued_on=None)).state
    assert state.document_number is None


# ── what it proves ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_may_prove_more_and_less_until_it_is_judged() -> None:
    evidence = some_evidence()
    linked = evidence.link(ANOTHER, by=OWNER, on=ON)
    assert isinstance(linked.events[0], EvidenceLinked)
    assert linked.state.links == (*evidence.links, ANOTHER)
    unlinked = linked.state.unlink(ANOTHER, reason="有误", by=OWNER, on=ON)
    assert isinstance(unlinked.events[0], EvidenceUnlinked)
    assert unlinked.state.links == evidence.links


def test_what_it_proves_is_settled_when_it_was_judged() -> None:
    verified = verified_evidence()
    with refused("evidence.wrong-state"):
        verified.link(ANOTHER, by=OWNER, on=ON)
    with refused("evidence.wrong-state"):
        verified.unlink(verified.links[0], reason="有误", by=OWNER, on=ON)


def test_a_link_that_is_there_is_not_made_again_and_one_that_is_not_is_not_undone() -> None:
    evidence = some_evidence()
    assert evidence.link(evidence.links[0], by=OWNER, on=ON).events == ()
    assert evidence.unlink(ANOTHER, reason="有误", by=OWNER, on=ON).events == ()


def test_it_proves_fifty_things_at_most() -> None:
    links = tuple(EvidenceLink(kind=Proven.ITEM, id=uuid4()) for _ in range(50))
    with refused("evidence.too-many-links"):
        some_evidence(links=links).link(ANOTHER, by=OWNER, on=ON)


@pytest.mark.parametrize("who", ["SOC", "ORG-1", "CQ"])
def test_only_the_unit_that_registered_it_says_what_it_proves(who: str) -> None:
    with refused("evidence.not-registrant"):
        some_evidence().link(ANOTHER, by=UNITS[who], on=ON)


# ── judged ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_counts_once_somebody_independent_has_verified_it() -> None:
    change = some_evidence().verify(by=JUDGE, on=ON)
    assert change.events == (EvidenceVerified(evidence=change.state.id, verifier=JUDGE.id, verified_on=ON),)
    assert change.state.state is EvidenceState.VERIFIED
    assert change.state.verify(by=JUDGE, on=ON).events == ()


@pytest.mark.parametrize("who", ["ORG", "ORG-1", "FIN"])
@pytest.mark.parametrize("step", ["verify", "reject"])
def test_nobody_judges_what_they_registered_or_what_proves_their_own_work(who: str, step: str) -> None:
    by = UNITS[who]
    with refused("judge.not-independent"):
        if step == "verify":
            some_evidence().verify(by=by, on=ON)
        else:
            some_evidence().reject(reason="不实", by=by, on=ON)


def test_who_did_what_it_proves_does_not_judge_it_though_somebody_else_registered_it() -> None:
    evidence = register(**evidence_words(by=UNITS["YB"])).state
    for by in (OWNER, CO_UNIT, UNITS["ORG-1"], UNITS["YB"]):
        with refused("judge.not-independent"):
            evidence.verify(by=by, on=ON)


def test_whoever_leads_the_measure_on_the_day_does_not_judge_it() -> None:
    leads = (Lead(JUDGE.id, (), date(2022, 6, 20)), Lead(UNITS["YB"].id, (), date(2022, 7, 1)))
    evidence = some_evidence(partakers=(Partakers(units=(OWNER.id,)), Partakers(leads=leads)))
    assert evidence.verify(by=JUDGE, on=date(2022, 6, 19)).events
    assert evidence.verify(by=JUDGE, on=date(2022, 7, 1)).events
    with refused("judge.not-independent"):
        evidence.verify(by=JUDGE, on=date(2022, 6, 20))


def test_what_is_linked_to_nothing_cannot_be_verified() -> None:
    with refused("evidence.proves-nothing"):
        some_evidence(links=()).verify(by=JUDGE, on=ON)


def test_what_is_rejected_is_over_and_its_reason_is_kept() -> None:
    change = some_evidence().reject(reason="缺盖章页", by=JUDGE, on=ON)
    assert isinstance(change.events[0], EvidenceRejected)
    assert (change.state.state, change.state.reason) == (EvidenceState.REJECTED, "缺盖章页")
    assert change.state.reject(reason="缺盖章页", by=JUDGE, on=ON).events == ()
    with refused("evidence.rejected-otherwise"):
        change.state.reject(reason="另一原因", by=JUDGE, on=ON)
    assert list(change.state.steps(JUDGE)) == []


def test_what_was_wrongly_verified_is_invalidated_by_an_authority_and_tells_what_it_was_held_to_prove() -> None:
    verified = verified_evidence()
    change = verified.invalidate(reason="文件已撤销", authority="纪要 4", by=JUDGE, on=ON)
    (event,) = change.events
    assert isinstance(event, EvidenceInvalidated)
    assert (event.links, event.authority) == (verified.links, "纪要 4")
    again = change.state.invalidate(reason="文件已撤销", authority="纪要 4", by=JUDGE, on=ON)
    assert again.events == ()
    with refused("evidence.invalidated-otherwise"):
        change.state.invalidate(reason="文件已撤销", authority="纪要 5", by=JUDGE, on=ON)


def test_what_nobody_verified_cannot_be_invalidated() -> None:
    with refused("evidence.wrong-state"):
        some_evidence().invalidate(reason="不实", authority="纪要 4", by=JUDGE, on=ON)


def test_no_step_takes_effect_before_the_one_before() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        some_evidence().verify(by=JUDGE, on=date(2022, 6, 11))


# ── superseded ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newer_document_takes_its_place() -> None:
    old, new = some_evidence(), some_evidence(sha256="b" * 64)
    new = replace(new, links=old.links)
    change = old.supersede(new, by=OWNER, on=ON)
    assert change.events == (EvidenceSuperseded(evidence=old.id, successor=new.id, superseded_on=ON),)
    assert change.state.supersede(new, by=OWNER, on=ON).events == ()
    with refused("evidence.superseded-otherwise"):
        change.state.supersede(some_evidence(), by=OWNER, on=ON)


def test_what_is_verified_gives_way_only_to_what_is_verified() -> None:
    old = verified_evidence()
    fresh = replace(some_evidence(), links=old.links)
    with refused("evidence.successor-unfit", at="/successor"):
        old.supersede(fresh, by=OWNER, on=ON)
    assert old.supersede(fresh.verify(by=JUDGE, on=ON).state, by=OWNER, on=ON).events


def test_a_successor_proves_no_less_stands_and_is_another_of_the_same_unit() -> None:
    old = some_evidence()
    fit = replace(some_evidence(), links=old.links)
    with refused("evidence.successor-proves-less", at="/successor"):
        old.supersede(replace(fit, links=(ANOTHER,)), by=OWNER, on=ON)
    for unfit in (
        old,
        replace(fit, registered_by=JUDGE.id),
        fit.reject(reason="不实", by=JUDGE, on=ON).state,
    ):
        with refused("evidence.successor-unfit", at="/successor"):
            old.supersede(unfit, by=OWNER, on=ON)


def test_whom_it_is_for_is_one_of_three() -> None:
    assert [one.value for one in Classification] == ["public", "internal", "sensitive"]
