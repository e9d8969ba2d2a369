"""The door to measures: all that a plan puts down, from the launch to the acceptance, and what is refused there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from builders import plan_body, unit_id
from doors import Door
from measures.measure.domain import measure_id
from refusals import assert_problem

MEASURES = "/api/v1/measures"
LEAD = {"lead_unit": "SOC", "co_units": ["SOC-1"], "effective_on": "2022-01-05"}
Written = Callable[[], Awaitable[dict[str, int]]]


@pytest.fixture
async def measure(office: httpx.AsyncClient, plan: str) -> str:
    """The address of A1, which nobody has done anything about yet."""
    return f"{MEASURES}/{measure_id(plan_id(plan), 'A1')}"


@pytest.fixture
def lead(measures: Door) -> httpx.AsyncClient:
    """Who acts for SOC, which will lead the measure."""
    return measures.client_for("measure-lead", "SOC")


def plan_id(address: str) -> UUID:
    return UUID(address.rsplit("/", 1)[1])


async def take(client: httpx.AsyncClient, address: str, **body: Any) -> dict[str, Any]:
    """A step that must not be refused."""
    reply = await client.post(address, json=body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


@pytest.fixture
async def led(office: httpx.AsyncClient, measure: str) -> str:
    """A measure that SOC leads and that was launched on 2022-01-10."""
    await take(office, f"{measure}/lead", **LEAD)
    await take(office, f"{measure}/launch", effective_on="2022-01-10")
    return measure


@pytest.fixture
async def done(office: httpx.AsyncClient, reporter: httpx.AsyncClient, led: str, started: str) -> str:
    """The measure, its one item, which ORG owns with the help of FIN, struck off on 2022-07-10."""
    for client, step, body in (
        (reporter, "milestones/1/report", {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}),
        (office, "milestones/1/verify", {"effective_on": "2022-06-20"}),
        (reporter, "report-done", {"claim": "完成", "effective_on": "2022-07-01"}),
        (office, "close", {"effective_on": "2022-07-10"}),
    ):
        await take(client, f"{started}/{step}", **body)
    return led


# ── its way ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_plans_measures_are_listed_before_anything_was_done_about_them(
    office: httpx.AsyncClient, plan: str, started: str
) -> None:
    listed = (await office.get(MEASURES, params={"plan": "PLAN-1"})).json()
    assert [(one["code"], one["state"], one["version"]) for one in listed["items"]] == [
        ("A1", "planned", 0), ("A2", "planned", 0), ("B1", "planned", 0),
    ]  # fmt: skip
    first = listed["items"][0]
    assert first["id"] == str(measure_id(plan_id(plan), "A1"))
    assert first["put_down"] == {
        "aspect": "A", "name_zh": "举措A1", "name_en": "Measure A1", "starts_on": "2021-01-01",
        "adopted_on": "2021-02-01", "closed": False, "added_on": None,
    }  # fmt: skip
    assert first["work"] == {
        "items": 1, "started": True, "unfinished": 1, "units": sorted([str(unit_id("ORG")), str(unit_id("FIN"))]),
        "since": "2022-02-01",
    }  # fmt: skip
    assert first["allowed_actions"] == ["launch", "lead", "tags"]
    assert listed["next"] is None


async def test_a_measure_is_read_before_its_first_command_as_it_is_listed(
    office: httpx.AsyncClient, measure: str
) -> None:
    read = await office.get(measure)
    assert (read.status_code, read.headers["etag"]) == (200, '"0"')
    assert read.json() == (await office.get(MEASURES, params={"plan": "PLAN-1"})).json()["items"][0]
    assert (await office.get(f"{measure}/history")).json() == {"events": [], "chain": "ok"}


async def test_a_measure_goes_from_its_launch_to_its_acceptance(
    office: httpx.AsyncClient, lead: httpx.AsyncClient, done: str
) -> None:
    await take(office, f"{done}/tags", qualities=["mass", "political", "mass"], effective_on="2022-01-11")
    await take(office, f"{done}/suspend", reason="等待方案", effective_on="2023-03-01")
    assert (await take(office, f"{done}/resume", effective_on="2023-06-01"))["state"] == "in-progress"
    await take(lead, f"{done}/submit", effective_on="2025-11-10")
    assert (await take(office, f"{done}/return", reason="材料不全", effective_on="2025-11-20"))[
        "state"
    ] == "in-progress"
    await take(lead, f"{done}/submit", effective_on="2025-11-25")
    judged = await take(office, f"{done}/accept", score="92.5", reviewers=["CQ", "YB"], effective_on="2025-12-05")
    assert (judged["state"], judged["version"], judged["allowed_actions"]) == ("accepted", 9, ["tags"])
    history = (await office.get(f"{done}/history")).json()
    assert (history["chain"], [event["type"].split(".")[-2] for event in history["events"]]) == ("ok", [
        "measure-lead-assigned", "measure-launched", "measure-tagged", "measure-suspended", "measure-resumed",
        "measure-submitted-for-acceptance", "measure-acceptance-returned", "measure-submitted-for-acceptance",
        "measure-accepted",
    ])  # fmt: skip
    seen = (await office.get(done)).json()
    assert seen["acceptance"] == {"score": "92.5", "reviewers": sorted([str(unit_id("CQ")), str(unit_id("YB"))])}
    assert seen["tags"]["qualities"] == ["political", "mass"]
    assert seen["leads"] == [{"unit": str(unit_id("SOC")), "co_units": [str(unit_id("SOC-1"))], "since": "2022-01-05"}]


async def test_a_measure_is_in_progress_once_one_of_its_items_is(
    office: httpx.AsyncClient, led: str, item: str, reporter: httpx.AsyncClient
) -> None:
    assert (await office.get(led)).json()["state"] == "launched"
    for client, step in ((office, "assign"), (reporter, "acknowledge"), (reporter, "start")):
        await take(client, f"{item}/{step}")
    assert (await office.get(led)).json()["state"] == "in-progress"


async def test_its_id_is_found_by_its_code(office: httpx.AsyncClient, led: str) -> None:
    listed = (await office.get(MEASURES, params={"plan": "PLAN-1"})).json()["items"]
    assert [(one["code"], one["state"]) for one in listed] == [("A1", "launched"), ("A2", "planned"), ("B1", "planned")]
    assert listed[0] == (await office.get(led)).json()


async def test_a_plan_that_nobody_knows_has_no_measures(office: httpx.AsyncClient, plan: str) -> None:
    assert (await office.get(MEASURES, params={"plan": "NO-PLAN"})).json()["items"] == []
    assert_problem(await office.get(MEASURES), 404, "plan.none-in-force")


# ── the first command ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_of_two_first_commands_at_once_both_are_kept_one_after_the_other(
    measures: Door, office: httpx.AsyncClient, measure: str
) -> None:
    replies = await asyncio.gather(
        office.post(f"{measure}/launch", json={"effective_on": "2022-01-10"}),
        office.post(f"{measure}/lead", json=LEAD),
        office.post(f"{measure}/tags", json={"qualities": ["mass"]}),
    )
    assert [reply.status_code for reply in replies] == [200, 200, 200], [reply.text for reply in replies]
    assert sorted(reply.json()["version"] for reply in replies) == [1, 2, 3]
    assert await measures.pool.fetchval("SELECT count(*) FROM measure") == 1


async def test_a_first_command_that_says_nothing_new_leaves_no_trace(
    office: httpx.AsyncClient, measure: str, measures: Door, written: Written
) -> None:
    before = await written()
    reply = await office.post(f"{measure}/tags", json={}, headers={"idempotency-key": "k-1"})
    assert (reply.status_code, reply.json()["version"]) == (200, 0)
    assert await written() == before
    assert await measures.pool.fetchval("SELECT count(*) FROM measure") == 0


async def test_a_first_command_is_repeated_by_its_key(office: httpx.AsyncClient, measure: str) -> None:
    key = {"idempotency-key": "k-1"}
    first, again = [await office.post(f"{measure}/lead", json=LEAD, headers=key) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)


async def test_a_first_command_may_say_that_it_is_the_first(office: httpx.AsyncClient, measure: str) -> None:
    assert (await office.post(f"{measure}/lead", json=LEAD, headers={"if-match": '"0"'})).status_code == 200
    assert_problem(await office.post(f"{measure}/launch", headers={"if-match": '"0"'}), 412, "version.stale")


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["", "/history"])
async def test_what_no_plan_puts_down_is_no_measure(office: httpx.AsyncClient, plan: str, step: str) -> None:
    assert_problem(await office.get(f"{MEASURES}/{uuid4()}{step}"), 404, "measure.not-found")
    assert_problem(await office.post(f"{MEASURES}/{uuid4()}/launch"), 404, "measure.not-found")


async def test_nothing_is_done_about_a_drafts_measures(office: httpx.AsyncClient) -> None:
    address = (await office.post("/api/v1/plans", json=plan_body())).headers["location"]
    measure = f"{MEASURES}/{measure_id(plan_id(address), 'A1')}"
    assert_problem(await office.post(f"{measure}/launch"), 409, "measure.plan-not-adopted")
    assert (await office.get(measure)).json()["blocked"][0] == {"action": "launch", "code": "measure.plan-not-adopted"}


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code", "at"),
    [
        ("reporter", "launch", {}, 403, "auth.not-permitted", None),
        ("lead", "suspend", {"reason": "等待方案"}, 403, "auth.not-permitted", None),
        ("office", "submit", {}, 403, "auth.not-permitted", None),
        ("stranger", "submit", {}, 403, "auth.not-permitted", None),
        ("lead", "submit", {}, 409, "measure.wrong-state", None),
        ("lead", "accept", {"score": "90", "reviewers": ["YB"]}, 403, "auth.not-permitted", None),
        ("office", "accept", {"score": "90", "reviewers": ["YB"]}, 409, "measure.wrong-state", None),
        ("office", "accept", {"score": "100.5", "reviewers": ["YB"]}, 422, "request.invalid", "/score"),
        ("office", "accept", {"score": "90", "reviewers": []}, 422, "request.invalid", "/reviewers"),
        ("office", "accept", {"score": "90", "reviewers": ["YB", "NOWHERE"]}, 422, "unit.unknown", "/reviewers/1"),
        ("office", "return", {}, 422, "request.invalid", "/reason"),
        ("office", "return", {"reason": " "}, 422, "request.invalid", "/reason"),
        ("office", "suspend", {}, 422, "request.invalid", "/reason"),
        ("office", "suspend", {"reason": "等待方案", "effective_on": "2022-01-09"}, 422, "effective.before-predecessor",
         "/effective_on"),
        ("office", "lead", {"lead_unit": "NOWHERE"}, 422, "unit.unknown", "/lead_unit"),
        ("office", "lead", {"lead_unit": "FIN", "co_units": ["NOWHERE"]}, 422, "unit.unknown", "/co_units/0"),
        ("office", "lead", {"lead_unit": "FIN", "co_units": ["FIN"]}, 422, "measure.lead-among-co-units", "/co_units"),
        ("office", "lead", {"lead_unit": "FIN", "effective_on": "2020-12-31"}, 422, "effective.before-plan",
         "/effective_on"),
        ("office", "tags", {"qualities": ["loud"]}, 422, "request.invalid", "/qualities/0"),
        ("office", "tags", {"colour": "red"}, 422, "request.invalid", "/colour"),
    ],
)  # fmt: skip
async def test_a_wrong_turn_is_refused_and_nothing_is_written(
    measures: Door, led: str, written: Written, who: str, path: str, body: dict[str, Any], status: int, code: str,
    at: str | None,
) -> None:  # fmt: skip
    role, unit = {
        "office": ("reform-office", "CQ"),
        "reporter": ("unit-reporter", "ORG"),
        "lead": ("measure-lead", "SOC"),
        "stranger": ("measure-lead", "SOC-1"),
    }[who]
    before = await written()
    reply = await measures.client_for(role, unit).post(f"{led}/{path}", json=body)
    assert_problem(reply, status, code, at=at)
    assert await written() == before


async def test_a_measure_is_not_submitted_while_an_item_is_open(
    lead: httpx.AsyncClient, led: str, started: str
) -> None:
    assert_problem(await lead.post(f"{led}/submit"), 409, "measure.open-items")
    assert {"action": "submit", "code": "measure.open-items"} in (await lead.get(led)).json()["blocked"]


@pytest.mark.parametrize("unit", ["SOC", "SOC-1", "ORG", "ORG-1", "FIN"])
async def test_whoever_took_part_neither_accepts_nor_returns(
    measures: Door, lead: httpx.AsyncClient, done: str, unit: str
) -> None:
    await take(lead, f"{done}/submit", effective_on="2025-11-10")
    partial = measures.client_for("reform-office", unit)
    assert_problem(await partial.post(f"{done}/return", json={"reason": "材料不全"}), 403, "judge.not-independent")
    judgement = {"score": "90", "reviewers": ["YB"]}
    assert_problem(await partial.post(f"{done}/accept", json=judgement), 403, "judge.not-independent")
    neutral = measures.client_for("reform-office", "CQ")
    reviewed = await neutral.post(f"{done}/accept", json=judgement | {"reviewers": ["YB", unit]})
    assert_problem(reviewed, 403, "judge.not-independent", at="/reviewers/1")
