"""Lawful events of every type in the catalogue, with whatever their contracts let through."""

import pkgutil
from datetime import date
from decimal import Decimal
from enum import Enum
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import hypothesis.strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from common import contracts
from common.contracts import CATALOGUE, Event

for module in pkgutil.iter_modules(contracts.__path__):
    import_module(f"common.contracts.{module.name}")

EVENT_TYPES = sorted(CATALOGUE)


def events(wire_type: str) -> st.SearchStrategy[Event]:
    """Events of one type."""
    return _models(CATALOGUE[wire_type])


def _models(model: type[Any]) -> st.SearchStrategy[Any]:
    fields: dict[str, FieldInfo] = model.model_fields
    return st.builds(model, **{name: _values(field.annotation, field.metadata) for name, field in fields.items()})


def _values(hint: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        further = [limit for one in parts[1:] for limit in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return _values(parts[0], [*limits, *further])
    if origin in {Union, UnionType}:
        return st.one_of(*(_values(part, limits) for part in parts))
    if origin is tuple:
        return st.lists(_values(parts[0], []), max_size=3).map(tuple)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _models(hint)
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return st.sampled_from(parts or list(hint))
    return _plain(hint, {name: getattr(one, name) for one in limits for name in _names(one)})


def _names(limit: Any) -> list[str]:
    known = ("ge", "le", "min_length", "max_length", "pattern", "decimal_places")
    return [name for name in known if getattr(limit, name, None) is not None]


def _plain(hint: Any, limits: dict[str, Any]) -> st.SearchStrategy[Any]:
    low, high = limits.get("ge", 1), limits.get("le", 99)
    if hint is str and "pattern" in limits:
        return st.from_regex(limits["pattern"], fullmatch=True)
    if hint is str:
        characters = st.characters(codec="utf-8")
        return st.text(characters, min_size=limits.get("min_length", 0), max_size=min(limits.get("max_length", 40), 40))
    if hint is Decimal:
        return st.decimals(low, high, allow_nan=False, places=limits.get("decimal_places", 2))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(low, high),
        date: st.dates(date(2015, 1, 1), date(2035, 12, 31)),
        UUID: st.uuids(),
        NoneType: st.none(),
    }
    return plain[hint]
