"""What is asked at once goes to the database together, and one that fails there fails alone."""

import asyncio
from typing import Any

import asyncpg
import pytest

from common import grouping
from common.database import open_pool
from common.grouping import Grouping
from eventually import eventually
from servers import Database

TRANSACTION = "SELECT $1::int AS n, pg_current_xact_id()::text AS transaction"
QUOTIENT = "SELECT 10 / $1::int AS quotient"
LOCK = "SELECT $1::int AS n, pg_advisory_xact_lock($1)"
LENGTH = "SELECT length(repeat('ab', $1::int)) AS length"


@pytest.fixture
def asking(pool: asyncpg.Pool) -> Grouping:
    return Grouping(pool)


async def _at_once(asking: Grouping, statement: str, numbers: range) -> list[Any]:
    return await asyncio.gather(*(asking.ask(statement, (n,)) for n in numbers), return_exceptions=True)


async def test_each_gets_its_own_answer(asking: Grouping) -> None:
    assert [row["n"] for row in await _at_once(asking, TRANSACTION, range(100))] == list(range(100))


async def test_those_who_ask_at_once_share_a_transaction(asking: Grouping) -> None:
    rows = await _at_once(asking, TRANSACTION, range(grouping.GROUP_MAX))
    assert len({row["transaction"] for row in rows}) == 1


async def test_those_who_ask_one_after_the_other_share_none(asking: Grouping) -> None:
    rows = [await asking.ask(TRANSACTION, (n,)) for n in range(5)]
    assert len({row["transaction"] for row in rows}) == 5


async def test_what_one_of_them_did_wrong_is_told_to_that_one_alone(asking: Grouping) -> None:
    replies = await _at_once(asking, QUOTIENT, range(5))
    assert isinstance(replies[0], asyncpg.DivisionByZeroError)
    assert [row["quotient"] for row in replies[1:]] == [10, 5, 3, 2]


async def test_without_asking_alone_it_would_be_told_to_all(asking: Grouping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "UNDONE", ())
    replies = await _at_once(asking, QUOTIENT, range(5))
    assert {type(reply) for reply in replies} == {asyncpg.DivisionByZeroError}


async def test_an_argument_that_cannot_be_sent_harms_no_other(asking: Grouping) -> None:
    wrong, right = await asyncio.gather(
        asking.ask(QUOTIENT, (2**40,)), asking.ask(QUOTIENT, (5,)), return_exceptions=True
    )
    assert isinstance(wrong, asyncpg.DataError)
    assert right["quotient"] == 2  # type: ignore[index]


async def test_what_is_too_large_for_the_server_harms_no_other(asking: Grouping) -> None:
    large, small = await asyncio.gather(
        asking.ask(LENGTH, (2**31 - 1,)), asking.ask(LENGTH, (1,)), return_exceptions=True
    )
    assert isinstance(large, asyncpg.ProgramLimitExceededError)
    assert small["length"] == 2  # type: ignore[index]


async def _with_one_held(owner: asyncpg.Connection, url: str) -> list[Any]:
    """What four get who ask at once for locks of which somebody else holds the first."""
    opening = open_pool(url, size_max=4, application="tests", lock_seconds_max=0.3)
    async with await opening as pool, owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock(0)")
        return await _at_once(Grouping(pool), LOCK, range(4))


async def test_who_needs_what_somebody_holds_gives_up_alone(owner: asyncpg.Connection, database: Database) -> None:
    replies = await _with_one_held(owner, database.app_url)
    assert isinstance(replies[0], asyncpg.LockNotAvailableError)
    assert [row["n"] for row in replies[1:]] == [1, 2, 3]


async def test_without_asking_alone_its_neighbours_would_give_up_with_it(
    owner: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "UNDONE", ())
    replies = await _with_one_held(owner, database.app_url)
    assert {type(reply) for reply in replies} == {asyncpg.LockNotAvailableError}


async def test_where_the_connection_is_lost_nobody_is_asked_again(
    asking: Grouping, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """Whether it took effect is not known then."""
    await owner.execute("CREATE SEQUENCE asked; GRANT USAGE ON SEQUENCE asked TO measures_app")
    statement = "SELECT $1::int AS n, nextval('asked'), pg_sleep($2::int), pg_backend_pid()"
    sleeping = [asyncio.create_task(asking.ask(statement, (n, 60))) for n in range(3)]
    find = "SELECT pid FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    pid = await eventually(lambda: pool.fetchval(find, statement))
    await pool.execute("SELECT pg_terminate_backend($1)", pid)
    told = await asyncio.gather(*sleeping, return_exceptions=True)
    assert all(isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError) for error in told)
    assert await owner.fetchval("SELECT last_value FROM asked") == 1


async def test_who_gave_up_before_it_was_sent_is_not_asked(asking: Grouping, owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE SEQUENCE asked; GRANT USAGE ON SEQUENCE asked TO measures_app")
    task = asyncio.create_task(asking.ask("SELECT $1::int AS n, nextval('asked')", (1,)))
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await owner.fetchval("SELECT is_called FROM asked") is False


async def test_more_than_one_group_holds_are_asked_in_turn(asking: Grouping) -> None:
    rows = await _at_once(asking, TRANSACTION, range(5 * grouping.GROUP_MAX))
    assert 5 <= len({row["transaction"] for row in rows}) <= 6
