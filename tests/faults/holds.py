"""Locks of the harness's own, so that races happen where and when they are wanted instead of being waited for."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from eventually import eventually
from faults.stack import FaultStack

WAITING: Final = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted
AND pid IN (SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""How many wait for a lock in this database, as it is at this very moment."""
CAUGHT: Final = (
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)
CAUGHT_SECONDS: Final = 4.0
"""A service gives a statement up after five."""


class Hold:
    """An open transaction that others wait for."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def catches(self, command: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Give the command, and return when somebody waits because of it."""
        given = asyncio.create_task(command)

        async def waits() -> bool:
            assert not given.done(), "the command was not held"
            return bool(await self._connection.fetchval(CAUGHT))

        await eventually(waits, seconds=CAUGHT_SECONDS)
        return given

    async def has_waiting(self, many: int) -> None:
        """Return when so many wait for a lock in this database."""

        async def wait() -> bool:
            return bool(await self._connection.fetchval(WAITING) == many)

        await eventually(wait, seconds=CAUGHT_SECONDS)

    async def let_go(self) -> None:
        """Undo it: nothing of it was ever there."""
        if self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")


@asynccontextmanager
async def held(stack: FaultStack, service: str, sql: str, *about: Any) -> AsyncIterator[Hold]:
    """What a statement locks in a service's database is held for as long as the block runs, or until it is let go."""
    connection = await stack.connect(service)
    hold = Hold(connection)
    try:
        await connection.execute("BEGIN")
        await connection.execute(sql, *about)
        yield hold
    finally:
        await hold.let_go()
        await connection.close()
