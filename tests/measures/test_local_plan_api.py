"""The door to local plans: written by a unit, filed by the office, seen by the unit, those above it and the office."""

from typing import Any

import httpx
import pytest

from builders import item_body
from doors import Door
from local_plans import LOCAL_PLANS, local_plan_body
from refusals import assert_problem

ITEMS = "/api/v1/items"


@pytest.fixture
async def local(reporter: httpx.AsyncClient, plan: str) -> str:
    """The address of a local plan that ORG just put down."""
    reply = await reporter.post(LOCAL_PLANS, json=local_plan_body())
    assert (reply.status_code, reply.json()["allowed_actions"]) == (201, ["redraft", "submit"])
    return str(reply.headers["location"])


async def _filed(office: httpx.AsyncClient, reporter: httpx.AsyncClient, local: str) -> None:
    await reporter.post(f"{local}/submit", json={"effective_on": "2022-02-20"})
    filing = {"filing_number": "备案1", "effective_on": "2022-03-20"}
    assert (await office.post(f"{local}/file", json=filing)).json()["state"] == "filed"


async def test_a_local_plan_is_returned_redrafted_filed_and_carried_out(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, local: str
) -> None:
    await reporter.post(f"{local}/submit", json={"effective_on": "2022-02-20"})
    returned = await office.post(f"{local}/return", json={"reason": "缺任务", "effective_on": "2022-02-25"})
    assert returned.json()["state"] == "returned"
    words = {name: said for name, said in local_plan_body().items() if name not in ("plan", "code")}
    redrafted = await reporter.post(
        f"{local}/redraft", json=words | {"measures": ["A1", "B1"], "effective_on": "2022-03-01"}
    )
    assert (redrafted.status_code, redrafted.json()["state"]) == (200, "returned")
    await reporter.post(f"{local}/submit", json={"effective_on": "2022-03-02"})
    await office.post(f"{local}/file", json={"filing_number": "备案1", "effective_on": "2022-03-20"})
    entered = await reporter.post(f"{local}/enter-into-force", json={"effective_on": "2022-04-01"})
    assert entered.json()["state"] == "in-force"
    read = (await reporter.get(local)).json()
    assert (read["measures"], read["filing_number"], read["reason"]) == (["A1", "B1"], "备案1", None)
    history = (await office.get(f"{local}/history")).json()
    assert (history["chain"], len(history["events"])) == ("ok", 7)


async def test_a_local_plan_is_closed_when_its_items_have_ended(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, local: str
) -> None:
    early = item_body(code="YB-A1-01", local_plan="ORG-2022", co_units=[])
    assert_problem(await office.post(ITEMS, json=early), 409, "local-plan.wrong-state")
    await _filed(office, reporter, local)
    assert_problem(await office.post(ITEMS, json=early), 422, "effective.before-predecessor", at="/effective_on")
    early |= {"effective_on": "2022-03-20"}
    late = early | {"due_on": "2023-01-01"}
    assert_problem(await office.post(ITEMS, json=late), 422, "local-plan.due-outside", at="/due_on")
    item = (await office.post(ITEMS, json=early)).headers["location"]
    over = {"reason": "各事项均已了结", "effective_on": "2023-01-31"}
    assert_problem(await office.post(f"{local}/close", json=over), 409, "local-plan.items-open")
    why = {"reason": "并入", "authority": "会议纪要 2023-1", "effective_on": "2023-01-31"}
    assert (await office.post(f"{item}/cancel", json=why)).status_code == 200
    early_end = over | {"effective_on": "2023-01-30"}
    assert_problem(await office.post(f"{local}/close", json=early_end), 422, "effective.before-predecessor")
    assert (await office.post(f"{local}/close", json=over)).json()["state"] == "closed"


@pytest.mark.parametrize(
    ("changed", "status", "code", "at"),
    [
        ({"plan": "PLAN-9"}, 422, "plan.unknown", "/plan"),
        ({"measures": ["A1", "Z9"]}, 422, "plan.unknown-measure", "/measures/1"),
        ({"measures": []}, 422, "request.invalid", "/measures"),
        ({"ends_on": "2026-12-31"}, 422, "local-plan.outside-plan", "/ends_on"),
        ({"code": "ORG-2022"}, 409, "local-plan.code-taken", None),
    ],
)
async def test_a_local_plan_that_does_not_fit_is_refused(
    reporter: httpx.AsyncClient, local: str, changed: dict[str, Any], status: int, code: str, at: str | None
) -> None:
    assert local
    assert_problem(
        await reporter.post(LOCAL_PLANS, json=local_plan_body() | {"code": "ORG-1"} | changed), status, code, at=at
    )


async def test_a_unit_sees_its_own_local_plans_and_those_below_it(measures: Door, local: str) -> None:
    for role, unit, sees in (
        ("unit-reporter", "ORG", True),
        ("unit-leader", "CQ", True),
        ("unit-reporter", "SOC", False),
        ("reform-office", "SOC", True),
        ("auditor", None, True),
    ):
        client = measures.client_for(role, unit) if unit else measures.client_for(role)
        assert (await client.get(local)).status_code == (200 if sees else 404)
        found = (await client.get(LOCAL_PLANS, params={"plan": "PLAN-1", "unit": "ORG"})).json()["items"]
        assert [one["code"] for one in found] == (["ORG-2022"] if sees else [])


async def test_the_units_steps_are_not_the_offices_and_the_other_way_round(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, measures: Door, local: str
) -> None:
    assert_problem(await office.post(f"{local}/submit"), 403, "auth.not-permitted")
    assert_problem(await reporter.post(f"{local}/file", json={"filing_number": "1"}), 403, "auth.not-permitted")
    above = measures.client_for("unit-leader", "CQ")
    assert_problem(await above.post(f"{local}/submit"), 403, "auth.not-permitted")


async def test_a_local_plan_that_nobody_put_down_is_not_found(office: httpx.AsyncClient) -> None:
    nowhere = f"{LOCAL_PLANS}/00000000-0000-0000-0000-000000000000"
    assert_problem(await office.get(nowhere), 404, "local-plan.not-found")
    assert_problem(await office.post(f"{nowhere}/close", json={"reason": "x"}), 404, "local-plan.not-found")
