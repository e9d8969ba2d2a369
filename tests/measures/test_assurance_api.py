"""The door to independent ratings: given, given anew, withdrawn, never by whoever takes part."""

from typing import Any

import httpx
import pytest

from builders import item_body, unit_id
from doors import Door
from refusals import assert_problem

ASSURANCES = "/api/v1/assurances"
WORDS = {"rating": "yellow", "reason": "回执未齐", "expires_on": "2022-09-01", "effective_on": "2022-03-01"}


def body(**changed: Any) -> dict[str, Any]:
    """A rating of item A1-01."""
    return {"plan": "PLAN-1", "subject_kind": "item", "subject": "A1-01"} | WORDS | changed


@pytest.fixture
async def listed(office: httpx.AsyncClient, plan: str) -> None:
    """Item A1-01, which belongs to ORG with the help of FIN."""
    assert (await office.post("/api/v1/items", json=item_body(code="A1-01"))).status_code == 201


@pytest.fixture
def assurer(measures: Door) -> httpx.AsyncClient:
    """An independent assurer of another department."""
    return measures.client_for("independent-assurer", "SOC")


@pytest.fixture
async def given(assurer: httpx.AsyncClient, listed: None) -> str:
    """The address of a rating that was given on 2022-03-01."""
    reply = await assurer.post(ASSURANCES, json=body())
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


async def test_a_rating_is_given_given_anew_and_withdrawn(assurer: httpx.AsyncClient, given: str) -> None:
    seen = (await assurer.get(given)).json()
    assert (seen["state"], seen["rating"], seen["assurer"]) == ("valid", "yellow", str(unit_id("SOC")))
    assert seen["allowed_actions"] == ["give", "withdraw"]
    anew = {"rating": "green", "reason": "已补齐", "expires_on": "2023-01-01", "effective_on": "2022-04-01"}
    assert (await assurer.post(f"{given}/give", json=anew)).json()["state"] == "valid"
    gone = await assurer.post(f"{given}/withdraw", json={"reason": "材料有误", "effective_on": "2022-05-01"})
    assert (gone.json()["state"], gone.json()["allowed_actions"]) == ("withdrawn", ["give"])
    history = (await assurer.get(f"{given}/history")).json()
    assert (history["chain"], [event["data"]["replaces"] for event in history["events"]]) == ("ok", [None, 1, 2])


async def test_a_measure_is_rated_too(assurer: httpx.AsyncClient, listed: None) -> None:
    reply = await assurer.post(ASSURANCES, json=body(subject_kind="measure", subject="A1"))
    assert reply.status_code == 201, reply.text
    partakers = (await assurer.get(reply.headers["location"])).json()["partakers"]
    assert set(partakers["units"]) == {str(unit_id("ORG")), str(unit_id("FIN"))}


async def test_what_was_rated_is_rated_anew_and_not_a_second_time(assurer: httpx.AsyncClient, given: str) -> None:
    assert_problem(await assurer.post(ASSURANCES, json=body()), 409, "assurance.given-already")


@pytest.mark.parametrize(
    ("changed", "status", "code", "at"),
    [
        ({"plan": "NO-PLAN"}, 422, "plan.unknown", "/plan"),
        ({"subject": "A1-99"}, 422, "subject.unknown", "/subject"),
        ({"subject_kind": "measure"}, 422, "subject.unknown", "/subject"),
        ({"subject_kind": "plan"}, 422, "request.invalid", "/subject_kind"),
        ({"rating": "grey"}, 422, "request.invalid", "/rating"),
        ({"expires_on": "2022-03-01"}, 422, "assurance.expires-too-early", "/expires_on"),
        ({"effective_on": "2020-12-31"}, 422, "effective.before-plan", "/effective_on"),
        ({"effective_on": "2022-01-04"}, 422, "effective.before-predecessor", "/effective_on"),
        (
            {"subject_kind": "measure", "subject": "A1", "effective_on": "2021-01-31"},
            422,
            "effective.before-predecessor",
            "/effective_on",
        ),
        ({"reason": ""}, 422, "request.invalid", "/reason"),
    ],
)
async def test_a_rating_that_is_not_as_it_should_be_is_not_given(
    measures: Door, assurer: httpx.AsyncClient, listed: None, changed: dict[str, Any], status: int, code: str, at: str
) -> None:
    assert_problem(await assurer.post(ASSURANCES, json=body(**changed)), status, code, at=at)
    assert await measures.pool.fetchval("SELECT count(*) FROM assurance") == 0


@pytest.mark.parametrize("unit", ["ORG", "ORG-1", "FIN"])
async def test_nobody_rates_their_own_work(measures: Door, given: str, unit: str) -> None:
    partial = measures.client_for("independent-assurer", unit)
    assert_problem(await partial.post(ASSURANCES, json=body(subject_kind="measure", subject="A1")), 403,
                   "judge.not-independent")  # fmt: skip
    assert_problem(await partial.post(f"{given}/give", json=WORDS), 403, "judge.not-independent")
    assert_problem(await partial.post(f"{given}/withdraw", json={"reason": "材料有误"}), 403, "judge.not-independent")
    blocked = (await partial.get(given)).json()["blocked"]
    assert {"action": "give", "code": "judge.not-independent"} in blocked


async def test_nobody_rates_what_they_lead(measures: Door, office: httpx.AsyncClient, given: str) -> None:
    led = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    (address,) = [f"/api/v1/measures/{measure['id']}" for measure in led if measure["code"] == "A1"]
    lead = {"lead_unit": "SOC", "co_units": [], "effective_on": "2022-03-15"}
    assert (await office.post(f"{address}/lead", json=lead)).status_code == 200
    leading = measures.client_for("independent-assurer", "SOC-1")
    late = {**WORDS, "effective_on": "2022-03-20"}
    assert_problem(await leading.post(f"{given}/give", json=late), 403, "judge.not-independent")
    early = {**WORDS, "effective_on": "2022-03-10", "rating": "red"}
    assert (await leading.post(f"{given}/give", json=early)).status_code == 200, "it did not lead by then"


@pytest.mark.parametrize("role", ["reform-office", "measure-lead", "unit-leader", "auditor"])
async def test_only_an_assurer_rates(measures: Door, given: str, role: str) -> None:
    client = measures.client_for(role, "CQ")
    assert_problem(await client.post(ASSURANCES, json=body()), 403, "auth.not-permitted")
    assert_problem(await client.post(f"{given}/withdraw", json={"reason": "材料有误"}), 403, "auth.not-permitted")


async def test_a_rating_is_not_withdrawn_when_it_no_longer_held(assurer: httpx.AsyncClient, given: str) -> None:
    late = {"reason": "材料有误", "effective_on": "2022-09-01"}
    assert_problem(await assurer.post(f"{given}/withdraw", json=late), 422, "assurance.expired-by-then",
                   at="/effective_on")  # fmt: skip


async def test_a_withdrawal_is_not_said_otherwise(assurer: httpx.AsyncClient, given: str) -> None:
    why = {"reason": "材料有误", "effective_on": "2022-05-01"}
    assert (await assurer.post(f"{given}/withdraw", json=why)).status_code == 200
    assert (await assurer.post(f"{given}/withdraw", json=why)).json()["version"] == 2
    assert_problem(await assurer.post(f"{given}/withdraw", json={**why, "reason": "他由"}), 409,
                   "assurance.withdrawn-otherwise")  # fmt: skip


@pytest.mark.parametrize(
    ("role", "unit", "found"),
    [
        ("auditor", None, 1),
        ("independent-assurer", "YB", 1),
        ("unit-reporter", "ORG", 1),
        ("unit-reporter", "FIN", 1),
        ("unit-reporter", "CQ", 1),
        ("unit-reporter", "YB", 0),
        ("unit-reporter", "ORG-1", 0),
    ],
)
async def test_a_rating_is_known_to_whom_it_concerns(
    measures: Door, given: str, role: str, unit: str | None, found: int
) -> None:
    client = measures.client_for(role, unit)
    listed = (await client.get(ASSURANCES, params={"plan": "PLAN-1"})).json()["items"]
    assert len(listed) == found
    if found:
        assert (await client.get(given)).status_code == 200
    else:
        assert_problem(await client.get(given), 404, "assurance.not-found")


async def test_a_list_is_narrowed_and_read_page_by_page(assurer: httpx.AsyncClient, given: str) -> None:
    await assurer.post(ASSURANCES, json=body(subject_kind="measure", subject="A1"))

    async def subjects(**asked: Any) -> list[str]:
        reply = await assurer.get(ASSURANCES, params={"plan": "PLAN-1", **asked})
        return [one["subject"] for one in reply.json()["items"]]

    first = (await assurer.get(ASSURANCES, params={"plan": "PLAN-1", "limit": 1})).json()
    assert ([one["subject"] for one in first["items"]], await subjects(cursor=first["next"])) == (["A1-01"], ["A1"])
    assert await subjects(subject="A1") == ["A1"]
    assert await subjects(state="expired") == []
