"""How far each partition was read, and of which log: rows that move in the transaction of what was made of the records.

A partition's row is its lock. Beside the next offset stands the witness, which is the last record taken in: by it
another log under the same name is told from the one that was read.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import asyncpg
from aiokafka import TopicPartition

from common.database import Connection

LOCK: Final = """
SELECT topic, partition, next_offset FROM projection_offset
WHERE projection = $1 AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
ORDER BY topic, partition FOR UPDATE
"""
"""In one order for all, so that two who want the same partitions do not wait for each other."""


class Mark(NamedTuple):
    """Where a partition was left."""

    next_offset: int
    witness_offset: int | None
    witness_id: str | None
    """The witness's ``ce_id``."""


async def lock_one(connection: Connection, projection: str, partition: TopicPartition) -> Mark:
    """Lock a partition's row, which is made if it is not there; until the transaction ends nobody else takes it in."""
    row = await connection.fetchrow(
        "INSERT INTO projection_offset (projection, topic, partition) VALUES ($1, $2, $3) "
        "ON CONFLICT (projection, topic, partition) DO UPDATE SET topic = excluded.topic "
        "RETURNING next_offset, witness_offset, witness_id",
        projection,
        *partition,
    )
    assert row is not None
    return Mark(*row)


async def lock(
    connection: Connection, projection: str, partitions: Sequence[TopicPartition]
) -> dict[tuple[str, int], int]:
    """Lock the rows of some partitions; the next offset of each.

    What is read of them must be read in a later statement: in this one it would be as it was before the wait.
    """
    topics, numbers = zip(*partitions, strict=True)
    rows = await connection.fetch(LOCK, projection, topics, numbers)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def move(connection: Connection, projection: str, marks: Mapping[TopicPartition, Mark]) -> None:
    """Store where partitions are left now."""
    topics, numbers = zip(*marks, strict=True)
    await connection.execute(
        "UPDATE projection_offset kept "
        "SET next_offset = now.next_offset, witness_offset = now.witness_offset, witness_id = now.witness_id "
        "FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::text[]) "
        "AS now (topic, partition, next_offset, witness_offset, witness_id) "
        "WHERE kept.projection = $1 AND kept.topic = now.topic AND kept.partition = now.partition",
        projection,
        topics,
        numbers,
        *zip(*marks.values(), strict=True),
    )


async def note_reached(pool: asyncpg.Pool, projection: str, partitions: Sequence[TopicPartition]) -> None:
    """Note that these partitions were just seen read to their end."""
    await pool.execute(
        "UPDATE projection_offset SET caught_up_at = now() WHERE projection = $1 "
        "AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))",
        projection,
        [partition.topic for partition in partitions],
        [partition.partition for partition in partitions],
    )
