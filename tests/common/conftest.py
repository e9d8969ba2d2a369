"""A database of measures for the mechanisms to work on: its plans and items stand for any aggregate."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest

from common import projection
from common.kafka import plain_producer
from lines import Line
from servers import Database
from stages import Seen, Stage


@pytest.fixture
async def database(database_of: Callable[[str], Awaitable[Database]]) -> Database:
    """A database of measures."""
    return await database_of("measures")


@pytest.fixture
async def pool(database: Database, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]) -> asyncpg.Pool:
    """Connections of the runtime role."""
    return await pool_of(database)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the role that owns the tables, to break what the runtime role cannot."""
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def seen(owner: asyncpg.Connection) -> None:
    """A view's table: nothing in it forbids a repeat."""
    await owner.execute("CREATE TABLE seen (position serial, aggregate_id uuid, version bigint)")
    await owner.execute("GRANT SELECT, INSERT ON seen TO measures_app")
    await owner.execute("GRANT USAGE ON seen_position_seq TO measures_app")


@pytest.fixture
async def stage(
    pool: asyncpg.Pool,
    seen: None,
    topic_of: Callable[..., Awaitable[str]],
    bootstrap: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(projection, "TICK_SECONDS", 0.05)
    topic = await topic_of()
    producer = plain_producer(bootstrap, "tests")
    await producer.start()
    yield Stage(topic, pool, bootstrap, producer, Seen((topic,)))
    await producer.stop()


@pytest.fixture
async def line(database: Database, pool: asyncpg.Pool, bootstrap: str, topic_of: Callable[..., Awaitable[str]]) -> Line:
    return Line(database, pool, bootstrap, await topic_of(3), 3, f"test-{uuid4().hex}")
