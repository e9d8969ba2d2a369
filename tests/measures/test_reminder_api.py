"""The door by which the office reminds an item's owner: not too often, and only of what waits for the owner."""

from datetime import date, timedelta

import httpx
import pytest

from builders import item_body
from doors import Door
from refusals import assert_problem


def on(day: date) -> dict[str, str]:
    return {"effective_on": day.isoformat()}


async def test_the_office_reminds_the_owner_once_a_week(office: httpx.AsyncClient, started: str) -> None:
    first = date(2022, 12, 1)
    assert (await office.post(f"{started}/remind", json=on(first))).status_code == 200
    again = await office.post(f"{started}/remind", json=on(first))
    assert (again.status_code, again.json()["version"]) == (200, (await office.get(started)).json()["version"])
    soon = await office.post(f"{started}/remind", json=on(first + timedelta(days=6)))
    assert_problem(soon, 409, "item.reminded-recently")
    assert (await office.post(f"{started}/remind", json=on(date(2023, 1, 15)))).status_code == 200
    events = (await office.get(f"{started}/history")).json()["events"][-2:]
    assert [event["data"]["cause"] for event in events] == ["due-soon", "overdue"]
    assert (await office.get(started)).json()["reminded_on"] == "2023-01-15"


async def test_nobody_is_reminded_of_a_draft(office: httpx.AsyncClient, item: str) -> None:
    assert_problem(await office.post(f"{item}/remind"), 409, "item.wrong-state")


@pytest.mark.parametrize(
    ("role", "unit"), [("unit-reporter", "ORG"), ("independent-assurer", "SOC"), ("auditor", "CQ")]
)
async def test_reminding_is_the_office_s_and_the_supervisor_s(
    measures: Door, started: str, role: str, unit: str
) -> None:
    assert_problem(await measures.client_for(role, unit).post(f"{started}/remind"), 403, "auth.not-permitted")
    supervisor = measures.client_for("supervisor", "SOC")
    assert (await supervisor.post(f"{started}/remind")).status_code == 200


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_many_owners_are_reminded_at_once_with_a_verdict_for_each(
    office: httpx.AsyncClient, started: str
) -> None:
    draft = (await office.post("/api/v1/items", json=item_body())).headers["location"]
    other = (await office.post("/api/v1/items", json=item_body())).headers["location"]
    await office.post(f"{other}/assign", json=on(date(2022, 1, 10)))
    rows = [{"item": address.rpartition("/")[2]} for address in (started, draft, other, started)]
    batch = {"rows": rows, **on(date(2022, 12, 1))}
    told = (await office.post("/api/v1/items/remind-batch", json=batch)).json()["rows"]
    assert [(row["reminded"], row["code"]) for row in told] == [
        (True, None), (False, "item.wrong-state"), (True, None), (True, None)
    ]  # fmt: skip
    assert told[0]["position"] == told[3]["position"], "the same said twice is said once"
    soon = (await office.post("/api/v1/items/remind-batch", json={**batch, **on(date(2022, 12, 5))})).json()["rows"]
    assert [row["code"] for row in soon] == [
        "item.reminded-recently", "item.wrong-state", "item.reminded-recently", "item.reminded-recently"
    ]  # fmt: skip


async def test_the_same_key_reminds_once_and_is_answered_alike(office: httpx.AsyncClient, started: str) -> None:
    batch = {"rows": [{"item": started.rpartition("/")[2]}], **on(date(2022, 12, 1))}
    first, again = [
        await office.post("/api/v1/items/remind-batch", json=batch, headers={"idempotency-key": "k-1"})
        for _ in range(2)
    ]
    assert (first.status_code, first.json()) == (200, again.json())
    version = (await office.get(started)).json()["version"]
    assert first.json()["rows"][0]["position"] == f"{started.rpartition('/')[2]}@{version}"


async def test_who_may_not_remind_reminds_nobody_at_once_either(reporter: httpx.AsyncClient, started: str) -> None:
    batch = {"rows": [{"item": started.rpartition("/")[2]}]}
    assert_problem(await reporter.post("/api/v1/items/remind-batch", json=batch), 403, "auth.not-permitted")
