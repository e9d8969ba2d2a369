"""What the mechanisms work on: the owner of their database, and a stage on which a projection runs."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from common import watching
from common.kafka import plain_producer
from servers import Database
from stages import Seen, Stage


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
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    topic = await topic_of()
    producer = plain_producer(bootstrap, "tests")
    await producer.start()
    yield Stage(topic, pool, bootstrap, producer, Seen((topic,)))
    await producer.stop()
