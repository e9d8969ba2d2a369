"""What changed, numbered without a gap after commit, and handed to every reader who listens.

A change is a row that the projector writes in the batch's own transaction. Numbers are given afterwards by one
sequencer at a time, under a lock: a number on the wire never precedes one that becomes visible later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import Connection
from events.tables import Base
from events.views.progress import MeasureFigures

KEPT_MAX: Final = 10_000
"""How many changes a reader who was away can catch up with."""


class FeedChange(Base, table=True):
    """A measure changed; ``n`` is its number on the wire, null until it is given."""

    __tablename__ = "feed_change"
    __table_args__ = (
        Index(None, "n", unique=True),
        Index("ix_feed_change_unnumbered", "id", postgresql_where=text("n IS NULL")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    n: int | None = Field(default=None, sa_type=BigInteger)
    plan: str
    measure: str
    figures: str = Field(sa_column=Column(JSONB, nullable=False))
    positions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class FeedCounter(Base, table=True):
    """The last number that was given; its row is the sequencer's lock."""

    __tablename__ = "feed_counter"

    id: int = Field(primary_key=True)
    last: int = Field(sa_type=BigInteger)


async def write(connection: Connection, changed: Sequence[tuple[MeasureFigures, list[str]]]) -> None:
    """Note what changed, inside the transaction that changed it."""
    if changed:
        await connection.executemany(
            "INSERT INTO feed_change (plan, measure, figures, positions) VALUES ($1, $2, $3, $4)",
            [(now.plan, now.measure, now.model_dump_json(), positions) for now, positions in changed],
        )


async def sequence(pool: asyncpg.Pool) -> None:
    """Number what is committed and has no number yet; forget what is too old to catch up with."""
    async with pool.acquire() as connection, connection.transaction():
        # The lock first and the rows in the next statement: together they would look at rows as they were before it.
        last = await connection.fetchval("SELECT last FROM feed_counter WHERE id = 1 FOR UPDATE")
        given = await connection.fetchval(
            "WITH fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM feed_change WHERE n IS NULL), "
            "numbered AS (UPDATE feed_change SET n = $1 + fresh.nth FROM fresh WHERE feed_change.id = fresh.id "
            "RETURNING 1) SELECT count(*) FROM numbered",
            last,
        )
        if given:
            await connection.execute("UPDATE feed_counter SET last = $1 WHERE id = 1", last + given)
            await connection.execute("DELETE FROM feed_change WHERE n <= $1", last + given - KEPT_MAX)


@dataclass(frozen=True, slots=True)
class Change:
    """A numbered change: the measure's whole row, and which events moved it."""

    n: int
    plan: str
    measure: str
    figures: str
    positions: tuple[str, ...]


async def after(pool: asyncpg.Pool, n: int) -> list[Change]:
    """What came after number ``n``, one entry for each measure: its latest row, with the positions of all of them."""
    rows = await pool.fetch("SELECT n, plan, measure, figures, positions FROM feed_change WHERE n > $1 ORDER BY n", n)
    latest: dict[tuple[str, str], Change] = {}
    for row in rows:
        key = (row["plan"], row["measure"])
        before = latest.pop(key).positions if key in latest else ()
        latest[key] = Change(row["n"], *key, row["figures"], (*before, *row["positions"]))
    return list(latest.values())


async def span(pool: asyncpg.Pool) -> tuple[int, int]:
    """The oldest number a reader can resume after, and the newest that was given."""
    last: int = await pool.fetchval("SELECT last FROM feed_counter WHERE id = 1")
    oldest: int = await pool.fetchval("SELECT coalesce(min(n) - 1, $1) FROM feed_change WHERE n IS NOT NULL", last)
    return oldest, last
