"""The proxy does to connections what it is told to, to those that it is meant for, and counts it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest

from common.database import AWAY, open_pool
from faults.proxy import Proxy
from keeping import count
from lines import commit_plan
from servers import Database


@dataclass
class Between:
    """A proxy, connections through it, and connections past it."""

    proxy: Proxy
    through: asyncpg.Pool
    past: asyncpg.Pool


@pytest.fixture
async def between(
    database_of: Callable[[str], Awaitable[Database]], pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]
) -> AsyncIterator[Between]:
    database = await database_of("measures")
    proxy = await Proxy.before(database.app_url).start()
    through = await open_pool(proxy.through(database.app_url), size_max=2, application="tests")
    yield Between(proxy, through, await pool_of(database))
    through.terminate()
    await proxy.stop()


async def test_what_is_not_to_be_harmed_goes_through(between: Between) -> None:
    await commit_plan(between.through)
    assert await count(between.past, "event") == 1
    assert between.proxy.passed > 0
    assert between.proxy.cut == between.proxy.refused == between.proxy.delayed == 0


async def test_the_answer_to_a_save_is_lost_and_the_save_is_not(between: Between) -> None:
    between.proxy.to_cut = 1
    assert await count(between.through, "event") == 0, "a read is none of its business"
    with pytest.raises(AWAY):
        await commit_plan(between.through)
    assert (between.proxy.cut, await count(between.past, "event")) == (1, 1)
    await commit_plan(between.through)
    assert await count(between.past, "event") == 2


async def test_new_connections_are_refused_and_old_ones_cut(between: Between) -> None:
    await count(between.through, "event")
    between.proxy.refuses = True
    assert await between.proxy.cut_off() == 1
    for _ in ("on the connection that was cut", "on a new one"):
        with pytest.raises(AWAY):
            await count(between.through, "event")
    assert between.proxy.refused > 0
    between.proxy.refuses = False
    assert await count(between.through, "event") == 0


async def test_a_silent_server_answers_once_it_may(between: Between) -> None:
    await count(between.through, "event")
    between.proxy.answers.clear()
    asking = asyncio.create_task(count(between.through, "event"))
    assert not (await asyncio.wait({asking}, timeout=0.2))[0]
    between.proxy.answers.set()
    assert await asking == 0


async def test_answers_come_late(between: Between) -> None:
    between.proxy.delay_s = 0.01
    assert await count(between.through, "event") == 0
    assert between.proxy.delayed > 0
