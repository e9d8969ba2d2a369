"""A migrated database is what the service declares, no more and no less."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from common.migration import drift, metadata_of
from servers import Database

DatabaseOf = Callable[[str], Awaitable[Database]]


async def drift_of(database: Database, before: str = "SELECT 1") -> list[str]:
    """What differs, in words, after a statement by the role that owns the database."""

    def look(connection: Connection) -> list[str]:
        connection.execute(text(before))
        return [repr(difference) for difference in drift(connection, metadata_of(database.service))]

    url = database.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(look)
    await engine.dispose()
    return [difference for difference in found if "alembic_version" not in difference]


@pytest.mark.parametrize("service", ["measures", "societies", "talent", "events"])
async def test_the_migrations_make_what_the_service_declares(service: str, database_of: DatabaseOf) -> None:
    assert await drift_of(await database_of(service)) == []


async def test_a_column_that_nobody_declared_is_found(database_of: DatabaseOf) -> None:
    found = await drift_of(await database_of("talent"), "ALTER TABLE programme ADD COLUMN stray text")
    assert any("stray" in difference for difference in found)
