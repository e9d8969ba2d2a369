"""The lists of items that an office works with: what is asked for, in which order, and along which index."""

from datetime import date, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from builders import call_of, item_body, unit_id
from common.clock import SHANGHAI
from keeping import keep_an_item
from measures.item.lists import ItemFilter, ItemOrder, find_items
from refusals import assert_problem
from servers import Database

ITEMS = "/api/v1/items"


@pytest.fixture
async def listed(office: httpx.AsyncClient, plan: str) -> None:
    """Three items, due in the order C, A, B; C is late, and so was B before it was cancelled."""
    for code, title_en, due_on in (
        ("A1-A", "Channels for societies", "2099-06-30"),
        ("A1-B", "A list of 100% of the posts", "2099-12-31"),
        ("A1-C", "Rules", "2022-12-31"),
        ("A1-D", "Rules of old", "2022-12-31"),
    ):
        tags = ["mass", "office"] if code == "A1-B" else ["mass"] if code == "A1-C" else []
        body = item_body(code=code, title_zh=f"事项{code[-1]}", title_en=title_en, due_on=due_on, tags=tags)
        reply = await office.post(ITEMS, json=body)
        assert reply.status_code == 201, reply.text
    why = {"reason": "撤并", "authority": "会议纪要"}
    assert (await office.post(f"{reply.headers['location']}/cancel", json=why)).status_code == 200


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"sort": "due"}, "CDAB"),
        ({"sort": "due", "due_from": "2023-01-01"}, "AB"),
        ({"due_to": "2022-12-31"}, "CD"),
        ({"due_from": "2022-12-31", "due_to": "2099-06-30"}, "ACD"),
        ({"late": "true"}, "C"),
        ({"late": "false"}, "ABD"),
        ({"text": "rules"}, "CD"),
        ({"text": "a1-b"}, "B"),
        ({"text": "事项A"}, "A"),
        ({"text": "100%"}, "B"),
        ({"text": "_"}, ""),
        ({"state": "cancelled"}, "D"),
        ({"tag": "mass"}, "BC"),
        ({"tag": "office", "state": "draft"}, "B"),
        ({"tag": "workers"}, ""),
        ({"state": "draft", "text": "rules", "measure": "A1", "owner": "ORG"}, "C"),
    ],
)
async def test_a_list_shows_what_was_asked_for(
    office: httpx.AsyncClient, listed: None, asked: dict[str, str], expected: str
) -> None:
    reply = await office.get(ITEMS, params={"plan": "PLAN-1"} | asked)
    assert "".join(item["code"][-1] for item in reply.json()["items"]) == expected, reply.text


async def test_days_late_are_told_of_what_a_list_calls_late_and_of_nothing_else(
    office: httpx.AsyncClient, listed: None
) -> None:
    shown = (await office.get(ITEMS, params={"plan": "PLAN-1"})).json()["items"]
    due = (datetime.now(SHANGHAI).date() - date(2022, 12, 31)).days
    assert {item["code"]: item["days_late"] for item in shown} == {"A1-A": 0, "A1-B": 0, "A1-C": due, "A1-D": 0}
    address = next(f"{ITEMS}/{item['id']}" for item in shown if item["code"] == "A1-C")
    assert (await office.get(address)).json()["days_late"] == due


async def test_a_list_shows_each_viewer_their_own_and_what_changed_since(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, item: str
) -> None:
    async def shown(viewer: httpx.AsyncClient) -> dict[str, Any]:
        found: dict[str, Any] = (await viewer.get(ITEMS, params={"plan": "PLAN-1"})).json()["items"][0]
        assert found == (await viewer.get(item)).json()
        return found

    assert "assign" in (await shown(office))["allowed_actions"]
    assert (await shown(reporter))["allowed_actions"] == []
    assert (await office.post(f"{item}/assign")).status_code == 200
    assert "acknowledge" in (await shown(reporter))["allowed_actions"]
    assert "carry-over" in {one["action"] for one in (await shown(office))["blocked"]}
    for step, on in (("phases/P1/enter", "2022-01-05"), ("start-final-evaluation", "2026-01-05")):
        reply = await office.post(f"{plan}/{step}", json={"effective_on": on})
        assert reply.status_code == 200, reply.text
    assert "carry-over" in (await shown(office))["allowed_actions"]


async def test_a_list_by_due_date_is_read_page_by_page(office: httpx.AsyncClient, listed: None) -> None:
    asked: dict[str, Any] = {"plan": "PLAN-1", "sort": "due", "limit": 1}
    found, cursor = "", None
    for _ in range(4):
        page = (await office.get(ITEMS, params=asked | ({"cursor": cursor} if cursor else {}))).json()
        found += "".join(item["code"][-1] for item in page["items"])
        cursor = page["next"]
    assert (found, cursor) == ("CDAB", None)


@pytest.mark.parametrize("cursor", ["A1-A", "soon/A1-A", "2022-13-01/A1-A", "2022-12-31", "2022-12-31/abc"])
async def test_a_cursor_of_another_order_is_refused(office: httpx.AsyncClient, plan: str, cursor: str) -> None:
    reply = await office.get(ITEMS, params={"plan": "PLAN-1", "sort": "due", "cursor": cursor})
    assert_problem(reply, 422, "request.cursor-invalid", at="/query/cursor")


@pytest.mark.parametrize("cursor", ["abc", "2022-12-31/A1-A", "a\0b"])
@pytest.mark.parametrize("noun", ["items", "local-plans", "risks"])
async def test_a_cursor_that_is_no_code_is_refused_by_every_list_by_code(
    office: httpx.AsyncClient, plan: str, noun: str, cursor: str
) -> None:
    reply = await office.get(f"/api/v1/{noun}", params={"plan": "PLAN-1", "cursor": cursor})
    assert_problem(reply, 422, "request.cursor-invalid", at="/query/cursor")


@pytest.mark.parametrize(
    "asked",
    [{"due_from": "soon"}, {"late": "perhaps"}, {"text": ""}, {"text": "x" * 101}, {"sort": "title"}, {"tag": "red"}],
)
async def test_a_question_that_cannot_be_asked_is_refused(
    office: httpx.AsyncClient, plan: str, asked: dict[str, str]
) -> None:
    assert_problem(await office.get(ITEMS, params={"plan": "PLAN-1"} | asked), 422, "request.invalid")


# ── along which index ────────────────────────────────────────────────────────────────────────────────────────────────

COPIES = """
INSERT INTO item
SELECT (jsonb_populate_record(item, jsonb_build_object(
    'id', gen_random_uuid(), 'code', 'A1-' || lpad(n::text, 6, '0'), 'measure', 'A' || n % 15,
    'owner', md5('unit' || n % 60)::uuid, 'co_units', '{}'::uuid[], 'due_on', date '2022-01-01' + n % 1800,
    'state', (ARRAY['draft', 'assigned', 'in-progress', 'verified-closed'])[1 + n % 4]))).*
FROM item, generate_series(1, 3000) n WHERE item.id = $1
"""
"""Three thousand items of one plan, like the one that is there."""

INDEX_OF: list[tuple[dict[str, Any], ItemOrder, str]] = [
    ({}, ItemOrder.CODE, "uq_item_plan_code"),
    ({"measure": "A7"}, ItemOrder.CODE, "ix_item_plan_measure_code"),
    ({"state": "assigned"}, ItemOrder.CODE, "ix_item_plan_state_code"),
    ({"owner": unit_id("YB")}, ItemOrder.CODE, "ix_item_owner_plan_code"),
    ({"due_from": date(2023, 1, 1), "due_to": date(2023, 3, 31)}, ItemOrder.DUE, "ix_item_plan_due_on_code"),
    ({"late": True}, ItemOrder.DUE, "ix_item_plan_due_on_code"),
]


async def test_a_page_of_a_long_list_is_one_stretch_of_one_index(
    database: Database, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(COPIES, await keep_an_item(pool))
    await owner.execute("ANALYZE item")
    await owner.close()
    asked: list[str] = []
    fetch = asyncpg.Pool.fetch

    async def explain(pool: asyncpg.Pool, sql: str, *values: Any) -> list[Any]:
        asked[:] = [row[0] for row in await fetch(pool, f"EXPLAIN {sql}", *values)]
        return []

    monkeypatch.setattr(asyncpg.Pool, "fetch", explain)
    for wanted, order, index in INDEX_OF:
        await find_items(call_of(pool), ItemFilter(plan="PLAN-1", **wanted), order=order, after=None, limit=20)
        way = "\n".join(asked)
        assert f"Index Scan using {index}" in way, way
        assert "Sort Key: found" not in way, way
    of_unit = call_of(pool, role="unit-reporter", unit="YB")
    await find_items(of_unit, ItemFilter(plan="PLAN-1"), order=ItemOrder.DUE, after=None, limit=20)
    way = "\n".join(asked)
    assert "Seq Scan on item" not in way, way
    assert "Bitmap Index Scan on ix_item_co_units" in way, way  # its items are few: they alone are gone through
