"""A sheet of items at the door: tried first, then taken in, each item with a verdict of its own."""

import asyncio
from collections.abc import Collection
from datetime import date
from typing import Any

import httpx
import pytest

from builders import item_body
from common.call import Call
from common.saving import Ground
from doors import Door
from local_plans import LOCAL_PLANS, local_plan_body
from measures.item.domain import Item
from measures.item_sheet.commands import _present
from measures.plan.domain import Plan
from measures.plan.store import ground_named
from papers import PDF
from refusals import assert_problem
from sheets import IMPORT, a_line, a_milestone_line, as_csv, as_xlsx, sent, told


async def test_a_sheet_is_tried_then_taken_in_and_is_the_same_ever_after(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    sheet = as_csv(a_line(), a_milestone_line(2), a_line("A1-02"), a_line("A1-03", owner="NOWHERE"))
    expected = [
        (2, "A1-01", "new", []),
        (4, "A1-02", "new", []),
        (5, "A1-03", "error", [("E5", "unit.unknown")]),
    ]
    tried = await sent(office, sheet, dry_run=True)
    assert told(tried) == expected
    assert await measures.pool.fetchval("SELECT count(*) FROM item") == 0
    run = await sent(office, sheet, token=tried["token"])
    assert told(run) == expected
    listed = (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]
    assert [(item["code"], item["version"], len(item["milestones"])) for item in listed] == [
        ("A1-01", 3, 2),
        ("A1-02", 2, 1),
    ]
    again = await sent(office, sheet, token=tried["token"])
    assert [verdict for _, _, verdict, _ in told(again)] == ["same", "same", "error"]


# ── what a sheet changes, and what it may not ────────────────────────────────────────────────────────────────────────


async def test_a_sheet_moves_dates_and_adds_milestones_for_a_reason(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    await sent(office, as_csv(a_line()))
    later = {"due_on": "2023-06-30", "effective_on": "2022-03-01"}
    without = as_csv(a_line(**later), a_milestone_line(2))
    assert told(await sent(office, without)) == [(2, "A1-01", "error", [("2", "sheet.reason-needed")])]
    moved = as_csv(a_line(**later, reason="纪要 2022-2"), a_milestone_line(2))
    for dry_run in (True, False):
        assert told(await sent(office, moved, dry_run=dry_run)) == [(2, "A1-01", "changed", [])]
    assert told(await sent(office, moved)) == [(2, "A1-01", "same", [])]
    (item,) = (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]
    assert (item["due_on"], item["version"], len(item["milestones"])) == ("2023-06-30", 4, 2)
    history = (await office.get(f"/api/v1/items/{item['id']}/history")).json()
    assert history["chain"] == "ok"
    assert [event["effective_on"] for event in history["events"]][2:] == ["2022-03-01", "2022-03-01"]


async def test_what_no_decision_changes_is_a_conflict_with_each_of_its_cells(
    office: httpx.AsyncClient, plan: str
) -> None:
    await sent(office, as_csv(a_line()))
    report = await sent(office, as_csv(a_line(title_zh="另", owner="SOC", milestone_weight="3")))
    assert told(report) == [
        (2, "A1-01", "conflict", [("C2", "sheet.differs"), ("E2", "sheet.differs"), ("S2", "sheet.differs")])
    ]
    assert report["rows"][0]["reasons"][0]["detail"] == "事项现为“改革事项”，表格不能更改此项"


async def test_what_was_moved_by_hand_since_is_a_conflict(office: httpx.AsyncClient, plan: str) -> None:
    report = await sent(office, as_csv(a_line()))
    moved = {"due_on": "2023-06-30", "reason": "纪要", "effective_on": "2022-03-01"}
    assert (await office.post(f"/api/v1/items/{report['rows'][0]['item']}/reschedule", json=moved)).status_code == 200
    again = await sent(office, as_csv(a_line(reason="重新导入")))
    assert told(again) == [(2, "A1-01", "conflict", [("M2", "sheet.moved-on")])]


async def test_what_changes_between_dry_run_and_run_is_a_conflict(office: httpx.AsyncClient, plan: str) -> None:
    await sent(office, as_csv(a_line("A1-01"), a_line("A1-02")))
    later = {"due_on": "2023-06-30", "effective_on": "2022-03-01", "reason": "纪要"}
    sheet = as_csv(a_line("A1-01", **later), a_line("A1-02", **later), a_line("A1-03"), a_line("A1-04"))
    tried = await sent(office, sheet, dry_run=True)
    assert [verdict for _, _, verdict, _ in told(tried)] == ["changed", "changed", "new", "new"]
    assert (await office.post(f"/api/v1/items/{tried['rows'][1]['item']}/assign")).status_code == 200
    own = item_body(code="A1-03", title_zh="另")
    assert (await office.post("/api/v1/items", json=own)).status_code == 201
    run = await sent(office, sheet, token=tried["token"])
    assert told(run) == [
        (2, "A1-01", "changed", []),
        (3, "A1-02", "conflict", [("A3", "sheet.changed-since")]),
        (4, "A1-03", "conflict", [("A4", "sheet.changed-since")]),
        (5, "A1-04", "new", []),
    ]


async def test_a_run_that_was_cut_short_is_sent_again_with_the_same_token(office: httpx.AsyncClient, plan: str) -> None:
    sheet = as_csv(a_line("A1-01"), a_line("A1-02"))
    tried = await sent(office, sheet, dry_run=True)
    await sent(office, as_csv(a_line("A1-01")))
    assert [verdict for _, _, verdict, _ in told(await sent(office, sheet, token=tried["token"]))] == ["same", "new"]


@pytest.mark.parametrize("wrong", ["another", "AAAA", "!", "A" * 25])
async def test_a_token_is_that_of_this_sheet(office: httpx.AsyncClient, plan: str, wrong: str) -> None:
    tried = await sent(office, as_csv(a_line("A1-02")), dry_run=True)
    reply = await office.post(
        IMPORT,
        content=as_csv(a_line()),
        params={"plan": "PLAN-1", "dry_run": False},
        headers={"dry-run-token": tried["token"] if wrong == "another" else wrong},
    )
    assert_problem(reply, 422, "sheet.wrong-token")


async def test_what_the_items_state_does_not_allow_is_a_conflict(
    office: httpx.AsyncClient, plan: str, measures: Door
) -> None:
    report = await sent(office, as_csv(a_line()))
    cancel = {"reason": "撤销", "authority": "纪要", "effective_on": "2022-02-01"}
    assert (await office.post(f"/api/v1/items/{report['rows'][0]['item']}/cancel", json=cancel)).status_code == 200
    moved = as_csv(a_line(due_on="2023-06-30", effective_on="2022-03-01", reason="纪要"))
    for dry_run in (True, False):
        report = await sent(office, moved, dry_run=dry_run)
        assert [(v, [code for _, code in reasons]) for _, _, v, reasons in told(report)] == [
            ("conflict", ["item.wrong-state"])
        ]


async def test_every_wrong_cell_is_told_with_its_reason(office: httpx.AsyncClient, plan: str) -> None:
    sheet = as_csv(
        a_line("A1-01", due_on="六月底", focus="其他", co_units="FIN，NOWHERE"),
        a_line("a1"),
        a_line("A1-03", co_units="FIN、NOWHERE"),
        a_line("A1-04"),
        a_milestone_line(1, "A1-04"),
        a_line("A1-05", measure="Z9"),
        a_line("A1-06", due_on="2021-12-31"),
        a_line("A1-07", effective_on="2020-12-31"),
    )
    expected = [
        (2, "A1-01", "error", [("K2", "enum"), ("M2", "date_parsing")]),
        (3, "a1", "error", [("A3", "string_pattern_mismatch")]),
        (4, "A1-03", "error", [("F4", "unit.unknown")]),
        (5, "A1-04", "error", [("N6", "sheet.milestone-twice")]),
        (7, "A1-05", "error", [("B7", "plan.unknown-measure")]),
        (8, "A1-06", "error", [("M8", "item.due-before-start")]),
        (9, "A1-07", "error", [("R9", "effective.before-plan")]),
    ]
    for dry_run in (True, False):
        assert told(await sent(office, sheet, dry_run=dry_run)) == expected


async def test_a_local_item_may_be_part_of_one_in_the_same_sheet(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str
) -> None:
    local = (await reporter.post(LOCAL_PLANS, json=local_plan_body())).headers["location"]
    await reporter.post(f"{local}/submit", json={"effective_on": "2022-02-20"})
    await office.post(f"{local}/file", json={"filing_number": "备案1", "effective_on": "2022-03-20"})
    local_ones = {"local_plan": "ORG-2022", "effective_on": "2022-03-20"}
    sheet = as_csv(
        a_line("ORG-01", parent="A1-01", **local_ones),
        a_line("A1-01", progress_basis="地方事项"),
        a_line("ORG-02", parent="A1-09", **local_ones),
        a_line("A1-02"),
        a_line("ORG-03", parent="A1-02", **local_ones),
    )
    expected = [
        (2, "ORG-01", "new", []),
        (3, "A1-01", "new", []),
        (4, "ORG-02", "error", [("S4", "item.unknown")]),
        (5, "A1-02", "new", []),
        (6, "ORG-03", "error", [("S6", "item.parent-by-milestones")]),
    ]
    for dry_run in (True, False):
        assert told(await sent(office, sheet, dry_run=dry_run)) == expected
    assert [verdict for _, _, verdict, _ in told(await sent(office, sheet))] == [
        "same",
        "same",
        "error",
        "same",
        "error",
    ]


async def test_two_imports_of_one_sheet_at_once_list_each_item_once_and_find_no_conflict(
    office: httpx.AsyncClient, plan: str
) -> None:
    sheet = as_csv(*(a_line(f"A1-{number:02}") for number in range(1, 65)))
    tried = await sent(office, sheet, dry_run=True)
    told_to = await asyncio.gather(*(sent(office, sheet, token=tried["token"]) for _ in range(2)))
    verdicts = [[row["verdict"] for row in report["rows"]] for report in told_to]
    assert {frozenset(pair) for pair in zip(*verdicts, strict=True)} == {frozenset({"new", "same"})}


@pytest.mark.parametrize(
    ("with_token", "expected"), [(True, ("conflict", ["sheet.changed-since"])), (False, ("changed", []))]
)
async def test_an_item_that_somebody_changes_under_an_import_is_looked_at_again(
    office: httpx.AsyncClient, plan: str, monkeypatch: pytest.MonkeyPatch, with_token: bool, expected: Any
) -> None:
    await sent(office, as_csv(a_line("A1-01")))
    (item,) = (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]
    sheet = as_csv(a_line("A1-01", due_on="2023-06-30", reason="顺延"))
    token = (await sent(office, sheet, dry_run=True))["token"] if with_token else None
    left = iter(range(1))

    async def and_then_assigned(call: Call, plan: str, codes: Collection[str]) -> dict[str, Item]:
        found = await _present(call, plan, codes)
        if next(left, None) is not None:
            assigned = await office.post(f"/api/v1/items/{item['id']}/assign", json={"effective_on": "2022-01-10"})
            assert assigned.is_success
        return found

    monkeypatch.setattr("measures.item_sheet.commands._present", and_then_assigned)
    (row,) = (await sent(office, sheet, token=token))["rows"]
    assert (row["verdict"], [one["code"] for one in row["reasons"]]) == expected


@pytest.mark.parametrize(("turns", "verdict"), [(1, "new"), (4, "new"), (5, "conflict")])
async def test_a_turn_that_passes_beside_an_import_fails_none_of_its_lines(
    measures: Door,
    office: httpx.AsyncClient,
    plan: str,
    monkeypatch: pytest.MonkeyPatch,
    turns: int,
    verdict: str,
) -> None:
    """Each of so many looks at the plan is followed by a turn: it writes the plan's row anew, as it is."""
    left = iter(range(turns))

    async def with_a_turn(call: Call, code: str) -> tuple[Plan, Ground]:
        found = await ground_named(call, code)
        if next(left, None) is not None:
            await measures.pool.execute("UPDATE plan SET version = version")
        return found

    monkeypatch.setattr("measures.item_sheet.commands.ground_named", with_a_turn)
    report = await sent(office, as_csv(*(a_line(f"A1-{number:02}") for number in range(1, 71))))
    verdicts = [row["verdict"] for row in report["rows"]]
    assert verdicts[:64] == [verdict] * 64
    assert verdicts[64:] == ["new"] * 6
    assert {one["code"] for row in report["rows"] for one in row["reasons"]} <= {"version.contended"}


async def test_a_cell_that_has_one_of_two_words_says_which(office: httpx.AsyncClient, plan: str) -> None:
    (row,) = (await sent(office, as_csv(a_line("A1-01", milestone_required="必须"))))["rows"]
    assert [(one["cell"], one["detail"]) for one in row["reasons"]] == [("S2", "应为“是”或“否”")]


async def test_reasons_are_told_in_the_callers_language(measures: Door, plan: str) -> None:
    office = measures.client_for("reform-office", "CQ", accept_language="en")
    report = await sent(office, as_csv(a_line(owner="NOWHERE")))
    assert report["rows"][0]["reasons"][0]["detail"] == "The directory knows no unit with the code NOWHERE"


async def test_a_workbook_is_taken_in_and_its_formulas_are_told(office: httpx.AsyncClient, plan: str) -> None:
    line = a_line(effect=("=A1", "成效"), due_on=date(2022, 12, 31), planned_start_on=44562, milestone=1)
    report = await sent(office, as_xlsx([list(line), list(line.values())], name="清单"))
    assert (report["sheet"], told(report)) == ("清单", [(2, "A1-01", "new", [])])
    assert report["rows"][0]["formulas"] == ["J2"]
    assert report["counts"] == {"new": 1, "changed": 0, "same": 0, "conflict": 0, "error": 0}


# ── who, and how much ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_who_lists_items_imports_them(measures: Door, plan: str) -> None:
    reply = await measures.client_for("unit-reporter", "ORG").post(IMPORT, content=as_csv(a_line()))
    assert_problem(reply, 403, "auth.not-permitted")
    assert_problem(await measures.client().post(IMPORT, content=as_csv(a_line())), 401, "auth.token-missing")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"x" * (10 * 1024 * 1024 + 1), 413, "sheet.too-large"),
        (PDF, 422, "sheet.kind-not-taken"),
        (b"", 422, "sheet.empty"),
        (as_csv(a_line()) + b"A1-01\r\n" * 200_000, 413, "sheet.too-many-rows"),
    ],
    ids=["large", "pdf", "empty", "rows"],
)
async def test_a_sheet_that_is_not_taken_leaves_nothing_behind(
    measures: Door, office: httpx.AsyncClient, plan: str, content: bytes, status: int, code: str
) -> None:
    reply = await office.post(IMPORT, content=content, params={"plan": "PLAN-1", "dry_run": False})
    assert_problem(reply, status, code)
    assert await measures.pool.fetchval("SELECT count(*) FROM item") == 0


async def test_a_sheet_is_for_a_plan_that_there_is(office: httpx.AsyncClient) -> None:
    reply = await office.post(IMPORT, content=as_csv(a_line()), params={"plan": "NO-PLAN"})
    assert_problem(reply, 422, "plan.unknown")


async def test_more_sheets_at_once_than_there_is_room_for_are_refused(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    measures.app.state.sheets.limit = 0
    reply = await office.post(IMPORT, content=as_csv(a_line()), params={"plan": "PLAN-1"})
    assert_problem(reply, 503, "service.busy")


async def test_a_key_is_not_one_key_for_all_items(measures: Door, office: httpx.AsyncClient, plan: str) -> None:
    reply = await office.post(
        IMPORT,
        content=as_csv(a_line("A1-01"), a_line("A1-02")),
        params={"plan": "PLAN-1", "dry_run": False},
        headers={"idempotency-key": "one"},
    )
    assert [row["verdict"] for row in reply.json()["rows"]] == ["new", "new"]
    assert await measures.pool.fetchval("SELECT count(*) FROM item") == 2
