"""A process takes in only what it can answer in time: the rest is refused at once, and told when to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from types import SimpleNamespace

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from common import admission
from common.admission import Transfers
from common.door import open_to_all
from common.http import create_app
from common.settings import Settings
from eventually import eventually
from http_client import Connection, Reply, request
from refusals import assert_problem, counted, refused
from serving import served

ROOM = 3


class Counter:
    """An application whose replies wait until they are let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.begun = 0
        routes = APIRouter(dependencies=[Depends(open_to_all)])
        routes.get("/wait")(self.wait)
        routes.get("/deaf")(self.deaf)
        routes.post("/early")(self.early)
        settings = Settings(database_url="postgresql://nowhere", kafka_bootstrap="nowhere", jwks="nowhere")
        self.app: FastAPI = create_app(settings, service="tests", title="Tests", routers=[routes])
        self.app.state.admission.limit = ROOM

    async def wait(self) -> str:
        self.begun += 1
        await self.let_go.wait()
        return "done"

    async def deaf(self) -> str:
        """It does not heed that it is cancelled."""
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                continue
        return "done"

    async def early(self) -> str:
        """It answers before it has read what it is sent."""
        return "done"


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    """It lets go of all that wait when the test is over."""
    made = Counter()
    yield made
    made.let_go.set()


@pytest.fixture
async def url(counter: Counter) -> AsyncIterator[str]:
    """The counter on a real port."""
    async with served(counter.app, on_stop=counter.let_go.set) as address:
        yield address


@asynccontextmanager
async def _connections(url: str, number: int) -> AsyncIterator[list[Connection]]:
    async with AsyncExitStack() as opened:
        made = [await Connection.open(url) for _ in range(number)]
        for connection in made:
            opened.callback(connection.close)
        yield made


def _get(path: str, **headers: str) -> bytes:
    return request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def _full(counter: Counter, url: str) -> AsyncIterator[list[asyncio.Task[Reply]]]:
    """As many requests under way as there is room for."""
    async with _connections(url, ROOM) as made:
        waiting = [asyncio.create_task(connection.ask(_get("/wait"))) for connection in made]
        await eventually(lambda: counter.begun == ROOM)
        yield waiting
        counter.let_go.set()
        await asyncio.gather(*waiting)


async def test_what_is_more_is_refused_at_once_and_what_was_let_in_is_answered(counter: Counter, url: str) -> None:
    async with _full(counter, url) as waiting, _connections(url, 5) as more:
        with counted(5, "process"):
            refused = await asyncio.gather(*(connection.ask(_get("/wait")) for connection in more))
        assert [(reply.status, reply.headers[b"retry-after"]) for reply in refused] == [(503, b"2")] * 5
        assert counter.begun == ROOM
        counter.let_go.set()
        assert [(await one).status for one in waiting] == [200] * ROOM
        assert (await more[0].ask(_get("/wait"))).status == 200


async def test_without_a_limit_they_pile_up(counter: Counter, url: str) -> None:
    counter.app.state.admission.limit = 1_000
    async with _connections(url, 50) as many:
        waiting = [asyncio.create_task(connection.ask(_get("/wait"))) for connection in many]
        await eventually(lambda: counter.begun == 50)
        counter.let_go.set()
        assert {(await one).status for one in waiting} == {200}


@pytest.mark.parametrize(("accepted", "language", "word"), [("zh-CN", "zh-CN", "请求过多"), ("en", "en", "begun")])
async def test_the_refusal_is_a_problem_in_the_callers_language(
    counter: Counter, url: str, accepted: str, language: str, word: str
) -> None:
    asked = {"accept-language": accepted, "x-request-id": "r-1"}
    async with _full(counter, url), httpx.AsyncClient(base_url=url) as client:
        refused = await client.get("/wait", headers=asked)
    assert_problem(refused, 503, "service.busy")
    assert (refused.json()["instance"], refused.headers["content-language"]) == ("r-1", language)
    assert word in refused.json()["detail"]
    assert refused.headers["retry-after"] == "2"


async def test_a_request_in_pieces_is_refused_as_well(counter: Counter, url: str) -> None:
    async with _full(counter, url), _connections(url, 1) as (connection,):
        whole = request("POST", "/early", {"content-type": "application/json"}, b"{}")
        connection.send(whole[:30])
        assert (await connection.ask(whole[30:])).status == 503


async def test_a_request_is_answered_in_time_even_by_what_does_not_heed(
    counter: Counter, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "ANSWER_SECONDS_MAX", 0.05)
    async with _connections(url, 2) as made:
        replies = await asyncio.gather(made[0].ask(_get("/wait")), made[1].ask(_get("/deaf")))
        assert [reply.status for reply in replies] == [503, 503]
        assert all(b"service.late" in reply.body and reply.seconds < 2 for reply in replies)
        assert await eventually(lambda: counter.app.state.admission.under_way == 1)
        counter.let_go.set()
        assert await eventually(lambda: counter.app.state.admission.under_way == 0)
        assert (await made[0].ask(_get("/wait"))).status == 200


# ── files on their way ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_that_is_given_out_has_its_room_before_the_reply_begins_and_leaves_it_however_that_ends() -> None:
    """Were it taken with the first chunk, who finds none would be cut off behind a 200."""
    about = {"leave": lambda: None, "reply": SimpleNamespace(take_time=lambda: None)}
    request = Request({"type": "http", "asgi": {"spec_version": "2.4"}, "state": about})
    transfers, sent = Transfers(limit=1), list[bytes]()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"a file"

    async def gone(_: Message) -> None:
        raise OSError("nobody is there")

    async def there(message: Message) -> None:
        sent.append(message.get("body", b""))

    for send, expected in ((gone, pytest.raises(ClientDisconnect)), (there, nullcontext())):
        reply = transfers.given_out(request, chunks(), headers={}, media_type="text/plain")
        assert transfers.under_way == 1
        with refused("service.busy"):
            transfers.given_out(request, chunks(), headers={}, media_type="text/plain")
        with expected:
            await reply(request.scope, request.receive, send)
        assert transfers.under_way == 0
    assert b"".join(sent) == b"a file"
