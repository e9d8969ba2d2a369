"""Odd and hostile requests: each is refused by a code, the same in every service, and harms nobody who comes after."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from builders import plan_body
from common.door import Door as DoorRoute
from common.door import open_to_all
from common.http import create_app
from common.settings import Settings
from doors import Door
from http_client import Connection, request
from refusals import assert_problem
from routes import app_of
from serving import served
from stories import Told, learn

SERVICES = ("measures", "societies", "talent", "events")
PLANS = "/api/v1/plans"
VIEWS = ("/api/v1/progress/overdue", "/api/v1/progress/units")
JSON = {"content-type": "application/json"}
ROLES = {
    "measures": "reform-office",
    "societies": "municipal-admin",
    "talent": "programme-manager",
    "events": "auditor",
}
"""Who reads all that a service has."""
PLAN = {
    path: {"plan": "PLAN-1"}
    for path in ("/api/v1/items", "/api/v1/local-plans", "/api/v1/assurances", "/api/v1/risks", *VIEWS)
}
CURSORS = ("", "x", "a\0b", "\u200b", "-infinity", "9" * 300, "2022-13-01/A1", "/", "//", "{}", "A1 ", "٣", "A1\n", "%",
           "20220630/A1-01/1", "2022-06-30/A1-01/01", "2022-W26-4/A1-01/0", "2022-06-30//0")  # fmt: skip
NO_ONE = "0197C1A0-6C10-7B22-9D02-2A3B4C5D6E7F"
"""An id as no page gives it."""


def _lists(service: str) -> list[str]:
    """The addresses of all lists of a service that have pages."""
    routes = [route for route in app_of(service).routes if isinstance(route, DoorRoute)]
    return sorted(route.path for route in routes if "cursor" in route.words)


@pytest.fixture
async def doors(door_of: Callable[..., Awaitable[Door]]) -> dict[str, Door]:
    """The door of each service."""
    return {service: await door_of(service) for service in SERVICES}


@pytest.fixture
def office(measures: Door) -> httpx.AsyncClient:
    return measures.client_for("reform-office", "CQ")


async def _with_a_plan(door: Door) -> None:
    office = door.client_for("reform-office", "CQ")
    address = (await office.post(PLANS, json=plan_body())).headers["location"]
    adoption = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
    assert (await office.post(f"{address}/adopt", json=adoption)).status_code == 200


# ── cursors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_lists_with_pages() -> None:
    """Else what follows would look at none."""
    assert len(_lists("measures")) >= 7
    assert _lists("societies") == ["/api/v1/units"]
    assert _lists("talent") == ["/api/v1/programmes"]
    assert set(_lists("events")) >= set(VIEWS)


async def test_what_no_page_gave_is_no_cursor_of_any_list(doors: dict[str, Door]) -> None:
    await _with_a_plan(doors["measures"])
    told = Told()
    told.plan()
    await learn(doors["events"].pool, told.records)
    for service, role in ROLES.items():
        client = doors[service].client_for(role, "CQ")
        for path, cursor in itertools.product(_lists(service), (*CURSORS, NO_ONE)):
            if cursor == NO_ONE and path not in ("/api/v1/evidence", "/api/v1/assurances"):
                continue  # it is of the form of a code
            reply = await client.get(path, params={"cursor": cursor} | PLAN.get(path, {}))
            assert_problem(reply, 422, "request.cursor-invalid", at="/query/cursor")


# ── words of a query ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_word_that_an_endpoint_does_not_know_is_not_passed_over(doors: dict[str, Door]) -> None:
    asked = {
        "measures": ("/api/v1/items", "/api/v1/inbox", f"{PLANS}/{NO_ONE}", f"{PLANS}/{NO_ONE}/history"),
        "societies": ("/api/v1/units",),
        "talent": ("/api/v1/programmes",),
        "events": ("/api/v1/progress/measures", "/api/v1/progress/overdue", "/stream"),
    }
    for service, paths in asked.items():
        client = doors[service].client_for(ROLES[service], "CQ")
        for path in paths:
            reply = await client.get(path, params={"ownr": "ORG"})
            told = assert_problem(reply, 422, "request.unknown-parameter", at="/query/ownr")
            assert "ownr" in told["detail"]


async def test_the_words_that_there_are_are_named(office: httpx.AsyncClient) -> None:
    for language in ("zh", "en"):
        reply = await office.get("/api/v1/items?ownr=ORG", headers={"accept-language": language})
        assert "due_from" in assert_problem(reply, 422, "request.unknown-parameter")["detail"]


async def test_a_word_is_said_once(office: httpx.AsyncClient) -> None:
    for path in (f"{PLANS}?limit=1&limit=2", "/api/v1/inbox?limit=1&limit=2"):
        assert_problem(await office.get(path), 422, "request.parameter-twice", at="/query/limit")


async def test_a_command_knows_no_words_and_does_nothing_if_it_is_given_one(
    measures: Door, office: httpx.AsyncClient
) -> None:
    reply = await office.post(f"{PLANS}?dry_run=true", json=plan_body())
    assert_problem(reply, 422, "request.unknown-parameter", at="/query/dry_run")
    assert await measures.pool.fetchval("SELECT count(*) FROM plan") == 0


async def test_who_has_no_token_is_not_told_of_words(measures: Door) -> None:
    assert_problem(await measures.client().get(f"{PLANS}?x=1"), 401, "auth.token-missing")


async def test_a_page_is_shown_whatever_a_link_adds(doors: dict[str, Door]) -> None:
    reply = await doors["events"].client().get("/docs?utm_source=mail")
    assert reply.status_code == 200


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [PLANS, "/api/v1/items/verify-batch"])
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"rows": [' + b"9" * 10_000 + b"]}",
        b'{"code": "\\ud800"}',
        b'{"code": "\xed\xa0\x80"}',
        b'{"rows": [{"item": "\\ud800", "number": 1}]}',
        b'{"code": NaN}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
    ],
)
async def test_no_body_is_more_than_refused(office: httpx.AsyncClient, path: str, content: bytes) -> None:
    reply = await office.post(path, content=content, headers=JSON)
    assert reply.json()["code"] in {"request.malformed", "request.invalid"}, reply.text
    assert reply.status_code in (400, 422)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 500, "Infinity", "NaN", "1_0", "0x10", "１２", ""])
async def test_no_number_is_more_than_refused_or_read(office: httpx.AsyncClient, number: str) -> None:
    reply = await office.post("/api/v1/items", json={"milestones": [{"weight": number, "number": 1}]})
    assert_problem(reply, 422, "request.invalid")


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("told", ['"7', '7"', '"7", "8"', "W/", '""', "", "seven", "-1", "7.0", "²", 'w/"7"', "W/W/7"])
async def test_what_is_no_version_is_pointed_at(office: httpx.AsyncClient, told: str) -> None:
    address = (await office.post(PLANS, json=plan_body())).headers["location"]
    adoption = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
    headers = [(b"if-match", told.encode("latin-1"))]
    reply = await office.post(f"{address}/adopt", json=adoption, headers=headers)
    assert_problem(reply, 422, "request.if-match-invalid", at="/header/if-match")


async def test_a_version_that_cannot_be_is_another_version(office: httpx.AsyncClient) -> None:
    address = (await office.post(PLANS, json=plan_body())).headers["location"]
    adoption = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
    reply = await office.post(f"{address}/adopt", json=adoption, headers={"if-match": f'"{"9" * 38}"'})
    assert reply.status_code == 412


@pytest.mark.parametrize("key", [b"\xff\xfe", b"a\tb", b"'; --", b"%00", b" k "])
async def test_a_key_of_any_bytes_is_a_key(office: httpx.AsyncClient, key: bytes) -> None:
    replies = [await office.post(PLANS, json=plan_body(), headers=[(b"idempotency-key", key)]) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].content == replies[1].content


async def test_of_a_header_that_stands_twice_the_first_is_meant(office: httpx.AsyncClient) -> None:
    twice = [("idempotency-key", "one"), ("idempotency-key", "other")]
    (first,) = {(await office.post(PLANS, json=plan_body(), headers=given)).content for given in (twice, twice[:1])}
    other = await office.post(PLANS, json=plan_body(code="PLAN-2"), headers=twice[1:])
    assert (other.status_code, other.content == first) == (201, False)


async def test_of_a_name_that_a_body_says_twice_the_last_is_meant(office: httpx.AsyncClient) -> None:
    said = json.dumps(plan_body(code="PLAN-1")).replace('"code": "PLAN-1"', '"code": "PLAN-1", "code": "PLAN-9"')
    reply = await office.post(PLANS, content=said, headers=JSON)
    assert (await office.get(reply.headers["location"])).json()["code"] == "PLAN-9"


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _broken_app() -> Any:
    routes = APIRouter(dependencies=[Depends(open_to_all)])

    @routes.get("/broken")
    async def broken() -> str:
        raise ZeroDivisionError("unforeseen")

    @routes.get("/null")
    async def null() -> str:
        raise asyncpg.CharacterNotInRepertoireError

    @routes.get("/whole")
    async def whole() -> str:
        return "well"

    settings = Settings(database_url="postgresql://nowhere", kafka_bootstrap="nowhere", jwks="nowhere")
    app = create_app(settings, service="tests", title="Tests", routers=[routes])
    assert all(getattr(route, "plain", None) is None for route in app.routes if isinstance(route, APIRoute))
    return app


async def test_a_null_character_that_a_type_let_pass_is_no_fault_of_ours() -> None:
    async with served(_broken_app()) as url, httpx.AsyncClient(base_url=url) as client:
        assert_problem(await client.get("/null"), 422, "request.unstorable-character")


async def test_after_a_fault_the_connection_goes_on_and_the_trace_is_written_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Any] = []
    monkeypatch.setattr("common.problems.log.error", lambda event, **told: faults.append((event, told["exc_info"])))
    async with served(_broken_app()) as url:
        connection = await Connection.open(url)
        for language, said in (("zh", "系统内部错误"), ("en", "Something went wrong")):
            reply = await connection.ask(request("GET", "/broken", {"accept-language": language}))
            assert (reply.status, reply.headers[b"content-type"]) == (500, b"application/problem+json")
            assert b'"internal.fault"' in reply.body
            assert said in reply.body.decode()
            assert b"unforeseen" not in reply.body
        assert (await connection.ask(request("GET", "/whole", {}))).status == 200
        assert not connection.closed
        connection.close()
    assert [(event, str(error)) for event, error in faults] == [("request.fault", "unforeseen")] * 2
    assert not [one for one in caplog.records if one.exc_info]
