"""A sheet of items at the door: tried first, then taken in, each item with a verdict of its own."""

from typing import Any

import httpx

from doors import Door
from sheets import a_line, a_milestone_line, as_csv

IMPORT = "/api/v1/items/import"


async def sent(client: httpx.AsyncClient, content: bytes, **asked: Any) -> dict[str, Any]:
    token = asked.pop("token", None)
    headers = {"dry-run-token": token} if token else {}
    params = {"plan": "PLAN-1", "dry_run": False} | asked
    reply = await client.post(IMPORT, content=content, params=params, headers=headers)
    assert reply.status_code == 200, reply.text
    report: dict[str, Any] = reply.json()
    return report


def told(report: dict[str, Any]) -> list[tuple[int, str, str, list[tuple[str, str]]]]:
    """Row, code, verdict and reasons of each item."""
    return [
        (row["row"], row["code"], row["verdict"], [(one["cell"], one["code"]) for one in row["reasons"]])
        for row in report["rows"]
    ]


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
