"""What the quick controls work on: a database of measures, the line from it to a topic, and the whole way to views."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest

from faults.ways import Interrupted, Way
from lines import Line
from servers import Database


@pytest.fixture
async def database(database_of: Callable[[str], Awaitable[Database]]) -> Database:
    """A database of measures."""
    return await database_of("measures")


@pytest.fixture
async def pool(database: Database, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]) -> asyncpg.Pool:
    """Connections of its runtime role."""
    return await pool_of(database)


@pytest.fixture
async def line(database: Database, pool: asyncpg.Pool, bootstrap: str, topic_of: Callable[..., Awaitable[str]]) -> Line:
    """The way from it to a topic."""
    return Line(database, pool, bootstrap, await topic_of(3), 3, f"test-{uuid4().hex}")


@pytest.fixture
async def way(
    line: Line,
    database_of: Callable[[str], Awaitable[Database]],
    pool_of: Callable[[Database], Awaitable[asyncpg.Pool]],
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    """A way of this test's own; its projector looks often whether it has reached the end."""
    monkeypatch.setattr("common.projection.TICK_SECONDS", 0.05)
    live = await database_of("events")
    return Way(line, live, await database_of("events"), await pool_of(live), Interrupted(line.topic))
