"""Two commands in one moment: the first is held up in the middle of its saving until the second has looked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import httpx

from eventually import eventually

Command = Callable[[], Awaitable[httpx.Response]]
HOLD_UP: Final = """
CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
CREATE TRIGGER hold_up BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION hold_up()
"""
"""Every event is held up in its insertion, after its aggregate was saved, while somebody has this lock for himself."""


async def together(
    watcher: asyncpg.Connection, first: Command, second: Command
) -> tuple[httpx.Response, httpx.Response]:
    """What both say when the second has looked and would save while the first is being saved."""

    async def waiting(count: int) -> None:
        async def held_up() -> bool:
            sql = (
                "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE NOT granted AND datname = current_database()"
            )
            return bool(await watcher.fetchval(sql) >= count)

        await eventually(held_up)

    await watcher.execute("SELECT pg_advisory_lock(1)")
    one = asyncio.ensure_future(first())
    await waiting(1)
    two = asyncio.ensure_future(second())
    await waiting(2)
    await watcher.execute("SELECT pg_advisory_unlock(1)")
    return await one, await two
