"""One pool of direct PostgreSQL connections per process, and what it means when there is none."""

from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from common.decision import Kind, Refusal

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection | PoolConnectionProxy
"""A connection, whether it came from a pool or not (only the stubs know these classes as generic)."""

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ended in the middle of an answer
    asyncpg.TransactionRollbackError,  # class 40: a deadlock, and what else begins anew
    asyncpg.InsufficientResourcesError,  # class 53: no space, no memory, no connection to be had
    asyncpg.OperatorInterventionError,  # class 57: cancelled, shut down, not up yet
    asyncpg.LockNotAvailableError,  # somebody holds what is needed for longer than one waits for it
)
"""What asyncpg raises when the database cannot be asked just now, whatever the question was.

Whether a statement took effect is then unknown.
"""

DATABASE_AWAY = Refusal(
    "database.away",
    zh="数据库暂不可用，请稍后携带同一 Idempotency-Key 重试",
    en="The database cannot be reached just now; try again with the same Idempotency-Key",
    kind=Kind.UNAVAILABLE,
)

DATABASE_HELD = Refusal(
    "database.held",
    zh="所需数据正被其他操作占用，本次未执行，请稍后携带同一 Idempotency-Key 重试",
    en="Something else holds what this needs: it was not done; try again with the same Idempotency-Key",
    kind=Kind.UNAVAILABLE,
)


class Session(asyncpg.Connection):
    """A connection on which nobody changes settings, listens or holds locks beyond a transaction.

    Given back to its pool it needs no clearing, which would be one more question to the server for each command.
    """

    def get_reset_query(self) -> str:
        """Nothing is to be reset."""
        return ""


async def open_pool(
    url: str, *, size_max: int, application: str, lock_seconds_max: float | None = None
) -> asyncpg.Pool:
    """A pool that opens no connection before it is asked and waits at most 5 s for any answer.

    :param lock_seconds_max: how long a statement waits for what another transaction holds; None is as long as that.
    """
    told = {"application_name": application, "jit": "off"}
    if lock_seconds_max is not None:
        told["lock_timeout"] = f"{lock_seconds_max * 1000:.0f}ms"
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size_max,
        timeout=3,
        command_timeout=5,
        max_inactive_connection_lifetime=60,
        connection_class=Session,
        server_settings=told,
    )


async def reachable(pool: asyncpg.Pool) -> str:
    """``ok`` if the database answers within a second, else the reason."""
    try:
        async with pool.acquire(timeout=1) as connection:
            await connection.execute("SELECT 1", timeout=1)
    except AWAY as error:
        return f"{type(error).__name__}: {error}"
    return "ok"
