"""`kegai trace` tells how far an event has come, station by station, and where it waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import Result

from common.projection import Projector
from events import feed
from events.projector import ReformProgress
from eventually import eventually
from lines import Line, adopt_plan, commit_plan, running
from servers import Database

Kegai = Callable[..., Awaitable[Result]]


@pytest.fixture
async def views(events: Database, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]) -> asyncpg.Pool:
    """Connections to what the projector keeps."""
    return await pool_of(events)


@asynccontextmanager
async def projecting(line: Line, views: asyncpg.Pool) -> AsyncIterator[None]:
    """The projector of events takes in what is on the topic."""
    projection = ReformProgress()
    projection.topics, projection.name = (line.topic,), f"test-{uuid4().hex}"
    projector = Projector(projection, pool=views, bootstrap=line.bootstrap, settled=lambda: feed.sequence(views))
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def published(line: Line) -> UUID:
    plan = await commit_plan(line.pool)
    async with running(line.relay()):
        await line.drained()
    return plan


def station(result: Result, name: str) -> str:
    """The line of one station."""
    assert result.exit_code == 0, result.output
    (found,) = [line for line in result.output.splitlines() if name in line[:20]]
    return found


def milliseconds(station: str) -> float:
    return float(station.partition("+")[2].partition(" ms")[0].replace(",", ""))


async def test_what_waits_in_the_outbox_is_told_as_waiting(line: Line, kegai: Kegai) -> None:
    plan = await commit_plan(line.pool)
    told = await kegai("trace", f"{plan}@1")
    assert station(told, "request taken").endswith("+0.0 ms")
    assert "✓" in station(told, "committed")
    assert "still waits in the outbox" in station(told, "sent to Kafka")


async def test_what_is_sent_is_told_with_its_place_and_what_comes_before_it(
    line: Line, kegai: Kegai, views: asyncpg.Pool
) -> None:
    plan = await published(line)
    (record,) = await line.published()
    await views.execute(
        "INSERT INTO projection_offset (projection, topic, partition) VALUES ('test', $1, $2)",
        line.topic,
        record.partition,
    )
    told = await kegai("trace", f"{plan}@1")
    assert f"{line.topic}[{record.partition}]@{record.offset}" in station(told, "sent to Kafka")
    assert "not taken in yet" in station(told, "applied")


async def test_an_event_is_followed_into_the_view_by_its_id_and_by_its_position(
    line: Line, kegai: Kegai, views: asyncpg.Pool
) -> None:
    plan = await published(line)
    async with projecting(line, views):

        async def applied() -> bool:
            return bool(await views.fetchval("SELECT count(*) FROM plan_step WHERE plan = $1", plan))

        await eventually(applied)
    row = await line.pool.fetchrow("SELECT event_id, actor, type FROM event WHERE aggregate_id = $1", plan)
    assert row is not None
    by_id, by_position = await kegai("trace", str(row["event_id"])), await kegai("trace", f"{plan}@1")
    assert by_id.output == by_position.output
    assert all(str(part) in by_id.output for part in row.values())
    assert 0 < milliseconds(station(by_id, "committed")) < milliseconds(station(by_id, "applied"))


async def test_of_an_event_without_facts_of_its_own_it_is_said_by_when(
    line: Line, kegai: Kegai, views: asyncpg.Pool
) -> None:
    plan = await published(line)
    await adopt_plan(line.pool, plan)
    async with running(line.relay()), projecting(line, views):
        await line.drained()

        async def applied() -> bool:
            return bool(await views.fetchval("SELECT version = 2 FROM projection_version"))

        await eventually(applied)
    await views.execute("DELETE FROM plan_step WHERE version = 1")
    assert "not later than" in station(await kegai("trace", f"{plan}@1"), "applied")


async def test_what_is_parked_is_told_with_the_reason(line: Line, kegai: Kegai, views: asyncpg.Pool) -> None:
    plan = await published(line)
    (record,) = await line.published()
    place = ("test", line.topic, record.partition)
    await views.execute(
        "INSERT INTO projection_offset (projection, topic, partition, next_offset) VALUES ($1, $2, $3, 9)", *place
    )
    await views.execute(
        "INSERT INTO parked (projection, topic, partition, record_offset, headers, reason, detail) "
        "VALUES ($1, $2, $3, $4, '[]', 'refused-by-view', 'because')",
        *place,
        record.offset,
    )
    told = await kegai("trace", f"{plan}@1")
    assert "refused-by-view: because" in station(told, "parked")


async def test_what_is_lost_from_the_topic_is_told_as_lacking(line: Line, kegai: Kegai) -> None:
    plan = await commit_plan(line.pool)
    await line.pool.execute("DELETE FROM outbox")
    assert "kegai republish" in station(await kegai("trace", f"{plan}@1"), "sent to Kafka")


@pytest.mark.parametrize("asked", ["0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f", "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f@3"])
async def test_an_event_that_is_not_there_is_refused_in_both_languages(kegai: Kegai, asked: str) -> None:
    english, chinese = await kegai("trace", asked), await kegai("trace", asked, lang="zh")
    assert english.exit_code == chinese.exit_code == 1
    assert f"No service has an event {asked}" in english.output
    assert f"没有事件 {asked}" in chinese.output


@pytest.mark.parametrize("asked", ["x", "x@1", "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f@one"])
async def test_what_is_neither_an_id_nor_a_position_is_refused(kegai: Kegai, asked: str) -> None:
    told = await kegai("trace", asked)
    assert told.exit_code == 1
    assert "<aggregate id>@<version>" in told.output
