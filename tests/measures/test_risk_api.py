"""The door to risks: raised by whom it concerns, treated by their owner, known to both."""

from typing import Any

import httpx
import pytest

from builders import item_body, unit_id
from doors import Door
from refusals import assert_problem

RISKS = "/api/v1/risks"


def body(**changed: Any) -> dict[str, Any]:
    """A risk to item A1-01 for which ORG answers."""
    told = {"plan": "PLAN-1", "subject_kind": "item", "subject": "A1-01", "code": "A1-R01", "title_zh": "经费未落实"}
    told |= {"title_en": "No funds yet", "owner": "ORG", "effective_on": "2022-03-01"}
    return told | {"likelihood": 3, "impact": 4} | changed


@pytest.fixture
async def listed(office: httpx.AsyncClient, plan: str) -> None:
    """Item A1-01, which belongs to ORG with the help of FIN."""
    assert (await office.post("/api/v1/items", json=item_body(code="A1-01"))).status_code == 201


@pytest.fixture
async def risk(reporter: httpx.AsyncClient, listed: None) -> str:
    """The address of a risk that its owner raised on 2022-03-01."""
    reply = await reporter.post(RISKS, json=body())
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


@pytest.fixture
async def treated(reporter: httpx.AsyncClient, risk: str) -> str:
    """The address of a risk about which something is done since 2022-03-15."""
    done = {"response": "另行申请", "effective_on": "2022-03-15"}
    assert (await reporter.post(f"{risk}/mitigate", json=done)).status_code == 200
    return risk


async def test_a_risk_is_raised_assessed_treated_and_closed(reporter: httpx.AsyncClient, risk: str) -> None:
    seen = (await reporter.get(risk)).json()
    assert (seen["state"], seen["likelihood"], seen["owner"]) == ("open", 3, str(unit_id("ORG")))
    assert seen["allowed_actions"] == ["reassess", "mitigate", "materialise"]
    steps = {
        "mitigate": {"response": "另行申请", "effective_on": "2022-03-15"},
        "reassess": {"likelihood": 1, "impact": 4, "reason": "已有意向", "effective_on": "2022-04-01"},
        "close": {"outcome": "经费到位", "effective_on": "2022-05-01"},
    }
    for step, words in steps.items():
        reply = await reporter.post(f"{risk}/{step}", json=words)
        assert reply.status_code == 200, reply.text
    assert (reply.json()["state"], reply.json()["allowed_actions"]) == ("closed", [])
    history = (await reporter.get(f"{risk}/history")).json()
    assert history["chain"] == "ok"
    assert [event["type"].split(".")[-2] for event in history["events"]] == [
        "risk-raised", "risk-mitigation-started", "risk-reassessed", "risk-closed",
    ]  # fmt: skip


async def test_what_was_feared_happens(reporter: httpx.AsyncClient, treated: str) -> None:
    happened = {"outcome": "未获经费", "effective_on": "2022-05-01"}
    assert (await reporter.post(f"{treated}/materialise", json=happened)).json()["state"] == "materialised"
    assert (await reporter.get(treated)).json()["outcome"] == "未获经费"


async def test_a_risk_to_a_measure_is_raised_by_the_office(office: httpx.AsyncClient, listed: None) -> None:
    reply = await office.post(RISKS, json=body(subject_kind="measure", subject="A2", owner="YB"))
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize(
    ("changed", "status", "code", "at"),
    [
        ({"plan": "NO-PLAN"}, 422, "plan.unknown", "/plan"),
        ({"subject": "A1-99"}, 422, "subject.unknown", "/subject"),
        ({"subject_kind": "measure", "subject": "Z9"}, 422, "subject.unknown", "/subject"),
        ({"owner": "NOWHERE"}, 422, "unit.unknown", "/owner"),
        ({"likelihood": 0}, 422, "request.invalid", "/likelihood"),
        ({"impact": 6}, 422, "request.invalid", "/impact"),
        ({"effective_on": "2020-12-31"}, 422, "effective.before-plan", "/effective_on"),
        ({"effective_on": "2022-01-04"}, 422, "effective.before-predecessor", "/effective_on"),
        (
            {"subject_kind": "measure", "subject": "A1", "effective_on": "2021-01-31"},
            422,
            "effective.before-predecessor",
            "/effective_on",
        ),
        ({"unknown": 1}, 422, "request.invalid", "/unknown"),
    ],
)
async def test_a_risk_that_is_not_as_it_should_be_is_not_raised(
    measures: Door, office: httpx.AsyncClient, listed: None, changed: dict[str, Any], status: int, code: str, at: str
) -> None:
    assert_problem(await office.post(RISKS, json=body(**changed)), status, code, at=at)
    assert await measures.pool.fetchval("SELECT count(*) FROM risk") == 0


async def test_a_risk_s_code_is_taken_once_within_its_plan(office: httpx.AsyncClient, risk: str) -> None:
    assert_problem(await office.post(RISKS, json=body()), 409, "risk.code-taken")


async def test_a_unit_raises_no_risk_to_what_it_may_not_know_of(measures: Door, listed: None) -> None:
    stranger = measures.client_for("unit-reporter", "YB")
    assert_problem(await stranger.post(RISKS, json=body(owner="YB")), 422, "subject.unknown", at="/subject")


@pytest.mark.parametrize(
    ("role", "unit", "path", "words", "status", "code"),
    [
        ("unit-reporter", "FIN", "mitigate", {"response": "应对"}, 403, "risk.not-owner"),
        ("unit-reporter", "YB", "mitigate", {"response": "应对"}, 404, "risk.not-found"),
        ("reform-office", "CQ", "mitigate", {"response": "应对"}, 403, "auth.not-permitted"),
        ("auditor", None, "close", {"outcome": "结果"}, 403, "auth.not-permitted"),
        ("unit-reporter", "ORG", "close", {"outcome": "结果"}, 409, "risk.wrong-state"),
        ("unit-reporter", "ORG", "mitigate", {}, 422, "request.invalid"),
        ("unit-reporter", "ORG", "reassess", {"likelihood": 9, "impact": 1, "reason": "x"}, 422, "request.invalid"),
        ("unit-reporter", "ORG", "mitigate", {"response": "应对", "effective_on": "2022-02-28"}, 422,
         "effective.before-predecessor"),
    ],
)  # fmt: skip
async def test_a_wrong_turn_is_refused(
    measures: Door, risk: str, role: str, unit: str | None, path: str, words: dict[str, Any], status: int, code: str
) -> None:
    assert_problem(await measures.client_for(role, unit).post(f"{risk}/{path}", json=words), status, code)
    assert await measures.pool.fetchval("SELECT version FROM risk") == 1


async def test_what_is_said_otherwise_is_refused(reporter: httpx.AsyncClient, treated: str) -> None:
    other = await reporter.post(f"{treated}/mitigate", json={"response": "由发起单位垫付"})
    assert_problem(other, 409, "risk.mitigated-otherwise")
    assert (await reporter.post(f"{treated}/close", json={"outcome": "经费到位"})).status_code == 200
    assert_problem(await reporter.post(f"{treated}/close", json={"outcome": "别的"}), 409, "risk.ended-otherwise")


@pytest.mark.parametrize(
    ("role", "unit", "filters", "expected"),
    [
        ("auditor", None, {}, ["A1-R01", "A2-R01"]),
        ("auditor", None, {"subject": "A2"}, ["A2-R01"]),
        ("auditor", None, {"state": "mitigating"}, []),
        ("unit-reporter", "ORG", {}, ["A1-R01"]),
        ("unit-reporter", "FIN", {}, ["A1-R01"]),
        ("unit-reporter", "YB", {}, ["A2-R01"]),
        ("unit-reporter", "SOC", {}, []),
    ],
)
async def test_a_list_shows_what_was_asked_for_and_may_be_seen(
    measures: Door, office: httpx.AsyncClient, risk: str, role: str, unit: str | None, filters: dict[str, str],
    expected: list[str],
) -> None:  # fmt: skip
    other = body(code="A2-R01", subject_kind="measure", subject="A2", owner="YB")
    assert (await office.post(RISKS, json=other)).status_code == 201
    reply = await measures.client_for(role, unit).get(RISKS, params={"plan": "PLAN-1", **filters})
    assert [one["code"] for one in reply.json()["items"]] == expected
