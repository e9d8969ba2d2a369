"""Whoever asks, for whichever unit: on every read and command the door answers as the table of roles says."""

import csv
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest

from common.roles import ROLES, TABLE
from doors import Door
from refusals import assert_problem
from routes import app_of, commands

APP = app_of("measures")
HELD: dict[str | None, set[str]] = {
    "ORG": {"own", "subtree", "all"},
    "FIN": {"own", "subtree", "all"},
    "CQ": {"subtree", "all"},
    "ORG-1": {"all"},
    "YB": {"all"},
    "SOC": {"lead", "all"},
    None: {"all"},
}
"""What each unit is to the item: ORG owns it, FIN takes part in it, CQ is above both, SOC leads its measure."""


def _cells() -> dict[tuple[str, str], set[str]]:
    """The table as a person reads it: what stands in the row of a permission under a role."""
    (_, _, *roles), _, *rows = list(csv.reader(TABLE.read_text().splitlines()))
    return {(row[0], role): set(cell.split("+")) for row in rows for role, cell in zip(roles, row[2:], strict=True)}


CELLS = _cells()


def _example(path: str) -> Any:
    """A lawful body of a command, as the service's document shows it."""
    document = APP.openapi()
    body = document["paths"][path]["post"].get("requestBody", {"content": {"application/json": {"schema": {}}}})
    name = body["content"]["application/json"]["schema"].get("$ref", "").rsplit("/")[-1]
    return document["components"]["schemas"][name]["examples"][0] if name else {}


def _item_commands() -> Iterator[tuple[str, str, Any]]:
    for template, permission in commands(APP, "/api/v1/items", {"number": ("{number}",)}).items():
        yield template.format(number=1), permission, _example(f"/api/v1/items/{{item_id}}/{template}")


ITEM_COMMANDS = list(_item_commands())


@pytest.fixture
async def led(office: httpx.AsyncClient, started: str) -> str:
    """The address of an item on which work has begun, and whose measure is led by SOC."""
    (measure,) = (one for one in await _measures(office) if one["code"] == "A1")
    body = {"lead_unit": "SOC", "effective_on": "2022-01-05"}
    assert (await office.post(f"/api/v1/measures/{measure['id']}/lead", json=body)).status_code == 200
    return started


async def _measures(office: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    return found


@pytest.mark.parametrize("unit", HELD)
async def test_an_item_is_there_for_those_alone_who_may_see_it(measures: Door, led: str, unit: str | None) -> None:
    for role in ROLES:
        client, held = measures.client_for(role, unit), HELD[unit]
        replies = [await client.get(address) for address in (led, f"{led}/history")]
        listed = await client.get("/api/v1/items", params={"plan": "PLAN-1"})
        if CELLS["item.read", role] == {""}:
            for reply in (*replies, listed):
                assert_problem(reply, 403, "auth.not-permitted")
        elif CELLS["item.read", role] & held:
            assert [reply.status_code for reply in replies] == [200, 200]
            assert [one["id"] for one in listed.json()["items"]] == [led.rsplit("/", maxsplit=1)[-1]]
        else:
            for reply in replies:
                assert_problem(reply, 404, "item.not-found")
            assert listed.json()["items"] == []


@pytest.mark.parametrize("unit", HELD)
async def test_a_command_is_permitted_over_what_the_table_says(measures: Door, led: str, unit: str | None) -> None:
    for role, (path, permission, body) in product(ROLES, ITEM_COMMANDS):
        client = measures.client_for(role, unit, **{"if-match": '"0"'})
        reply = await client.post(f"{led}/{path}", json=body)
        expected = _refusal(role, permission, HELD[unit])
        if expected is None:  # nothing of the table: it was made for a version of before, or lacks what it speaks of
            assert reply.status_code in {409, 412, 422}
        else:
            assert_problem(reply, *expected)


def _refusal(role: str, permission: str, held: set[str]) -> tuple[int, str] | None:
    """What the table has against a command of a role."""
    if CELLS[permission, role] == {""}:
        return 403, "auth.not-permitted"
    if not CELLS["item.read", role] & held:
        return 404, "item.not-found"
    return None if CELLS[permission, role] & held else (403, "auth.not-permitted")


async def test_where_a_permission_would_hold_is_said_in_the_tables_words(measures: Door, led: str) -> None:
    reporter = measures.client_for("unit-reporter", "CQ")
    reply = await reporter.post(f"{led}/report-done", json={"claim": "完成"})
    assert "item.report-done" in (told := assert_problem(reply, 403, "auth.not-permitted")["detail"])
    assert "own" in told
