"""One aggregate, one row: how a declared table becomes SQL, and a row the state and back, settled at import."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, LargeBinary, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

State = TypeVar("State")


class AggregateRow(SQLModel):
    """The columns that every aggregate's row begins with; a table class adds one column for each field of the state."""

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def one_of(column: str, known: type[StrEnum]) -> CheckConstraint:
    """The database's own guard that a column holds a value of an enumeration."""
    values = ", ".join(f"'{value}'" for value in known)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


KEPT_BY_STORE = ("id", "version", "hash", "recorded_at")


class RowCodec(Generic[State]):
    """Turns a state into column values and a database record into a state, both by the table's declaration.

    A JSONB column holds whatever pydantic makes of the field's type, and is validated when it is read. An enumeration
    is stored by its value, a tuple in an array column as it is.
    """

    def __init__(self, table: Table, state: type[State]) -> None:
        self.table = table
        self.state = state
        hints = get_type_hints(state)
        names = [field.name for field in dataclasses.fields(state) if field.name not in KEPT_BY_STORE]  # type: ignore[arg-type]
        if missing := set(names) ^ {column.name for column in table.columns if column.name not in KEPT_BY_STORE}:
            raise TypeError(f"{table.name} and {state.__name__} differ in {sorted(missing)}")
        self.columns = tuple(table.columns[name] for name in names)
        self._dump = [(name, _dumper(table.columns[name], hints[name])) for name in names]
        self._load = [(name, _loader(table.columns[name], hints[name])) for name in names]

    def values(self, state: State) -> list[Any]:
        """The column values in the order of ``columns``."""
        return [dump(getattr(state, name)) for name, dump in self._dump]

    def state_of(self, record: asyncpg.Record) -> State:
        """The state that a row holds."""
        return self.state(
            **{name: record[name] for name in ("id", "version")}
            | {name: load(record[name]) for name, load in self._load}
        )


def _dumper(column: Column[Any], hint: Any) -> Callable[[Any], Any]:
    if isinstance(column.type, JSONB):
        adapter = TypeAdapter(hint)
        return lambda value: adapter.dump_json(value).decode()
    return lambda value: value


def _loader(column: Column[Any], hint: Any) -> Callable[[Any], Any]:
    if isinstance(column.type, JSONB):
        return TypeAdapter(hint).validate_json
    members = get_args(hint) or (hint,)
    if any(isinstance(one, type) and issubclass(one, Enum) for one in members):
        return TypeAdapter(hint).validate_python
    if get_origin(hint) is tuple:
        return tuple
    return lambda value: value


def _cast(position: int, column: Column[Any]) -> str:
    return f"${position}::{column.type.compile(dialect=postgresql.dialect())}"  # type: ignore[no-untyped-call]


TOLD = """
told AS (
    INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers,
                       effective_on, recorded_at, actor, correlation, causation, prev_hash, hash)
    SELECT e.event_id, '{of}', $1::uuid, e.version, e.type, e.payload, e.headers,
           $7::date, e.recorded_at, $8::text, $9::text, $10::text, e.prev_hash, e.hash
    FROM saved, unnest($11::uuid[], $12::bigint[], $13::text[], $14::bytea[], $15::jsonb[],
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

FIRST_COLUMN = 26


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
