"""While the database does not answer nobody waits over 5 s, nothing is lost, and it goes on when it is back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import httpx
import pytest

from builders import plan_body
from common import admission
from doors import Door, open_door
from eventually import eventually
from faults.proxy import Proxy
from kegai.tokens import Keys
from refusals import assert_problem
from servers import Database

LANGUAGES = ("zh-CN", "en")


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    """What stands before the database."""
    made = await Proxy.before(database.app_url).start()
    yield made
    made.answers.set()
    await made.stop()


@pytest.fixture
async def door(database: Database, keys: Keys, proxy: Proxy) -> AsyncIterator[Door]:
    """Measures, with the proxy before its database."""
    async with open_door(replace(database, app_url=proxy.through(database.app_url)), keys) as opened:
        yield opened


@pytest.fixture
def office(door: Door) -> httpx.AsyncClient:
    return door.client_for("municipal-admin")


async def _define(office: httpx.AsyncClient, number: int, **headers: str) -> httpx.Response:
    body = plan_body(code=f"PLAN-{number}")
    return await office.post("/api/v1/plans", json=body, headers={"idempotency-key": f"k-{number}", **headers})


async def test_while_it_does_not_answer_nobody_waits_over_5_s(office: httpx.AsyncClient, proxy: Proxy) -> None:
    assert (await _define(office, 0)).status_code == 201
    proxy.answers.clear()
    async with asyncio.timeout(5):
        replies = await asyncio.gather(*(_define(office, number) for number in range(1, 21)))
    for reply in replies:
        assert reply.status_code == 503
        assert "retry-after" in reply.headers
    proxy.answers.set()
    await eventually(lambda: _all_defined(office), seconds=10)


async def _all_defined(office: httpx.AsyncClient) -> bool:
    """Those that got no answer before are tried again under their keys: each is there once."""
    replies = [await _define(office, number) for number in range(21)]
    listed = (await office.get("/api/v1/plans")).json().get("items", [])
    return {reply.status_code for reply in replies} == {201} and len(listed) == 21


async def test_without_a_deadline_they_would_wait_on(
    office: httpx.AsyncClient, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "ANSWER_SECONDS_MAX", 60)
    assert (await _define(office, 0)).status_code == 201
    proxy.answers.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.gather(*(_define(office, number) for number in range(1, 4)))


async def test_while_it_cannot_be_reached_each_is_told_so_at_once(office: httpx.AsyncClient, proxy: Proxy) -> None:
    proxy.refuses = True
    reply = await _define(office, 1)
    assert_problem(reply, 503, "database.away")
    assert "retry-after" in reply.headers
    proxy.refuses = False
    assert await eventually(lambda: _is_defined(office))


async def _is_defined(office: httpx.AsyncClient) -> bool:
    return (await _define(office, 1)).status_code == 201


async def test_those_whose_common_commit_got_no_reply_are_told_the_same_again(
    office: httpx.AsyncClient, door: Door, proxy: Proxy
) -> None:
    """They went in one group: its reply is lost, and each asks again under its key."""
    assert (await _define(office, 0)).status_code == 201
    proxy.to_cut = 1
    await asyncio.gather(*(_define(office, number) for number in range(1, 9)))
    assert proxy.cut == 1
    again = await asyncio.gather(*(_define(office, number) for number in range(1, 9)))
    assert [reply.status_code for reply in again] == [201] * 8
    assert await door.pool.fetchval("SELECT count(*) FROM event WHERE type LIKE '%plan-defined%'") == 9


async def test_who_needs_what_somebody_holds_is_told_that_and_not_more(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.http.LOCK_SECONDS_MAX", 0.2)
    holder = await asyncpg.connect(database.owner_url)
    async with open_door(database, keys) as door:
        office = door.client_for("municipal-admin")
        address = (await _define(office, 1)).headers["location"] + "/adopt"
        adoption = {"issuer": "x", "document_number": "1", "effective_on": "2021-02-01"}
        async with holder.transaction():
            await holder.execute("SELECT FROM plan FOR UPDATE")
            replies = [await office.post(address, json=adoption, headers={"accept-language": to}) for to in LANGUAGES]
        for reply, language in zip(replies, LANGUAGES, strict=True):
            assert_problem(reply, 503, "database.held")
            assert (reply.headers["retry-after"], reply.headers["content-language"]) == ("2", language)
        assert (await office.post(address, json=adoption)).status_code == 200
    await holder.close()
