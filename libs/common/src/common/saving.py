"""The one statement that saves a decision: state, events, outbox and reply, durable together or not at all."""

import zlib
from datetime import date, datetime
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
    FROM saved, unnest($11::uuid[], $12::bigint[], $13::text[], $14::bytea[], $15::json[],
                       $16::timestamptz[], $17::bytea[], $18::bytea[])
         WITH ORDINALITY AS e (event_id, version, type, payload, headers, recorded_at, prev_hash, hash, nth)
    ORDER BY e.nth
    RETURNING position
), queued AS (
    INSERT INTO outbox (position, slice) SELECT position, $6::smallint FROM told
), remembered AS (
    INSERT INTO idempotency (key, principal, route, body_hash, status, headers, body, expires_at)
    SELECT $19::text, $8::text, $20::text, $21::bytea, $22::smallint, $23::jsonb, $24::bytea, $25::timestamptz
    FROM saved WHERE $19::text IS NOT NULL
)
SELECT count(*) FROM saved
"""
"""Everything hangs on the row that was saved: no row, then no event, no record in the outbox and no reply kept."""


class Told(NamedTuple):
    """One event on its way into the journal."""

    id: UUID
    version: int
    type: str
    payload: bytes
    headers: str
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes


class Saving(NamedTuple):
    """The parameters of the statement in its order, $1 first; the aggregate's own columns come after them."""

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
    event_ids: list[UUID]
    event_versions: list[int]
    event_types: list[str]
    event_payloads: list[bytes]
    event_headers: list[str]
    event_recorded_at: list[datetime]
    event_prev_hashes: list[bytes]
    event_hashes: list[bytes]
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


def update_statement(codec: RowCodec[Any], of: str) -> str:
    """The statement that saves a change of a known version; it counts 0 where someone else was faster."""
    changes = ", ".join(f'"{c.name}" = {_cast(n, c)}' for n, c in enumerate(codec.columns, FIRST_COLUMN))
    return f"""
WITH saved AS (
    UPDATE "{codec.table.name}"
    SET version = $3::bigint, hash = $4::bytea, recorded_at = $5::timestamptz, {changes}
    WHERE id = $1::uuid AND version = $2::bigint
    RETURNING id
), {TOLD.format(of=of)}"""


def insert_statement(codec: RowCodec[Any], of: str) -> str:
    """The statement that saves a new aggregate; $2, the version it had, is 0."""
    names = ", ".join(f'"{c.name}"' for c in codec.columns)
    values = ", ".join(_cast(n, c) for n, c in enumerate(codec.columns, FIRST_COLUMN))
    return f"""
WITH saved AS (
    INSERT INTO "{codec.table.name}" (id, version, hash, recorded_at, {names})
    SELECT $1::uuid, $3::bigint, $4::bytea, $5::timestamptz, {values}
    WHERE $2::bigint = 0
    RETURNING id
), {TOLD.format(of=of)}"""


def _cast(position: int, column: Column[Any]) -> str:
    return f"${position}::{column.type.compile(dialect=postgresql.dialect())}"  # type: ignore[no-untyped-call]
