"""Two workers that come back after forty days, as processes: each due thing happens once, in order."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from common.clock import business_date
from eventually import eventually
from kegai.local.ports import free_port
from servers import Database
from ticking import happened, rate

TODAY = business_date(datetime.now(UTC))
THINGS = 120


@pytest.fixture
async def work(database: Database) -> AsyncIterator[Callable[[], Awaitable[asyncio.subprocess.Process]]]:
    """Call it: a worker, ended after the test in any case; it finds no Kafka, and needs none for this."""
    started: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        told = {"DATABASE_URL": database.app_url, "KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}"}
        told["OPS_PORT"] = str(free_port())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "measures", "worker",
            env=os.environ | {f"KEGAI_{name}": value for name, value in told.items()},
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def forty_days(pool: asyncpg.Pool) -> set[tuple[date, str, UUID]]:
    """As many ratings as there are ``THINGS``, that were to expire in the last forty days, on which day each."""
    given_on, days = TODAY - timedelta(days=60), [TODAY - timedelta(days=n % 41) for n in range(THINGS)]
    return {
        (day, "assurance-expired", await rate(pool, f"A1-{n}", expires_on=day, on=given_on))
        for n, day in enumerate(days)
    }


async def assert_each_once_in_order(pool: asyncpg.Pool, expected: set[tuple[date, str, UUID]]) -> None:
    async def all_of_it() -> bool:
        return len(await happened(pool)) >= len(expected)

    await eventually(all_of_it, seconds=30)
    found = await happened(pool)
    assert (len(found), set(found)) == (len(expected), expected)
    assert [day for day, *_ in found] == sorted(day for day, *_ in found)


Work = Callable[[], Awaitable[asyncio.subprocess.Process]]


async def test_two_workers_at_once_do_each_thing_once_and_in_order(pool: asyncpg.Pool, work: Work) -> None:
    expected = await forty_days(pool)
    await asyncio.gather(work(), work())
    await assert_each_once_in_order(pool, expected)


async def test_what_a_killed_worker_has_left_another_does(pool: asyncpg.Pool, work: Work) -> None:
    expected = await forty_days(pool)
    killed = await work()
    await eventually(lambda: happened(pool), seconds=30)
    killed.kill()
    await killed.wait()
    await work()
    await assert_each_once_in_order(pool, expected)
