"""Group commit: what is asked while the database is busy goes there together, in one round trip and one transaction.

The more requests there are at once, the less each of them costs. Who asks alone does not wait for company.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from common.database import Connection

AT_ONCE: Final = 2
"""How many groups of one statement are under way: while one is being committed the next is filled and sent."""
GROUP_MAX: Final = 32
ACQUIRE_SECONDS_MAX: Final = 3

UNDONE: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.TransactionRollbackError,
    asyncpg.DataError,  # of the server's or, where an argument cannot be encoded, of the client's making
    asyncpg.ProgramLimitExceededError,  # class 54: too long for an index, say
    asyncpg.LockNotAvailableError,  # somebody else holds its row
)
"""What undoes a whole group by the fault of one of it, and for certain: each is then asked alone."""


class Asked(NamedTuple):
    """One execution of a statement that somebody waits for."""

    arguments: Sequence[Any]
    answer: asyncio.Future[asyncpg.Record]


class Statement:
    """One statement that answers with exactly one row, and whoever waits for it.

    Its first argument is the id of what it reads or locks: a group is asked in the order of ids, so that no two groups
    wait for each other.
    """

    def __init__(self, pool: asyncpg.Pool, text: str) -> None:
        self._pool = pool
        self._text = text
        self._waiting: deque[Asked] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, arguments: Sequence[Any]) -> asyncpg.Record:
        """The row that it answers with; what the database raises is raised here.

        Whoever gives up once it was sent does not undo it: as with a lost reply, its outcome is then unknown.
        """
        loop = asyncio.get_running_loop()
        asked = Asked(arguments, loop.create_future())
        if not self._waiting and len(self._running) < AT_ONCE:
            loop.call_soon(self._go)  # after all that is ready to ask in this turn of the loop has asked
        self._waiting.append(asked)
        return await asked.answer

    def _go(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_MAX))]
            group = [asked for asked in taken if not asked.answer.done()]  # who gave up before it began is left out
            group.sort(key=lambda asked: asked.arguments[0])
            if group:
                task = asyncio.create_task(self._run(group))
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._go()

    async def _run(self, group: Sequence[Asked]) -> None:
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS_MAX):
                connection = await self._pool.acquire()
            try:
                rows = await connection.fetchmany(self._text, [asked.arguments for asked in group])
            finally:
                await self._pool.release(connection, timeout=ACQUIRE_SECONDS_MAX)
        except UNDONE as error:
            if len(group) == 1:
                _fail(group, error)
            else:
                await asyncio.gather(*(self._run([asked]) for asked in group))
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            _fail(group, error)
        else:
            for asked, row in zip(group, rows, strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(row)


def _fail(group: Sequence[Asked], error: BaseException) -> None:
    for asked in group:
        if not asked.answer.done():
            asked.answer.set_exception(error)


class Grouping:
    """The statements of one service, each with its groups."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._statements: dict[str, Statement] = {}

    async def ask(self, text: str, arguments: Sequence[Any]) -> asyncpg.Record:
        """As ``Statement.ask``."""
        statement = self._statements.get(text)
        if statement is None:
            statement = self._statements[text] = Statement(self._pool, text)
        return await statement.ask(arguments)


class Alone(Grouping):
    """Statements over one connection, each by itself: they are part of the transaction that is under way there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, text: str, arguments: Sequence[Any]) -> asyncpg.Record:
        """The row that the statement answers with."""
        row = await self._connection.fetchrow(text, *arguments)
        assert row is not None
        return row
