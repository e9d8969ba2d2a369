"""The one statement that saves a decision: state, events, outbox and reply, durable together or not at all."""

import zlib
from collections.abc import Sequence
from datetime import date, datetime
from itertools import count
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from common.rows import RowCodec

TOLD: Final = """
told AS (
    INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers,
                       effective_on, recorded_at, actor, correlation, causation, prev_hash, hash)
    SELECT e.event_id, '{of}', $1::uuid, e.version, e.type, e.payload, e.headers,
           $7::date, e.recorded_at, $8::text, $9::text, $10::text, e.prev_hash, e.hash
    FROM saved, ({events}) AS e (event_id, version, type, payload, headers, recorded_at, prev_hash, hash)
    ORDER BY e.version
    RETURNING position
), queued AS (
    INSERT INTO outbox (position, slice) SELECT position, $6::smallint FROM told
), remembered AS (
    INSERT INTO idempotency (key, principal, route, body_hash, status, headers, body, expires_at)
    SELECT $11::text, $8::text, $12::text, $13::bytea, $14::smallint, $15::jsonb, $16::bytea, $17::timestamptz
    FROM saved WHERE $11::text IS NOT NULL
)
SELECT count(*) FROM saved
"""
"""Everything hangs on the row that was saved: no row, then no event, no record in the outbox and no reply kept."""


class Told(NamedTuple):
    """One event on its way into the journal; its fields are the parameters that it takes in the statement."""

    id: UUID
    version: int
    type: str
    payload: bytes
    headers: str
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes


class Ground(NamedTuple):
    """A row of another aggregate on which a new one stands: as it was when it was looked at, or nothing is saved."""

    table: str
    id: UUID
    written: int
    """Its ``xmin``: the transaction that wrote it last."""


TOLD_TYPES: Final = ("uuid", "bigint", "text", "bytea", "json", "timestamptz", "bytea", "bytea")
"""What PostgreSQL calls the types of ``Told``'s fields."""


class Saving(NamedTuple):
    """The first parameters of the statement, $1 first; then come the columns that are saved, then the events."""

    id: UUID
    version_before: int
    version: int
    hash: bytes
    recorded_at: datetime
    slice: int
    effective_on: date
    actor: str
    correlation: str | None
    causation: str | None
    key: str | None
    route: str
    body_hash: bytes
    reply_status: int
    reply_headers: str
    reply_body: bytes
    reply_expires_at: datetime


def slice_of(aggregate_id: UUID, slices: int) -> int:
    """The key slice of the outbox, from 0, to which all events of an aggregate belong."""
    return zlib.crc32(aggregate_id.bytes) % slices


FIRST_COLUMN: Final = len(Saving._fields) + 1


def update_statement(codec: RowCodec[Any], of: str, events: int, changed: Sequence[str]) -> str:
    """The statement that saves a change of a known version and as many events; it counts 0 if someone was faster.

    :param changed: the columns that the change has touched, all of them.
    """
    columns = [codec.table.columns[name] for name in changed]
    changes = "".join(f', "{c.name}" = {_cast(n, c)}' for n, c in enumerate(columns, FIRST_COLUMN))
    return f"""
WITH saved AS (
    UPDATE "{codec.table.name}"
    SET version = $3::bigint, hash = $4::bytea, recorded_at = $5::timestamptz{changes}
    WHERE id = $1::uuid AND version = $2::bigint
    RETURNING id
), {TOLD.format(of=of, events=_table(events, after=len(columns)))}"""


def insert_statement(codec: RowCodec[Any], of: str, events: int, ground: str | None = None) -> str:
    """The statement that saves a new aggregate and as many events; $2, the version it had, is 0.

    :param ground: the table of the ``Ground`` on which it stands, the last two parameters; the statement counts 0 if
        that row was written anew, and waits for whoever is about to. As long as this one is not durable nobody writes
        it: the lock is shared by all that stand there.
    """
    names = ", ".join(f'"{c.name}"' for c in codec.columns)
    values = ", ".join(_cast(n, c) for n, c in enumerate(codec.columns, FIRST_COLUMN))
    place = FIRST_COLUMN + len(codec.columns) + events * len(TOLD_TYPES)
    held = f"""ground AS (
    SELECT id FROM "{ground}" WHERE id = ${place}::uuid AND xmin::text::bigint = ${place + 1}::bigint FOR SHARE
), """
    return f"""
WITH {held if ground else ""}saved AS (
    INSERT INTO "{codec.table.name}" (id, version, hash, recorded_at, {names})
    SELECT $1::uuid, $3::bigint, $4::bytea, $5::timestamptz, {values}
    {"FROM ground " if ground else ""}WHERE $2::bigint = 0
    RETURNING id
), {TOLD.format(of=of, events=_table(events, after=len(codec.columns)))}"""


def _table(events: int, *, after: int) -> str:
    """The events as a table, a parameter for each value: encoding and unnesting arrays costs twice as much.

    :param after: how many columns' parameters come before theirs.
    """
    if not events:
        return f"SELECT {', '.join(f'NULL::{kind}' for kind in TOLD_TYPES)} WHERE false"
    places = count(FIRST_COLUMN + after)
    rows = [", ".join(f"${next(places)}::{kind}" for kind in TOLD_TYPES) for _ in range(events)]
    return f"VALUES ({'), ('.join(rows)})"


def _cast(position: int, column: Column[Any]) -> str:
    return f"${position}::{column.type.compile(dialect=postgresql.dialect())}"  # type: ignore[no-untyped-call]
