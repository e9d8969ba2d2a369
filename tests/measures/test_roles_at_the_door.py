"""Whoever asks, for whichever unit: on every read and command the door answers as the table of roles says."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from builders import item_body
from common.files import Files
from common.roles import ROLES, TABLE, Over, permissions_of
from doors import Door
from local_plans import local_plan_body
from papers import PDF, evidence_body, sha256_of
from refusals import assert_problem
from routes import app_of, commands

APP = app_of("measures")
OWN, ABOVE, NONE = {"own", "subtree", "all"}, {"subtree", "all"}, {"all"}
Held = Mapping[str | None, set[str]]
NOBODYS: Held = dict.fromkeys(("ORG", "CQ", None), NONE)
OF_ITEM: Held = {"ORG": OWN, "FIN": OWN, "CQ": ABOVE, "ORG-1": NONE, "YB": NONE, "SOC": NONE | {"lead"}, None: NONE}
"""ORG owns the item, FIN takes part in it, CQ is above both, SOC leads its measure with the help of YB."""
OF_MEASURE: Held = {"SOC": OWN | {"lead"}, "YB": OWN, "CQ": ABOVE, "SOC-1": NONE, "ORG": NONE, None: NONE}
OF_LOCAL_PLAN: Held = {"ORG": OWN, "CQ": ABOVE, "ORG-1": NONE, "FIN": NONE, "SOC": NONE, None: NONE}


def _cells() -> dict[tuple[str, str], set[str]]:
    """The table as a person reads it: what stands in the row of a permission under a role."""
    (_, _, *roles), _, *rows = list(csv.reader(TABLE.read_text().splitlines()))
    return {(row[0], role): set(cell.split("+")) for row in rows for role, cell in zip(roles, row[2:], strict=True)}


CELLS = _cells()
NOT_PERMITTED = (403, "auth.not-permitted")
DRAFTED = ("title_zh", "title_en", "document_number", "measures", "starts_on", "ends_on")


@dataclass(frozen=True)
class Thing:
    """One thing of a noun: its collection, its address, and what each unit is to it."""

    noun: str
    at: str
    address: str
    held: Mapping[str | None, set[str]]
    words: Mapping[str, dict[str, Any]]
    """Bodies of commands that speak of something that is there; for the others their description's will do."""

    def callers(self, door: Door, **headers: str) -> Iterator[tuple[str, str | None, httpx.AsyncClient]]:
        """Every role for every unit."""
        for role, unit in product(ROLES, self.held):
            yield role, unit, door.client_for(role, unit, **headers)

    def refusal(self, role: str, permission: str, unit: str | None) -> tuple[int, str] | None:
        """What the table has against a role that needs this permission."""
        if CELLS[permission, role] == {""}:
            return NOT_PERMITTED
        if not CELLS[f"{self.noun}.read", role] & self.held[unit]:
            return 404, f"{self.noun}.not-found"
        return None if CELLS[permission, role] & self.held[unit] else NOT_PERMITTED

    def commands(self) -> Iterator[tuple[str, str, Any]]:
        """The path of each command, its permission, and a body that its description shows."""
        values = {"number": ("{number}",), "code": ("{code}",)}
        for template, permission in commands(APP, self.at, values).items():
            body = self.words.get(template) or _example(self.at, template)
            yield template.format(number=1, code="P1"), permission, body


def _example(at: str, template: str) -> Any:
    document = APP.openapi()
    ways = {re.sub(rf"^{at}/{{\w+}}/", "", path): way for path, way in document["paths"].items()}
    body = ways[template]["post"].get("requestBody", {"content": {"application/json": {"schema": {}}}})
    name = body["content"]["application/json"]["schema"].get("$ref", "").rsplit("/")[-1]
    return document["components"]["schemas"][name]["examples"][0] if name else {}


async def _made(client: httpx.AsyncClient, at: str, body: dict[str, Any]) -> str:
    reply = await client.post(at, json=body)
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


@pytest.fixture
async def measure(office: httpx.AsyncClient, plan: str) -> str:
    """The address of A1, which SOC leads with the help of YB."""
    found = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    address = next(f"/api/v1/measures/{one['id']}" for one in found if one["code"] == "A1")
    lead = {"lead_unit": "SOC", "co_units": ["YB"], "effective_on": "2022-01-05"}
    assert (await office.post(f"{address}/lead", json=lead)).status_code == 200
    return address


@pytest.fixture
async def things(
    measures: Door, office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, measure: str, tmp_path: Path
) -> dict[str, Thing]:
    """One thing of every noun, about one item of ORG's."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    item = await _made(office, "/api/v1/items", item_body(code="A1-01"))
    file = await reporter.put(
        f"/api/v1/evidence-files/{sha256_of(PDF)}", content=PDF, headers={"content-type": "application/pdf"}
    )
    assert file.status_code == 201, file.text
    about = {"plan": "PLAN-1", "subject_kind": "item", "subject": "A1-01", "effective_on": "2022-03-01"}
    rating = about | {"rating": "yellow", "reason": "回执未齐", "expires_on": "2030-01-01"}
    risk = about | {"code": "R-1", "title_zh": "风险", "title_en": "Risk", "owner": "ORG", "likelihood": 3, "impact": 4}
    assurer = measures.client_for("independent-assurer", "CQ")
    made = {
        "plan": (plan, NOBODYS),
        "measure": (measure, OF_MEASURE),
        "local-plan": (await _made(reporter, "/api/v1/local-plans", local_plan_body()), OF_LOCAL_PLAN),
        "item": (item, OF_ITEM),
        "evidence": (await _made(reporter, "/api/v1/evidence", evidence_body(item)), OF_ITEM),
        "assurance": (await _made(assurer, "/api/v1/assurances", rating), OF_ITEM),
        "risk": (await _made(reporter, "/api/v1/risks", risk), OF_ITEM),
    }
    evidence = made["evidence"][0].rpartition("/")[2]
    link = {"kind": "item", "id": item.rpartition("/")[2]}
    words: dict[str, dict[str, Any]] = {
        "local-plan": {"redraft": {name: local_plan_body()[name] for name in DRAFTED}},
        "evidence": {"link": link, "unlink": link | {"reason": "原因"}, "supersede": {"successor": evidence}},
    }
    return {
        noun: Thing(noun, at.rpartition("/")[0], at, held, words.get(noun, {})) for noun, (at, held) in made.items()
    }


NOUNS = ("plan", "measure", "local-plan", "item", "evidence", "assurance", "risk")


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_thing_is_there_for_those_alone_who_may_see_it(
    measures: Door, things: dict[str, Thing], noun: str
) -> None:
    await _assert_seen_by_those_alone_who_may(measures, things[noun])


@pytest.mark.parametrize("over", [{Over.ALL}, {Over.OWN}, set[Over]()])
async def test_a_door_that_goes_by_another_table_is_caught(
    measures: Door, things: dict[str, Thing], monkeypatch: pytest.MonkeyPatch, over: set[Over]
) -> None:
    changed = {**ROLES["unit-reporter"], "item.read": frozenset(over)}
    monkeypatch.setitem(cast("Any", ROLES), "unit-reporter", changed)
    monkeypatch.setattr("common.auth.permissions_of", permissions_of.__wrapped__)  # what was read before is no use
    with pytest.raises(AssertionError):
        await _assert_seen_by_those_alone_who_may(measures, things["item"])


async def _assert_seen_by_those_alone_who_may(measures: Door, thing: Thing) -> None:
    named = {"plan": "PLAN-1"} if thing.noun not in {"plan", "evidence"} else {}
    for role, unit, client in thing.callers(measures):
        replies = [await client.get(address) for address in (thing.address, f"{thing.address}/history")]
        listed = await client.get(thing.at, params=named)
        if (against := thing.refusal(role, f"{thing.noun}.read", unit)) is None:
            assert [reply.status_code for reply in replies] == [200, 200]
        else:
            for reply in replies:
                assert_problem(reply, *against)
        if against == NOT_PERMITTED:
            assert_problem(listed, *against)
        else:
            ids = [one["id"] for one in listed.json()["items"]]
            assert (thing.address.rpartition("/")[2] in ids) is (against is None), (role, unit)


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_command_is_permitted_over_what_the_table_says(
    measures: Door, things: dict[str, Thing], noun: str
) -> None:
    thing = things[noun]
    told = list(thing.commands())
    for role, unit, client in thing.callers(measures, **{"if-match": '"0"'}):
        for path, permission, body in told:
            reply = await client.post(f"{thing.address}/{path}", json=body)
            if unit is None and reply.json()["code"] == "caller.no-unit":
                continue
            against = thing.refusal(role, permission, unit)
            if against is None:  # it was made for a version of before, or what it speaks of is missing
                assert reply.status_code in {409, 412, 422}, (role, unit, path)
            elif against == NOT_PERMITTED:
                assert_problem(reply, *against)
            else:
                await _assert_as_if_there_were_none(client, thing, path, body, reply)


async def _assert_as_if_there_were_none(
    client: httpx.AsyncClient, thing: Thing, path: str, body: Any, reply: httpx.Response
) -> None:
    """Another thing that a command speaks of may be missed first: then it is where there is nothing, too."""
    assert reply.status_code == 404 or path in thing.words
    none = await client.post(f"{thing.at}/{uuid4()}/{path}", json=body)
    assert [reply.json()[name] for name in ("code", "detail")] == [none.json()[name] for name in ("code", "detail")]


async def test_where_a_permission_would_hold_is_said_in_the_tables_words(
    measures: Door, things: dict[str, Thing]
) -> None:
    reporter = measures.client_for("unit-reporter", "CQ")
    reply = await reporter.post(f"{things['item'].address}/report-done", json={"claim": "完成"})
    assert "item.report-done" in (told := assert_problem(reply, 403, "auth.not-permitted")["detail"])
    assert "本单位" in told


@pytest.mark.parametrize("noun", ["measure", "item", "evidence", "assurance"])
async def test_who_acts_for_no_unit_is_told_what_needs_one_and_is_not_offered_it(
    measures: Door, things: dict[str, Thing], office: httpx.AsyncClient, noun: str
) -> None:
    assert (await office.post(f"{things['item'].address}/assign")).is_success
    thing, refused = things[noun], set()
    for path, permission, body in thing.commands():
        role = next(
            (role for role in ROLES if CELLS[permission, role] & NONE and CELLS[f"{noun}.read", role] & NONE), ""
        )
        if not role:
            continue  # nobody without a unit may take this step
        client = measures.client_for(role, None)
        seen = (await client.get(thing.address)).json()
        reply = await client.post(f"{thing.address}/{path}", json=body)
        if reply.json().get("code") == "caller.no-unit":
            refused.add(path)
            assert path not in seen["allowed_actions"]
            assert {one["code"] for one in seen["blocked"] if one["action"] == path} <= {"caller.no-unit"}
    assert refused
    assert (noun != "item") or "remind" in refused
