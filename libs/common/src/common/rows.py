"""One aggregate, one row: how a state becomes a declared table's columns, and a row the state, settled at import."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, LargeBinary, Table
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
