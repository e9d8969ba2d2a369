"""The door to items: one way from the list to the day it is struck off, and every wrong turn on it refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from builders import item_body, milestone_body, plan_body, unit_id
from doors import Door
from refusals import assert_problem

ITEMS = "/api/v1/items"
ATTAINED = {"attained_on": "2022-06-01", "note": "见附件", "effective_on": "2022-06-10"}
Written = Callable[[], Awaitable[dict[str, int]]]


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


@pytest.fixture
async def reported(reporter: httpx.AsyncClient, started: str) -> str:
    """An item whose first milestone was reported."""
    assert (await reporter.post(f"{started}/milestones/1/report", json=ATTAINED)).status_code == 200
    return started


# ── its way ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_item_goes_from_the_list_to_the_day_it_is_struck_off(
    reporter: httpx.AsyncClient, judge: httpx.AsyncClient, reported: str
) -> None:
    verified = await judge.post(f"{reported}/milestones/1/verify", json={"effective_on": "2022-06-20"})
    assert verified.status_code == 200, verified.text
    done = await reporter.post(f"{reported}/report-done", json={"claim": "完成", "effective_on": "2022-07-01"})
    assert done.json()["state"] == "reported-done"
    closed = await judge.post(f"{reported}/close", json={"effective_on": "2022-07-10"})
    assert closed.json()["state"] == "verified-closed"
    assert set(closed.json()["allowed_actions"]) == {"reopen", "milestones/1/revoke"}
    history = (await judge.get(f"{reported}/history")).json()
    assert history["chain"] == "ok"
    assert [event["type"].split(".")[-2] for event in history["events"]] == [
        "reform-item-added", "milestone-planned", "reform-item-assigned", "reform-item-acknowledged",
        "reform-item-started", "milestone-reported", "milestone-verified", "reform-item-reported-done",
        "reform-item-verified-closed",
    ]  # fmt: skip
    assert history["events"][6]["unit"] == str(unit_id("SOC"))


async def test_a_command_that_needs_no_words_needs_no_body(office: httpx.AsyncClient, item: str) -> None:
    assert (await office.post(f"{item}/assign")).status_code == 200


async def test_an_item_is_read_with_its_milestones_and_what_may_be_done(
    reporter: httpx.AsyncClient, judge: httpx.AsyncClient, reported: str
) -> None:
    seen = (await judge.get(reported)).json()
    assert (seen["state"], seen["version"], seen["owner"]) == ("in-progress", 6, str(unit_id("ORG")))
    milestone = seen["milestones"][0]
    assert (milestone["state"], milestone["attained_on"], milestone["weight"]) == ("reported", "2022-06-01", "1")
    offered = {path for path in seen["allowed_actions"] if path.startswith("milestones/")}
    assert offered == {"milestones/1/verify", "milestones/1/return"}
    assert {"action": "report-done", "code": "auth.not-permitted"} in seen["blocked"]
    own = (await reporter.get(reported)).json()["allowed_actions"]
    assert set(own) == {"report-done", "note", "extension/request"}


async def test_what_is_offered_is_taken(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, judge: httpx.AsyncClient, item: str
) -> None:
    words = {"report-done": {"claim": "完成"}, "report": ATTAINED, "return": {"reason": "不符"}}
    taken = []
    for client in [office, reporter, reporter, reporter, judge, reporter, judge]:
        offered = (await client.get(item)).json()["allowed_actions"]
        step = next(path for path in offered if path.rsplit("/")[-1] not in {"milestones", "reschedule", "cancel"})
        reply = await client.post(f"{item}/{step}", json={**words.get(step.rsplit("/")[-1], {}), "effective_on": None})
        assert reply.status_code == 200, reply.text
        taken.append(step)
    assert taken[:3] == ["assign", "acknowledge", "start"]


async def test_a_milestone_is_added_moved_and_cancelled(office: httpx.AsyncClient, item: str) -> None:
    steps = {
        f"{item}/milestones": milestone_body(2),
        f"{item}/milestones/2/reschedule": {"planned_on": "2022-09-30", "reason": "延期"},
        f"{item}/milestones/2/cancel": {"reason": "撤并", "authority": "会议纪要"},
    }
    for address, body in steps.items():
        assert (await office.post(address, json=body)).status_code == 200
    seen = (await office.get(item)).json()["milestones"][1]
    assert (seen["state"], seen["planned_on"], seen["baselines"]) == ("cancelled", "2022-09-30", ["2022-06-30"])


async def test_an_items_steps_may_be_dated_after_the_plan_ended(office: httpx.AsyncClient, item: str) -> None:
    assert (await office.post(f"{item}/assign", json={"effective_on": "2026-03-01"})).status_code == 200


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "status", "code", "at"),
    [
        ({"plan": "NO-PLAN"}, 422, "plan.unknown", "/plan"),
        ({"measure": "Z9"}, 422, "plan.unknown-measure", "/measure"),
        ({"owner": "NOWHERE"}, 422, "unit.unknown", "/owner"),
        ({"co_units": ["FIN", "NOWHERE"]}, 422, "unit.unknown", "/co_units/1"),
        ({"co_units": ["ORG"]}, 422, "item.owner-among-co-units", "/co_units"),
        ({"due_on": "2021-12-31"}, 422, "item.due-before-start", "/due_on"),
        ({"effective_on": "2020-12-31"}, 422, "effective.before-plan", "/effective_on"),
        ({"milestones": [milestone_body(1), milestone_body(1)]}, 409, "milestone.number-taken", "/milestones/1/number"),
        ({"milestones": [milestone_body(0)]}, 422, "request.invalid", "/milestones/0/number"),
        ({"milestones": [milestone_body(1, weight="1.00001")]}, 422, "request.invalid", "/milestones/0/weight"),
        ({"milestones": [milestone_body(1, weight="NaN")]}, 422, "request.invalid", "/milestones/0/weight"),
        ({"milestones": [milestone_body(1, weight="-1")]}, 422, "request.invalid", "/milestones/0/weight"),
        ({"milestones": [milestone_body(1, unknown=1)]}, 422, "request.invalid", "/milestones/0/unknown"),
        ({"focus": "anything"}, 422, "request.invalid", "/focus"),
        ({"owner": None}, 422, "request.invalid", "/owner"),
        ({"problem": "x" * 2001}, 422, "request.invalid", "/problem"),
        ({"unknown": True}, 422, "request.invalid", "/unknown"),
    ],
)
async def test_an_item_that_is_not_as_it_should_be_is_not_listed(
    office: httpx.AsyncClient, plan: str, written: Written, changed: dict[str, Any], status: int, code: str, at: str
) -> None:
    before = await written()
    assert_problem(await office.post(ITEMS, json=item_body(**changed)), status, code, at=at)
    assert await written() == before


async def test_no_item_is_listed_under_a_plan_that_was_not_adopted(office: httpx.AsyncClient) -> None:
    await office.post("/api/v1/plans", json=plan_body())
    assert_problem(await office.post(ITEMS, json=item_body()), 409, "plan.wrong-state")


async def test_an_items_code_is_taken_once_within_its_plan(office: httpx.AsyncClient, item: str) -> None:
    code = (await office.get(item)).json()["code"]
    assert_problem(await office.post(ITEMS, json=item_body(code=code)), 409, "item.code-taken")


async def test_nothing_is_listed_in_the_future(office: httpx.AsyncClient, plan: str, tomorrow: str) -> None:
    reply = await office.post(ITEMS, json=item_body(effective_on=tomorrow))
    assert_problem(reply, 422, "effective.in-future", at="/effective_on")


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code"),
    [
        ("office", "assign", {"effective_on": "2022-01-04"}, 409, "item.wrong-state"),
        ("reporter", "acknowledge", {}, 200, ""),
        ("stranger", "report-done", {"claim": "完成"}, 404, "item.not-found"),
        ("partaker", "report-done", {"claim": "完成"}, 403, "item.not-owner"),
        ("reporter", "report-done", {}, 422, "request.invalid"),
        ("reporter", "report-done", {"claim": "完成", "effective_on": "2022-01-31"}, 422,
         "effective.before-predecessor"),
        ("reporter", "close", {}, 403, "auth.not-permitted"),
        ("judge", "close", {}, 409, "item.wrong-state"),
        ("judge", "return", {"reason": "不符"}, 409, "item.wrong-state"),
        ("judge", "return", {}, 422, "request.invalid"),
        ("judge", "milestones/1/verify", {}, 409, "milestone.wrong-state"),
        ("judge", "milestones/7/verify", {}, 404, "milestone.not-found"),
        ("judge", "milestones/100/verify", {}, 422, "request.invalid"),
        ("judge", "milestones/x/verify", {}, 422, "request.invalid"),
        ("reporter", "milestones/1/report", {"attained_on": "2020-12-31"}, 422, "effective.before-plan"),
        ("reporter", "milestones/1/report", ATTAINED | {"attained_on": "2022-06-11"}, 422,
         "milestone.attained-after-report"),
        ("office", "milestones", milestone_body(1, title_en="Another"), 409, "milestone.number-taken"),
        ("office", "milestones/1/cancel", {"reason": "撤并"}, 422, "request.invalid"),
        ("office", "milestones/1/cancel", {"reason": "撤并", "authority": "纪要"}, 409, "item.no-required-milestone"),
    ],
)  # fmt: skip
async def test_a_wrong_turn_is_refused_and_nothing_is_written(
    measures: Door, started: str, written: Written, who: str, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    role, unit = {
        "office": ("reform-office", "CQ"),
        "reporter": ("unit-reporter", "ORG"),
        "judge": ("reform-office", "SOC"),
        "stranger": ("unit-reporter", "YB"),
        "partaker": ("unit-reporter", "FIN"),
    }[who]
    before = await written()
    reply = await measures.client_for(role, unit).post(f"{started}/{path}", json=body)
    if status != 200:
        assert_problem(reply, status, code)
    assert await written() == before


@pytest.mark.parametrize("unit", ["ORG", "ORG-1", "FIN"])
async def test_whoever_took_part_does_not_judge_whatever_their_role(measures: Door, reported: str, unit: str) -> None:
    partial = measures.client_for("municipal-admin", unit)
    assert_problem(await partial.post(f"{reported}/milestones/1/verify"), 403, "judge.not-independent")
    assert not any("verify" in path for path in (await partial.get(reported)).json()["allowed_actions"])


@pytest.mark.parametrize("unit", [None, "NOWHERE"])
async def test_nobody_judges_without_a_unit_of_the_directory(measures: Door, reported: str, unit: str | None) -> None:
    reply = await measures.client_for("reform-office", unit).post(f"{reported}/milestones/1/verify")
    assert_problem(reply, 403, "caller.no-unit")


async def test_of_another_units_item_a_unit_knows_nothing(measures: Door, item: str) -> None:
    stranger = measures.client_for("unit-reporter", "YB")
    assert_problem(await stranger.get(item), 404, "item.not-found")
    assert_problem(await stranger.get(f"{item}/history"), 404, "item.not-found")


# ── versions and keys ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stale_version_is_refused(office: httpx.AsyncClient, item: str, written: Written) -> None:
    seen = (await office.get(item)).headers["etag"]
    await office.post(f"{item}/milestones", json=milestone_body(2))
    before = await written()
    reply = await office.post(f"{item}/assign", headers={"if-match": seen})
    assert_problem(reply, 412, "version.stale")
    assert await written() == before
    fresh = (await office.get(item)).headers["etag"]
    assert (await office.post(f"{item}/assign", headers={"if-match": fresh})).status_code == 200


async def test_the_same_key_and_body_get_the_same_reply_byte_for_byte(office: httpx.AsyncClient, plan: str) -> None:
    body, key = item_body(), {"idempotency-key": "k-1"}
    first, again = [await office.post(ITEMS, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    for name in ("etag", "location", "content-type"):
        assert first.headers[name] == again.headers[name]
    assert first.headers["content-length"] == again.headers["content-length"]


async def test_the_same_key_twice_at_once_has_one_effect(
    office: httpx.AsyncClient, plan: str, written: Written
) -> None:
    body, key = item_body(), {"idempotency-key": "k-1"}
    before = await written()
    replies = await asyncio.gather(*(office.post(ITEMS, json=body, headers=key) for _ in range(5)))
    assert len({(reply.status_code, reply.content) for reply in replies}) == 1
    assert (await written())["item"] == before["item"] + 1


async def test_the_same_key_with_another_body_is_refused(office: httpx.AsyncClient, plan: str) -> None:
    key = {"idempotency-key": "k-1"}
    await office.post(ITEMS, json=item_body(), headers=key)
    assert_problem(await office.post(ITEMS, json=item_body(), headers=key), 422, "idempotency.key-reused")


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def listed(office: httpx.AsyncClient, plan: str) -> None:
    """Three items: A1-A and A2-B of ORG, A1-C of the district."""
    for code, measure, owner, co_units in (
        ("A1-A", "A1", "ORG", ["FIN"]),
        ("A2-B", "A2", "ORG", []),
        ("A1-C", "A1", "YB", []),
    ):
        body = item_body(code=code, measure=measure, owner=owner, co_units=co_units)
        assert (await office.post(ITEMS, json=body)).status_code == 201
    assert (await office.post(f"{plan}/phases/P1/enter", json={"effective_on": "2022-01-01"})).status_code == 200


@pytest.mark.parametrize(
    ("unit", "filters", "expected"),
    [
        (None, {}, ["A1-A", "A1-C", "A2-B"]),
        (None, {"measure": "A1"}, ["A1-A", "A1-C"]),
        (None, {"owner": "ORG"}, ["A1-A", "A2-B"]),
        (None, {"measure": "A1", "owner": "YB", "state": "draft"}, ["A1-C"]),
        (None, {"state": "assigned"}, []),
        (None, {"plan": "NO-PLAN"}, []),
        ("ORG", {}, ["A1-A", "A2-B"]),
        ("ORG-1", {}, []),
        ("FIN", {}, ["A1-A"]),
        ("CQ", {}, ["A1-A", "A1-C", "A2-B"]),
    ],
)
async def test_a_list_shows_what_was_asked_for_and_may_be_seen(
    measures: Door, listed: None, unit: str | None, filters: dict[str, str], expected: list[str]
) -> None:
    client = measures.client_for("unit-reporter" if unit else "auditor", unit)
    reply = await client.get(ITEMS, params=filters)
    assert [item["code"] for item in reply.json()["items"]] == expected


async def test_a_list_is_read_page_by_page(office: httpx.AsyncClient, listed: None) -> None:
    first = (await office.get(ITEMS, params={"limit": 2})).json()
    rest = (await office.get(ITEMS, params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["code"] for item in (*first["items"], *rest["items"])] == ["A1-A", "A1-C", "A2-B"]
    assert rest["next"] is None


async def test_a_list_of_an_unknown_owner_or_state_is_refused(office: httpx.AsyncClient, listed: None) -> None:
    assert_problem(await office.get(ITEMS, params={"owner": "NOWHERE"}), 422, "unit.unknown", at="/query/owner")
    assert_problem(await office.get(ITEMS, params={"state": "anything"}), 422, "request.invalid")
    assert_problem(await office.get(ITEMS, params={"text": "a\0b"}), 422, "request.invalid", at="/query/text")


async def test_without_a_plan_in_force_a_list_needs_the_plans_code(office: httpx.AsyncClient, plan: str) -> None:
    assert_problem(await office.get(ITEMS), 404, "plan.none-in-force")
    assert (await office.get(ITEMS, params={"plan": "PLAN-1"})).json() == {"items": [], "next": None}
