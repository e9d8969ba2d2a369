"""A database of measures for the mechanisms to work on: its plans and items stand for any aggregate."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from servers import Database


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
