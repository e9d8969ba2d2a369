"""A service's copy of the directory bears each unit's latest name, and says whether it is all there."""

from datetime import date

import asyncpg

from builders import OWNER, circumstances, directory_history, recorded
from common.cloudevents import Recorded
from common.contracts.directory import UnitRenamed
from common.directory import TOPIC, DirectoryCopy, directory_complete

COPY = DirectoryCopy("tests")


async def _learn(pool: asyncpg.Pool, *records: Recorded) -> None:
    async with pool.acquire() as connection:
        await COPY.apply(connection, records)


def _renamed(version: int, name: str, valid_from: date) -> Recorded:
    event = UnitRenamed(unit=OWNER.id, name_zh=f"{name}（中）", name_en=name, valid_from=valid_from)
    return recorded(event, about=circumstances("unit", OWNER.id, version))


async def _names(pool: asyncpg.Pool) -> tuple[str, str]:
    row = await pool.fetchrow("SELECT name_zh, name_en FROM directory_unit WHERE id = $1", OWNER.id)
    assert row is not None
    return row["name_zh"], row["name_en"]


async def test_a_unit_bears_its_new_name_and_an_older_one_does_not_come_back(pool: asyncpg.Pool) -> None:
    await _learn(pool, *directory_history(), _renamed(2, "New", date(2022, 3, 1)))
    assert await _names(pool) == ("New（中）", "New")
    await _learn(pool, _renamed(3, "Older", date(2022, 2, 1)))
    assert await _names(pool) == ("New（中）", "New")
    await _learn(pool, _renamed(4, "Corrected", date(2022, 3, 1)))
    assert await _names(pool) == ("Corrected（中）", "Corrected")


async def test_a_copy_is_complete_once_it_holds_units_and_has_reached_the_end_of_every_partition(
    pool: asyncpg.Pool,
) -> None:
    not_at_the_end = "the directory copy has not reached the end of its topic yet"
    assert await directory_complete(pool, COPY.name) == not_at_the_end
    await pool.executemany(
        "INSERT INTO projection_offset (projection, topic, partition) VALUES ($1, $2, $3)",
        [(COPY.name, TOPIC, partition) for partition in range(2)],
    )
    await _learn(pool, *directory_history())
    assert await directory_complete(pool, COPY.name) == not_at_the_end
    await pool.execute("UPDATE projection_offset SET caught_up_at = now() WHERE partition = 0")
    assert await directory_complete(pool, COPY.name) == not_at_the_end
    await pool.execute("UPDATE projection_offset SET caught_up_at = now()")
    assert await directory_complete(pool, COPY.name) == "ok"


async def test_a_copy_that_has_reached_the_end_of_an_empty_topic_is_not_complete(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO projection_offset (projection, topic, partition, caught_up_at) VALUES ($1, $2, 0, now())",
        COPY.name,
        TOPIC,
    )
    assert await directory_complete(pool, COPY.name) == "the directory copy holds no units yet"
