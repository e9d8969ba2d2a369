"""Whoever asks for a plain endpoint reaches the route that FastAPI would have found; all else stays as it is."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from common.call import Call
from common.contracts.directory import UnitKind as Kind
from common.door import Door, Doors, Plain, Way, needs, open_to_all
from common.http import Body, Cursor, Day, Limit, create_app
from common.settings import Settings
from doors import Door as Entrance
from eventually import eventually
from http_client import Connection, request
from refusals import assert_problem
from serving import served

Reader = Annotated[Call, needs("item.read")]


class Words(Body):
    """What is said."""

    text: str


async def plain(call: Reader, thing: UUID) -> Response:
    raise NotImplementedError


async def with_body(call: Reader, request: Request, thing: UUID, words: Words) -> Response:
    raise NotImplementedError


async def with_query(call: Reader, cursor: Cursor = None) -> Response:
    raise NotImplementedError


@dataclass(frozen=True)
class Filters:
    """What is asked for."""

    kind: Kind | None = None
    since: Day | None = None


async def with_filters(call: Reader, filters: Annotated[Filters, Depends()], limit: Limit = 50) -> Response:
    raise NotImplementedError


async def with_list(call: Reader, kinds: Annotated[list[str], Query()]) -> Response:
    raise NotImplementedError


async def with_header(call: Reader, accept: Annotated[str, Header()]) -> Response:
    raise NotImplementedError


async def with_check(call: Reader, checked: Annotated[None, Depends(open_to_all)]) -> Response:
    raise NotImplementedError


async def with_model(call: Reader) -> Words:
    raise NotImplementedError


async def open_one(thing: str) -> Response:
    raise NotImplementedError


async def with_two_bodies(call: Reader, words: Words, others: Words) -> Response:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [(plain, True), (with_body, True), (with_query, True), (with_filters, True), (with_list, False),
     (with_header, False), (with_check, False), (with_model, False), (open_one, False), (with_two_bodies, False)],
)  # fmt: skip
def test_plain_is_what_takes_a_call_a_path_a_query_and_one_body(endpoint: object, expected: bool) -> None:
    assert (Plain.of(endpoint, {"thing"}) is not None) is expected  # type: ignore[arg-type]


def test_a_route_that_depends_on_more_is_not_plain() -> None:
    """Else what it depends on, such as a check, would be passed by."""
    routes = APIRouter(route_class=Door)
    routes.get("/{thing}", dependencies=[Depends(open_to_all)])(plain)
    (route,) = routes.routes
    assert isinstance(route, Door)
    assert route.plain is None


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/things/fixed", "with_query"),
        ("GET", "/things/7", "plain"),
        ("POST", "/things/7/words", "with_body"),
        ("POST", "/things/7/words/more", None),
        ("POST", "/things//words", None),
        ("DELETE", "/things/7", None),
    ],
)
def test_the_route_that_was_declared_first_is_found(method: str, path: str, found: str | None) -> None:
    routes = APIRouter(prefix="/things", route_class=Door)
    routes.get("/fixed", name="with_query")(with_query)
    routes.get("/{thing}", name="plain")(plain)
    routes.post("/{thing}/words", name="with_body")(with_body)
    settings = Settings(database_url="postgresql://nowhere", kafka_bootstrap="nowhere", jwks="nowhere")
    app = create_app(settings, service="tests", title="Tests", routers=[routes])
    way, _ = Doors(app, app)._find({"method": method, "path": path})
    assert (way.route.name if way else None) == found


@pytest.fixture
def office(measures: Entrance) -> httpx.AsyncClient:
    return measures.client_for("reform-office", "CQ")


NOWHERE = Way(set(), "", None, APIRoute("/", plain), None)
"""A way that no request takes."""
ITEM = "/api/v1/items/0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f"


async def test_a_method_that_a_route_does_not_have_is_still_told_so(office: httpx.AsyncClient) -> None:
    assert_problem(await office.delete(ITEM), 405, "request.method-not-allowed")


async def test_who_has_no_token_is_told_so_before_anything_is_read(measures: Entrance) -> None:
    reply = await measures.client().post(f"{ITEM}/milestones", content=b"no json")
    assert_problem(reply, 401, "auth.token-missing")


async def test_who_leaves_before_all_was_said_is_no_fault_of_ours(
    measures: Entrance, office: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[str] = []
    monkeypatch.setattr("common.problems.log.error", lambda event, **_: faults.append(event))
    head = request("POST", f"{ITEM}/close", dict(office.headers) | {"content-type": "application/json"}, b"{}")
    async with served(measures.app) as url:
        connection = await Connection.open(url)
        connection.send(head[:-1])
        admission = measures.app.state.admission
        assert await eventually(lambda: admission.under_way == 1)
        connection.close()
        assert await eventually(lambda: admission.under_way == 0)
    assert not faults


async def test_all_that_is_wrong_is_told_at_once(office: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k" * 201, "if-match": '"' * 41}
    reply = await office.post("/api/v1/items/x/milestones/0/verify", json={"effective_on": 7}, headers=headers)
    told = assert_problem(reply, 422, "request.invalid")
    pointers = {fault["pointer"] for fault in told["errors"]}
    assert pointers >= {"/header/idempotency-key", "/header/if-match", "/path/item_id", "/path/number", "/effective_on"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", None])
@pytest.mark.parametrize("address", [f"{ITEM}/close", "/api/v1/plans", "/api/v1/items/verify-batch"])
async def test_a_body_that_does_not_say_it_is_json_is_not_read_and_the_header_that_is_missing_is_named(
    office: httpx.AsyncClient, address: str, media_type: str | None
) -> None:
    for language in ("zh", "en"):
        headers = {"accept-language": language} | ({} if media_type is None else {"content-type": media_type})
        reply = await office.post(address, content=b'{"rows": []}', headers=headers)
        told = assert_problem(reply, 415, "request.not-json")
        assert "Content-Type: application/json" in told["detail"]
        assert told["errors"] == []
