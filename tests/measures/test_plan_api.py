"""The door to plans: what it takes, what it refuses with which code, and what it shows."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from builders import plan_body
from refusals import assert_problem

PLANS = "/api/v1/plans"
ADOPTION = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
Written = Callable[[], Awaitable[dict[str, int]]]


async def test_a_plan_is_put_down_adopted_and_entered(office: httpx.AsyncClient) -> None:
    defined = await office.post(PLANS, json=plan_body())
    assert (defined.status_code, defined.json()["state"], defined.json()["version"]) == (201, "draft", 1)
    assert defined.json()["position"] == f"{defined.json()['id']}@1"
    assert defined.json()["allowed_actions"] == ["adopt", "revise", "weights", "scoring-policy"]
    address = defined.headers["location"]
    adopted = await office.post(f"{address}/adopt", json=ADOPTION)
    assert (adopted.status_code, adopted.json()["state"], adopted.headers["etag"]) == (200, "adopted", '"2"')
    entered = await office.post(f"{address}/phases/P1/enter", json={"effective_on": "2022-01-01"})
    assert entered.json()["state"] == "in-force"
    assert entered.json()["allowed_actions"][-2:] == ["start-final-evaluation", "phases/P2/enter"]


async def test_a_plan_is_read_as_it_was_said(office: httpx.AsyncClient, plan: str) -> None:
    reply = await office.get(plan)
    said = plan_body()
    assert {name: reply.json()[name] for name in said if name != "effective_on"} == {
        name: value for name, value in said.items() if name != "effective_on"
    }
    assert (reply.headers["etag"], reply.json()["version"], reply.json()["since"]) == ('"2"', 2, "2021-02-01")


async def test_the_history_tells_who_did_what_when_and_that_it_holds(office: httpx.AsyncClient, plan: str) -> None:
    history = (await office.get(f"{plan}/history")).json()
    assert history["chain"] == "ok"
    assert [event["type"].split(".")[-2] for event in history["events"]] == ["plan-defined", "plan-adopted"]
    assert [event["effective_on"] for event in history["events"]] == ["2021-01-10", "2021-02-01"]


async def test_a_reader_is_offered_nothing(measures: Any, plan: str) -> None:
    assert (await measures.client_for("auditor").get(plan)).json()["allowed_actions"] == []


@pytest.mark.parametrize(
    ("changed", "code", "at"),
    [
        ({"ends_on": "2020-01-01"}, "plan.period-reversed", "/ends_on"),
        ({"phases": plan_body()["phases"] * 2}, "plan.code-twice", "/phases/3/code"),
        ({"aspects": plan_body()["aspects"][:1]}, "plan.unknown-aspect", "/measures/2/aspect"),
        ({"ends_on": "2024-12-31"}, "plan.phase-outside", "/phases"),
    ],
)
async def test_a_plan_that_contradicts_itself_is_refused_and_nothing_is_written(
    office: httpx.AsyncClient, written: Written, changed: dict[str, Any], code: str, at: str
) -> None:
    assert_problem(await office.post(PLANS, json=plan_body(**changed)), 422, code, at=at)
    assert set((await written()).values()) == {0}


async def test_a_code_is_taken_once(office: httpx.AsyncClient, plan: str, written: Written) -> None:
    before = await written()
    assert_problem(await office.post(PLANS, json=plan_body()), 409, "plan.code-taken")
    assert await written() == before


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("adopt", {"issuer": "x", "document_number": "y"}, 409, "plan.adopted-otherwise"),
        ("adopt", {"issuer": "x"}, 422, "request.invalid"),
        ("phases/P9/enter", {}, 404, "plan.unknown-phase"),
        ("phases/p1/enter", {}, 422, "request.invalid"),
        ("phases/P0/enter", {"effective_on": "2021-01-20"}, 422, "effective.before-predecessor"),
        ("phases/P0/enter", {"effective_on": "2022-01-20"}, 422, "plan.phase-not-on-this-day"),
        ("phases/P0/enter", {"on": "2021-06-01"}, 422, "request.invalid"),
    ],
)
async def test_a_step_that_is_out_of_order_is_refused_and_nothing_is_written(
    office: httpx.AsyncClient, plan: str, written: Written, path: str, body: dict[str, str], status: int, code: str
) -> None:
    before = await written()
    assert_problem(await office.post(f"{plan}/{path}", json=body), status, code)
    assert await written() == before


async def test_nothing_takes_effect_in_the_future(office: httpx.AsyncClient, plan: str, tomorrow: str) -> None:
    reply = await office.post(f"{plan}/phases/P2/enter", json={"effective_on": tomorrow})
    assert_problem(reply, 422, "effective.in-future", at="/effective_on")


async def test_a_plan_that_nobody_put_down_is_not_found(office: httpx.AsyncClient) -> None:
    nowhere = f"{PLANS}/00000000-0000-0000-0000-000000000000"
    for reply in (await office.get(nowhere), await office.get(f"{nowhere}/history"),
                  await office.post(f"{nowhere}/adopt", json=ADOPTION)):  # fmt: skip
        assert_problem(reply, 404, "plan.not-found")


async def test_plans_are_listed_page_by_page(office: httpx.AsyncClient) -> None:
    for code in ("PLAN-C", "PLAN-A", "PLAN-B"):
        await office.post(PLANS, json=plan_body(code=code))
    found: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while "cursor" not in asked or asked["cursor"] is not None:
        page = (await office.get(PLANS, params=asked)).json()
        found += [plan["code"] for plan in page["items"]]
        asked["cursor"] = page["next"]
    assert found == ["PLAN-A", "PLAN-B", "PLAN-C"]
