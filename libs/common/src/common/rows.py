"""One aggregate, one row: how a state becomes a declared table's columns, and a row the state, settled at import."""

import dataclasses
from collections.abc import Callable, Collection
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar, get_args, get_origin, get_type_hints
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
SHORT: Final = 512
"""Characters of JSON that are remembered: nothing at all, a reason, how the measure stands; no three milestones."""
Converter = Callable[[Any], Any]
"""Makes a column's value of a field's, or the other way round; None where both are the same."""


class RowCodec(Generic[State]):
    """Turns a state into column values and a database record into a state, both by the table's declaration.

    A JSONB column holds whatever pydantic makes of the field's type, and is validated when it is read. An enumeration
    is stored by its value, a tuple in an array column as it is.

    :param reads: fields that are read beside the row, as JSON, and never stored; what is not found is the default.
    """

    def __init__(self, table: Table, state: type[State], reads: Collection[str] = ()) -> None:
        self.table = table
        self.state = state
        hints = get_type_hints(state)
        fields = dataclasses.fields(state)  # type: ignore[arg-type]
        self._fields = [field.name for field in fields]
        self._told_in = itemgetter(*self._fields)
        self._names = [name for name in self._fields if name not in KEPT_BY_STORE and name not in reads]
        if missing := set(self._names) ^ {column.name for column in table.columns if column.name not in KEPT_BY_STORE}:
            raise TypeError(f"{table.name} and {state.__name__} differ in {sorted(missing)}")
        self.columns = tuple(table.columns[name] for name in self._names)
        self._dumpers = [_dumper(column, hints[column.name]) for column in self.columns]
        loaders = [(self._fields.index(column.name), _loader(column, hints[column.name])) for column in self.columns]
        self._loaders = [(place, load) for place, load in loaders if load]  # most fields are as their column is
        self._loaders += [(n, _beside(one, hints[one.name])) for n, one in enumerate(fields) if one.name in reads]

    def values(self, state: State) -> list[Any]:
        """The column values in the order of ``columns``."""
        fields = zip(self._names, self._dumpers, strict=True)
        return [dump(getattr(state, name)) if dump else getattr(state, name) for name, dump in fields]

    def changes(self, before: State, after: State) -> dict[str, Any]:
        """The values of the columns that a change has touched, by their names: nothing is changed in place."""
        changed: dict[str, Any] = {}
        for name, dump in zip(self._names, self._dumpers, strict=True):
            value = getattr(after, name)
            if value is not getattr(before, name):
                changed[name] = dump(value) if dump else value
        return changed

    def state_of(self, record: asyncpg.Record) -> State:
        """The state that a row holds."""
        fields = list(self._told_in(record))
        for place, load in self._loaders:
            fields[place] = load(fields[place])
        return self.state(*fields)


def _dumper(column: Column[Any], hint: Any) -> Converter | None:
    if isinstance(column.type, JSONB):
        adapter = TypeAdapter(hint)
        to_json = adapter.serializer.to_json
        return lambda value: to_json(value).decode()
    return None


def _loader(column: Column[Any], hint: Any) -> Converter | None:
    if isinstance(column.type, JSONB):
        return _read(hint)
    members = get_args(hint) or (hint,)
    if get_origin(hint) is tuple and members[0] in (str, UUID):
        return tuple
    if get_origin(hint) is tuple or any(isinstance(one, type) and issubclass(one, Enum) for one in members):
        return TypeAdapter(hint).validator.validate_python
    return None


def _read(hint: Any) -> Converter:
    """What reads JSON; a short text is remembered, for many rows say the same, and no value of a state can change."""
    validate = TypeAdapter(hint).validator.validate_json
    known = lru_cache(maxsize=512)(validate)
    return lambda text: known(text) if len(text) <= SHORT else validate(text)


def _beside(field: "dataclasses.Field[Any]", hint: Any) -> Converter:
    validate, default = _read(hint), field.default
    return lambda found: validate(found) if found is not None or default is dataclasses.MISSING else default
