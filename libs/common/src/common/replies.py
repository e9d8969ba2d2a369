"""The replies to commands that came with an Idempotency-Key: kept for a day, then forgotten."""

import asyncio
from typing import Final, NoReturn

import asyncpg

from common.database import AWAY
from common.telemetry import log

KEY_KEPT_HOURS: Final = 24
SWEEP_SECONDS: Final = 60


async def forget_replies(pool: asyncpg.Pool) -> None:
    """Remove the replies whose time is over."""
    await pool.execute("DELETE FROM idempotency WHERE expires_at < now()")


async def keep_forgetting(pool: asyncpg.Pool) -> NoReturn:
    """Remove them once a minute, for as long as the process runs."""
    while True:
        try:
            await forget_replies(pool)
        except AWAY as error:
            log.warning("replies.not-forgotten", error=repr(error))
        await asyncio.sleep(SWEEP_SECONDS)
