"""A state becomes a row and the row the same state again; a table that does not fit its state is found at import."""

from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Column, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from builders import a_closed_item, a_draft_item, a_milestone, an_adopted_plan, an_item_with_a_report, call_of
from common.rows import RowCodec, one_of
from measures.item.domain import Item
from measures.item.store import ItemRow, items
from measures.plan.domain import Plan
from measures.plan.store import plans


class Colour(StrEnum):
    """What a thing may be."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Thing:
    """A small state."""

    id: UUID
    version: int
    state: Colour
    sizes: tuple[Decimal, ...]


def _table(*columns: Column[Any]) -> Table:
    return Table("thing", MetaData(), Column("id", Uuid, primary_key=True), *columns)


@pytest.mark.parametrize(
    "columns",
    [
        [Column("state", Text)],
        [Column("state", Text), Column("sizes", JSONB), Column("weight", Text)],
        [Column("colour", Text), Column("sizes", JSONB)],
    ],
    ids=["a column too few", "a column too many", "another name"],
)
def test_a_table_that_does_not_fit_its_state_is_found_at_import(columns: list[Column[Any]]) -> None:
    with pytest.raises(TypeError, match="differ in"):
        RowCodec(_table(*columns), Thing)


def test_a_json_column_is_validated_when_it_is_read() -> None:
    codec = RowCodec(_table(Column("state", Text), Column("sizes", JSONB)), Thing)
    thing = Thing(uuid4(), 3, Colour.RED, (Decimal("1.50"), Decimal(2)))
    row = {"id": thing.id, "version": 3, "state": "red", "sizes": '["1.50", "2"]'}
    assert codec.values(thing) == ["red", '["1.50","2"]']
    assert codec.state_of(row) == thing  # type: ignore[arg-type]
    for spoilt in ({"sizes": '["much"]'}, {"state": "green"}):
        with pytest.raises(ValueError, match=r"much|green"):
            codec.state_of(row | spoilt)  # type: ignore[arg-type]


def test_the_columns_that_a_change_touched_are_told_by_name() -> None:
    codec = RowCodec(_table(Column("state", Text), Column("sizes", JSONB)), Thing)
    thing = Thing(uuid4(), 3, Colour.RED, (Decimal(1),))
    assert codec.changes(thing, replace(thing, version=4)) == {}
    assert codec.changes(thing, replace(thing, version=4, sizes=(Decimal(2),))) == {"sizes": '["2"]'}
    assert codec.changes(thing, replace(thing, version=4, state=Colour.BLUE)) == {"state": "blue"}


@pytest.mark.parametrize(
    "item",
    [
        a_draft_item(milestones=()),
        a_draft_item(co_units=(), responsible_post=None),
        an_item_with_a_report(milestones=(a_milestone(1, weight=Decimal("0.0001")), a_milestone(2, required=False))),
        a_draft_item().reschedule_milestone(1, planned_on=date(2023, 1, 1), reason="x", on=date(2022, 2, 1)).state,
        a_closed_item(title_zh="“引号”、\\ 与 \U0001f600", problem="'; DROP TABLE item; --"),
    ],
)
async def test_an_item_is_read_as_it_was_saved(pool: asyncpg.Pool, item: Item) -> None:
    await _insert(pool, items.codec, item)
    assert (await items.load(call_of(pool), item.id)).state == item


async def test_a_plan_is_read_as_it_was_saved(pool: asyncpg.Pool) -> None:
    plan = an_adopted_plan()
    await _insert(pool, plans.codec, plan)
    read = (await plans.load(call_of(pool), plan.id)).state
    for field in fields(Plan):
        assert isinstance(getattr(read, field.name), type(getattr(plan, field.name)))
    assert read == plan


async def _insert(pool: asyncpg.Pool, codec: RowCodec[Any], state: Any) -> None:
    names = ["id", "version", "hash", "recorded_at", *(column.name for column in codec.columns)]
    places = ", ".join(f"${n}" for n in range(1, len(names)))
    quoted = ", ".join(f'"{name}"' for name in names if name != "recorded_at")
    sql = f'INSERT INTO "{codec.table.name}" (recorded_at, {quoted}) VALUES (now(), {places})'
    await pool.execute(sql, state.id, state.version, b"", *codec.values(state))


async def test_the_database_itself_knows_the_states(pool: asyncpg.Pool) -> None:
    await _insert(pool, items.codec, a_draft_item())
    with pytest.raises(asyncpg.CheckViolationError, match="ck_item_state_known"):
        await pool.execute("UPDATE item SET state = 'lost'")


def test_a_guard_names_all_values_of_its_enumeration() -> None:
    assert str(one_of("state", Colour).sqltext) == "state IN ('red', 'blue')"


def test_the_declared_table_is_the_rows() -> None:
    assert items.codec.table is ItemRow.__table__  # type: ignore[attr-defined]
