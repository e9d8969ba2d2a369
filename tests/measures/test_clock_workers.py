"""Two workers that come back after forty days, as processes: each due thing happens once, in order."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from builders import JUDGE, call_of
from common.clock import business_date
from common.contracts.measures import Rating, SubjectKind
from common.store import Decided
from eventually import eventually
from kegai.local.ports import free_port
from measures.assurance.domain import give_assurance
from measures.assurance.store import assurances
from measures.subject.partakers import Partakers
from servers import Database

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


async def forty_days(pool: asyncpg.Pool) -> set[tuple[date, UUID]]:
    """As many ratings as there are ``THINGS``, that were to expire in the last forty days, on which day each."""

    async def rate(n: int) -> tuple[date, UUID]:
        told: dict[str, Any] = {"plan": "PLAN-1", "subject_kind": SubjectKind.ITEM, "subject": f"A1-{n}"}
        told |= {"partakers": Partakers(), "rating": Rating.GREEN, "reason": "理由", "by": JUDGE}
        told |= {"on": TODAY - timedelta(days=60), "expires_on": TODAY - timedelta(days=n % 41)}
        reply = await assurances.create(call_of(pool), lambda new_id: give_assurance(id=new_id, **told))
        return told["expires_on"], Decided.model_validate_json(bytes(reply.body)).id

    return {await rate(n) for n in range(THINGS)}


async def happened(pool: asyncpg.Pool) -> list[tuple[date, UUID]]:
    rows = await pool.fetch("SELECT * FROM event WHERE actor = 'clock' ORDER BY position")
    return [(row["effective_on"], row["aggregate_id"]) for row in rows]


async def assert_each_once_in_order(pool: asyncpg.Pool, expected: set[tuple[date, UUID]]) -> None:
    async def all_of_it() -> bool:
        return len(await happened(pool)) >= len(expected)

    await eventually(all_of_it, seconds=30)
    found = await happened(pool)
    assert (len(found), set(found)) == (len(expected), expected)
    assert [day for day, _ in found] == sorted(day for day, _ in found)


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
