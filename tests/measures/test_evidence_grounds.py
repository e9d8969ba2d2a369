"""A required milestone is verified only with verified evidence, from the day that the plan's policy names."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from builders import JUDGE, OWNER, a_milestone, an_item_with_a_report
from common.contracts.measures import ReformItemReportedDone
from common.files import Files
from doors import Door
from measures.evidence.grounds import EvidenceRule, Grounds, Proof
from measures.evidence.rules import EvidenceState
from measures.item.domain import Item
from papers import PDF, evidence_body, sha256_of
from refusals import assert_problem, refused

ON = date(2022, 6, 20)
FROM_JUNE = EvidenceRule(since=date(2022, 1, 1), evidence_from=date(2022, 6, 1))


def _proof(state: EvidenceState = EvidenceState.VERIFIED, number: int | None = 1) -> Proof:
    return Proof(uuid4(), number, state, since=ON)


def _item(*proofs: Proof, rules: tuple[EvidenceRule, ...] = (FROM_JUNE,), required: bool = True) -> Item:
    item = an_item_with_a_report(milestones=(a_milestone(1, required=required), a_milestone(2)))
    return replace(item, grounds=Grounds(proofs, rules))


def _offered(item: Item) -> bool:
    return any(path == "milestones/1/verify" and refused is None for _, path, refused in item.steps(JUDGE))


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_verified_evidence_it_is_verified() -> None:
    item = _item(_proof(EvidenceState.REJECTED), _proof())
    assert _offered(item)
    assert item.verify_milestone(1, by=JUDGE, on=ON).events


@pytest.mark.parametrize("state", [one for one in EvidenceState if one is not EvidenceState.VERIFIED])
def test_evidence_that_is_not_verified_does_not_count(state: EvidenceState) -> None:
    item = _item(_proof(state))
    assert not _offered(item)
    with refused("milestone.no-verified-evidence"):
        item.verify_milestone(1, by=JUDGE, on=ON)


def test_evidence_does_not_count_before_the_day_on_which_it_was_verified() -> None:
    item = _item(_proof())
    with refused("milestone.no-verified-evidence"):
        item.verify_milestone(1, by=JUDGE, on=ON - timedelta(days=1))
    assert item.verify_milestone(1, by=JUDGE, on=ON + timedelta(days=1)).events


@pytest.mark.parametrize("number", [2, None])
def test_evidence_for_something_else_does_not_count(number: int | None) -> None:
    with refused("milestone.no-verified-evidence"):
        _item(_proof(number=number)).verify_milestone(1, by=JUDGE, on=ON)


def test_before_the_day_that_the_policy_names_none_is_needed() -> None:
    later = EvidenceRule(since=date(2022, 1, 1), evidence_from=date(2022, 6, 21))
    assert _item(rules=(later,)).verify_milestone(1, by=JUDGE, on=ON).events
    with refused("milestone.no-verified-evidence"):
        _item(rules=(later,)).verify_milestone(1, by=JUDGE, on=date(2022, 6, 21))


def test_the_policy_of_the_day_counts_and_not_a_later_one() -> None:
    rules = (EvidenceRule(date(2022, 1, 1), None), EvidenceRule(date(2022, 6, 21), date(2022, 6, 1)))
    assert _item(rules=rules).verify_milestone(1, by=JUDGE, on=ON).events
    assert not _offered(_item(rules=rules))


def test_without_a_policy_or_for_what_is_not_required_none_is_needed() -> None:
    for item in (_item(rules=()), _item(rules=(EvidenceRule(date(2022, 1, 1), None),)), _item(required=False)):
        assert _offered(item)
        assert item.verify_milestone(1, by=JUDGE, on=ON).events


def test_a_milestone_whose_evidence_was_invalidated_is_shaken_until_other_evidence_is_verified() -> None:
    fallen = _proof(EvidenceState.INVALIDATED, number=2)
    assert Grounds((fallen, _proof(number=1))).shaken == (2,)
    assert Grounds((fallen, _proof(EvidenceState.REGISTERED, number=2))).shaken == (2,)
    assert Grounds((fallen, _proof(number=2))).shaken == ()
    assert Grounds((_proof(EvidenceState.INVALIDATED, number=None),)).shaken == ()


# ── at the door ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


@pytest.fixture
async def reported(
    measures: Door, office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, started: str, tmp_path: Path
) -> str:
    """An item with a reported milestone, in a plan whose policy wants evidence from June 2022 on; its file was sent."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    policy = {"evidence_from": "2022-06-01", "effective_on": "2022-01-01"}
    adopted = await office.post(f"{plan}/scoring-policy", json=policy)
    assert adopted.status_code == 200, adopted.text
    told = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}
    assert (await reporter.post(f"{started}/milestones/1/report", json=told)).status_code == 200
    headers = {"content-type": "application/pdf"}
    assert (await reporter.put(f"/api/v1/evidence-files/{sha256_of(PDF)}", content=PDF, headers=headers)).is_success
    return started


async def test_nothing_counts_before_its_evidence_was_judged_and_what_was_invalidated_shows(
    reporter: httpx.AsyncClient, judge: httpx.AsyncClient, reported: str
) -> None:
    verify = f"{reported}/milestones/1/verify"
    blocked = (await judge.get(reported)).json()["blocked"]
    assert {"action": "milestones/1/verify", "code": "milestone.no-verified-evidence"} in blocked
    evidence = (await reporter.post("/api/v1/evidence", json=evidence_body(reported))).headers["location"]
    assert_problem(await judge.post(verify), 409, "milestone.no-verified-evidence")
    assert (await judge.post(f"{evidence}/verify", json={"effective_on": "2022-06-15"})).status_code == 200
    assert "milestones/1/verify" in (await judge.get(reported)).json()["allowed_actions"]
    assert (await judge.post(verify, json={"effective_on": "2022-06-20"})).status_code == 200
    why = {"reason": "文件已撤销", "authority": "纪要 4"}
    assert (await judge.post(f"{evidence}/invalidate", json=why)).status_code == 200
    seen = (await judge.get(reported)).json()
    assert seen["milestones"][0]["state"] == "verified"
    assert [(one["number"], one["state"]) for one in seen["grounds"]["proofs"]] == [(1, "invalidated")]
    assert seen["grounds"]["shaken"] == [1]


async def test_a_milestone_verified_before_the_day_that_the_policy_names_needs_none(
    judge: httpx.AsyncClient, plan: str, office: httpx.AsyncClient, reported: str
) -> None:
    policy = {"evidence_from": "2023-01-01", "effective_on": "2022-02-01"}
    assert (await office.post(f"{plan}/scoring-policy", json=policy)).status_code == 200
    verified = await judge.post(f"{reported}/milestones/1/verify", json={"effective_on": "2022-06-20"})
    assert verified.status_code == 200, verified.text


def test_a_claim_that_the_item_is_done_tells_what_it_rests_on() -> None:
    verified, registered = _proof(), _proof(EvidenceState.REGISTERED, number=None)
    again = Proof(verified.evidence, 2, EvidenceState.VERIFIED, since=ON)
    gone = (_proof(state) for state in EvidenceState if state not in (registered.state, verified.state))
    item = _item(verified, registered, again, *gone)
    (done,) = item.report_done(claim="完成", by=OWNER, on=date(2022, 7, 1)).events
    assert isinstance(done, ReformItemReportedDone)
    assert set(done.evidence) == {verified.evidence, registered.evidence}
    assert len(done.evidence) == 2
