"""A state may know of what stands beside its row: it is read with the row, decided on, and never stored."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg
import pytest

from builders import call_of, plan_words
from common.decision import Change, unchanging
from common.rows import RowCodec
from common.store import Aggregates
from keeping import keep_an_item, planning
from measures.item.domain import Item
from measures.item.store import BESIDE, ItemRow
from measures.plan.domain import define_plan
from measures.plan.store import plans


@dataclass(frozen=True, slots=True)
class Period:
    """What an item is to know of its plan."""

    ends_on: date


@unchanging
class KnowingItem(Item):
    """An item that knows how long its plan lasts."""

    period: Period | None = None


KNOWING: Aggregates[Any] = Aggregates(
    ItemRow,
    KnowingItem,
    of="item",
    at="/api/v1/items",
    reads={
        **BESIDE,
        "period": "SELECT jsonb_build_object('ends_on', ends_on) FROM plan WHERE plan.code = found.plan",
    },
)


async def _define_the_plan(pool: asyncpg.Pool, ends_on: date) -> None:
    words = {name: told for name, told in plan_words(ends_on=ends_on).items() if name != "id"}
    await plans.create(call_of(pool), lambda new_id: define_plan(id=new_id, **words))


async def test_what_stands_beside_the_row_is_read_with_it(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    await _define_the_plan(pool, date(2026, 6, 30))
    assert (await KNOWING.load(call_of(pool), item)).state.period == Period(date(2026, 6, 30))
    record = await pool.fetchrow(f"SELECT {KNOWING.selection} FROM item found")
    assert record is not None
    assert KNOWING.codec.state_of(record).period == Period(date(2026, 6, 30))


async def test_where_nothing_stands_there_the_default_is_known(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    assert (await KNOWING.load(call_of(pool), item)).state.period is None


async def test_a_decision_knows_it_and_nothing_of_it_is_stored(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    await _define_the_plan(pool, date(2026, 6, 30))
    known = []

    def decide(current: KnowingItem) -> Change[Any]:
        known.append(current.period)
        return planning(2)(current)

    await KNOWING.change(call_of(pool), item, decide)
    assert known == [Period(date(2026, 6, 30))]
    assert "period" not in KNOWING.codec.table.columns
    assert (await KNOWING.load(call_of(pool), item)).state.version == 3


def test_a_field_that_is_neither_stored_nor_read_beside_is_found_at_import() -> None:
    with pytest.raises(TypeError, match="period"):
        RowCodec(ItemRow.__table__, KnowingItem)  # type: ignore[attr-defined]
