"""The door to what befalls an item on its way: noted on, extended, given up, merged, taken up again."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from builders import item_body, unit_id
from doors import Door
from refusals import assert_problem

ITEMS = "/api/v1/items"
WHY = {"reason": "任务重复", "authority": "会议纪要"}
ASKED = {"due_on": "2023-06-30", "reason": "接口未开放", "effective_on": "2022-09-01"}
NOTED = {"done": "已签约八家", "problems": "两家未回函", "next": "首次对接", "effective_on": "2022-06-30"}
Written = Callable[[], Awaitable[dict[str, int]]]


async def _types(client: httpx.AsyncClient, address: str) -> list[str]:
    history = (await client.get(f"{address}/history")).json()
    assert history["chain"] == "ok"
    return [event["type"].split(".")[-2] for event in history["events"]]


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


@pytest.fixture
async def closed(reporter: httpx.AsyncClient, judge: httpx.AsyncClient, started: str) -> str:
    """The address of an item that was struck off on 2022-07-10."""
    attained = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}
    for client, step, body in (
        (reporter, "milestones/1/report", attained),
        (judge, "milestones/1/verify", {"effective_on": "2022-06-20"}),
        (reporter, "report-done", {"claim": "完成", "effective_on": "2022-07-01"}),
        (judge, "close", {"effective_on": "2022-07-10"}),
    ):
        reply = await client.post(f"{started}/{step}", json=body)
        assert reply.status_code == 200, reply.text
    return started


async def test_an_owner_asks_for_an_extension_and_the_office_grants_it(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, started: str
) -> None:
    asked = await reporter.post(f"{started}/extension/request", json=ASKED)
    assert asked.status_code == 200, asked.text
    seen = (await office.get(started)).json()
    assert (seen["due_on"], seen["schedule"]["extension"]["due_on"]) == ("2022-12-31", "2023-06-30")
    assert {"extension/grant", "extension/refuse"} <= set(seen["allowed_actions"])
    assert {"action": "reschedule", "code": "item.extension-open"} in seen["blocked"]
    granted = await office.post(f"{started}/extension/grant", json={"effective_on": "2022-09-08"})
    assert granted.json()["version"] == asked.json()["version"] + 2
    seen = (await office.get(started)).json()
    assert (seen["due_on"], seen["schedule"]["baselines"]) == ("2023-06-30", ["2022-12-31"])
    assert (await _types(office, started))[-3:] == [
        "extension-requested", "extension-granted", "reform-item-rescheduled"
    ]  # fmt: skip


async def test_the_office_refuses_an_extension_with_a_reason_and_moves_the_date_itself(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, started: str
) -> None:
    await reporter.post(f"{started}/extension/request", json=ASKED)
    assert_problem(await office.post(f"{started}/extension/refuse", json={}), 422, "request.invalid", at="/reason")
    assert (await office.post(f"{started}/extension/refuse", json={"reason": "已开放"})).status_code == 200
    moved = await office.post(f"{started}/reschedule", json={"due_on": "2023-03-31", "reason": "统一顺延"})
    assert moved.status_code == 200, moved.text
    assert (await office.get(started)).json()["due_on"] == "2023-03-31"


async def test_whoever_takes_part_notes_progress(measures: Door, reporter: httpx.AsyncClient, started: str) -> None:
    partaker = measures.client_for("unit-reporter", "FIN")
    assert (await partaker.post(f"{started}/note", json=NOTED)).status_code == 200
    assert (await reporter.post(f"{started}/note", json=NOTED | {"done": "十家"})).status_code == 200
    note = (await reporter.get(started)).json()["note"]
    assert (note["done"], note["help"], note["by"]) == ("十家", None, str(unit_id("ORG")))


async def test_an_item_is_cancelled_and_stays_listed(office: httpx.AsyncClient, item: str) -> None:
    reply = await office.post(f"{item}/cancel", json=WHY)
    assert (reply.json()["state"], reply.json()["allowed_actions"]) == ("cancelled", [])
    seen = (await office.get(item)).json()
    assert seen["ending"] == WHY | {"into": None, "successor": None}
    listed = (await office.get(ITEMS, params={"plan": "PLAN-1", "state": "cancelled"})).json()["items"]
    assert [one["id"] for one in listed] == [seen["id"]]


async def test_an_item_is_merged_into_another_of_its_plan(office: httpx.AsyncClient, item: str) -> None:
    other = await office.post(ITEMS, json=item_body(code="A1-OTHER"))
    reply = await office.post(f"{item}/merge", json=WHY | {"into": "A1-OTHER"})
    assert reply.json()["state"] == "merged", reply.text
    assert (await office.get(item)).json()["ending"]["into"] == other.json()["id"]
    unknown = await office.post(f"{item}/merge", json=WHY | {"into": "A1-NOBODY"})
    assert_problem(unknown, 422, "item.unknown", at="/into")


async def test_what_took_in_another_does_not_end_as_of_a_day_before(office: httpx.AsyncClient, item: str) -> None:
    other = (await office.post(ITEMS, json=item_body(code="A1-OTHER"))).headers["location"]
    merged = await office.post(f"{item}/merge", json=WHY | {"into": "A1-OTHER", "effective_on": "2023-01-01"})
    assert merged.is_success
    early = await office.post(f"{other}/cancel", json=WHY | {"effective_on": "2022-12-31"})
    assert_problem(early, 422, "effective.before-predecessor", at="/effective_on")
    assert (await office.post(f"{other}/cancel", json=WHY | {"effective_on": "2023-01-01"})).is_success


async def test_an_item_is_not_merged_into_one_that_was_cancelled(office: httpx.AsyncClient, item: str) -> None:
    other = (await office.post(ITEMS, json=item_body(code="A1-OTHER"))).headers["location"]
    await office.post(f"{other}/cancel", json=WHY)
    reply = await office.post(f"{item}/merge", json=WHY | {"into": "A1-OTHER"})
    assert_problem(reply, 409, "item.merged-into-ended", at="/into")


async def test_a_revoked_verification_leaves_an_item_closed_and_in_doubt_until_it_is_reopened(
    office: httpx.AsyncClient, judge: httpx.AsyncClient, closed: str
) -> None:
    revoked = await judge.post(f"{closed}/milestones/1/revoke", json=WHY)
    assert revoked.json()["state"] == "verified-closed", revoked.text
    doubted = (await office.get(closed)).json()
    assert [(doubt["milestone"], doubt["authority"]) for doubt in doubted["doubts"]] == [(1, "会议纪要")]
    reopened = await office.post(f"{closed}/reopen", json=WHY)
    assert reopened.json()["state"] == "in-progress"
    assert (await office.get(closed)).json()["doubts"] == []
    assert (await _types(office, closed))[-2:] == ["milestone-verification-revoked", "reform-item-reopened"]


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code", "at"),
    [
        ("partaker", "extension/request", ASKED, 403, "item.not-owner", None),
        ("office", "extension/request", ASKED, 403, "auth.not-permitted", None),
        ("stranger", "extension/request", ASKED, 404, "item.not-found", None),
        ("reporter", "extension/request", ASKED | {"due_on": "2022-12-31"}, 422, "item.extension-not-later", "/due_on"),
        ("reporter", "extension/request", {"due_on": "2023-06-30"}, 422, "request.invalid", "/reason"),
        ("reporter", "extension/request", ASKED | {"effective_on": "2022-01-31"}, 422,
         "effective.before-predecessor", "/effective_on"),
        ("office", "extension/grant", {}, 409, "item.no-extension", None),
        ("reporter", "extension/grant", {}, 403, "auth.not-permitted", None),
        ("office", "extension/refuse", {"reason": "无"}, 409, "item.no-extension", None),
        ("office", "reschedule", {"due_on": "2021-12-31", "reason": "提前"}, 422, "item.due-before-start", "/due_on"),
        ("office", "reschedule", {"due_on": "2023-06-30"}, 422, "request.invalid", "/reason"),
        ("office", "cancel", {"reason": "撤并"}, 422, "request.invalid", "/authority"),
        ("reporter", "cancel", WHY, 403, "auth.not-permitted", None),
        ("office", "merge", WHY, 422, "request.invalid", "/into"),
        ("office", "carry-over", WHY | {"successor": "NO-PLAN"}, 422, "plan.unknown", "/successor"),
        ("office", "carry-over", WHY | {"successor": "PLAN-1"}, 422, "item.carried-into-own-plan", "/successor"),
        ("office", "reopen", WHY, 409, "item.wrong-state", None),
        ("office", "note", NOTED, 403, "auth.not-permitted", None),
        ("reporter", "note", NOTED | {"done": ""}, 422, "request.invalid", "/done"),
        ("reporter", "note", NOTED | {"unknown": 1}, 422, "request.invalid", "/unknown"),
    ],
)  # fmt: skip
async def test_a_wrong_turn_is_refused_and_nothing_is_written(
    measures: Door, started: str, written: Written, who: str, path: str, body: dict[str, Any], status: int, code: str,
    at: str | None,
) -> None:  # fmt: skip
    role, unit = {
        "office": ("reform-office", "CQ"),
        "reporter": ("unit-reporter", "ORG"),
        "stranger": ("unit-reporter", "YB"),
        "partaker": ("unit-reporter", "FIN"),
    }[who]
    before = await written()
    assert_problem(await measures.client_for(role, unit).post(f"{started}/{path}", json=body), status, code, at=at)
    assert await written() == before
