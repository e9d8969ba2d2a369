"""What a service cannot do in time the gateway refuses itself, at once; who was let through is answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from common.admission import UNDER_WAY_MAX
from common.lanes import LANE_MAX
from events.asked import WAITING_MAX
from eventually import eventually
from gateway.conftest import Gateway, running_gateway
from kegai.gateway import load
from kegai.gateway.routes import Routes

Sign = Callable[..., str]
ROOM = 3
HELD = "/api/v1/items/held"


def _with_room(number: int) -> Routes:
    """The real routes, with services that take so many requests at once."""
    routes = load()
    services = {name: one.model_copy(update={"requests_max": number}) for name, one in routes.services.items()}
    return routes.model_copy(update={"services": services})


@asynccontextmanager
async def _asked_by(
    gateway: Gateway, number: int, sign: Sign, method: str
) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """As many ask measures for what it does not answer until it is told to."""
    headers = {"authorization": f"Bearer {sign()}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=10) as client:
        asked = [asyncio.create_task(client.request(method, HELD)) for _ in range(number)]
        try:
            yield asked
        finally:
            gateway.upstreams["measures"].ending.set()
            await asyncio.gather(*asked)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_what_is_beyond_the_room_of_a_service_is_refused_at_once_and_the_rest_is_answered(
    tmp_path: Path, key_set: Path, sign: Sign, method: str
) -> None:
    with running_gateway(tmp_path, key_set, _with_room(ROOM)) as gateway:
        measures = gateway.upstreams["measures"]
        async with _asked_by(gateway, ROOM, sign, method) as let_in:
            await eventually(lambda: measures.held == ROOM)
            async with _asked_by(gateway, 2, sign, method) as beyond:
                await eventually(lambda: all(one.done() for one in beyond))
                for reply in [one.result() for one in beyond]:
                    assert reply.status_code == 503
                    assert reply.headers["retry-after"] == "2"
                    assert reply.headers["content-type"].startswith("application/problem+json")
                    problem = reply.json()
                    assert (problem["code"], problem["status"]) == ("service.busy", 503)
                    assert problem["type"] == "urn:cqast:problem:service.busy"
                    assert problem["detail"].startswith("请求过多")
                    assert problem["detail"].endswith("this was not begun; try again")
                    assert problem["instance"] == reply.headers["x-request-id"]
                assert not any(one.done() for one in let_in)
        assert [one.result().status_code for one in let_in] == [200] * ROOM
        assert measures.held == ROOM  # what was refused was not tried again
        assert gateway.refused("measures") == 2


async def test_where_there_is_room_as_many_are_let_through(tmp_path: Path, key_set: Path, sign: Sign) -> None:
    with running_gateway(tmp_path, key_set, load()) as gateway:
        async with _asked_by(gateway, ROOM + 2, sign, "POST") as asked:
            await eventually(lambda: gateway.upstreams["measures"].held == ROOM + 2)
        assert [one.result().status_code for one in asked] == [200] * (ROOM + 2)
        assert gateway.refused("measures") == 0


async def test_open_streams_take_no_room_from_those_who_ask(tmp_path: Path, key_set: Path) -> None:
    with running_gateway(tmp_path, key_set, _with_room(1)) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=10) as client, AsyncExitStack() as streams:
            for _ in range(ROOM):
                stream = await streams.enter_async_context(client.stream("GET", "/stream"))
                assert await anext(stream.aiter_lines()) == "data: first"
            assert (await client.get("/api/v1/progress/measures")).status_code == 200


def test_a_stream_to_a_service_that_takes_none_is_refused() -> None:
    routes = load()
    services = {**routes.services, "events": routes.services["events"].model_copy(update={"streams_max": 0})}
    with pytest.raises(ValueError, match="takes none"):
        Routes.model_validate(routes.model_copy(update={"services": services}).model_dump())


def test_the_gateway_gives_a_service_no_more_than_it_takes_and_who_waits_there_leaves_room() -> None:
    for service in load().services.values():
        assert service.requests_max <= UNDER_WAY_MAX
        assert service.requests_max >= 2 * LANE_MAX
        assert service.requests_max >= 2 * WAITING_MAX
