"""Items that are kept through the store, and what a client is told of it."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from starlette.responses import Response

from builders import a_milestone, call_of, item_words
from common.call import Call
from common.decision import Change
from common.store import Aggregates, Decided
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.store import BESIDE, ItemRow, items

ON = date(2022, 2, 1)
TABLES = ("item", "event", "outbox", "idempotency")


async def count(pool: asyncpg.Pool, table: str) -> int:
    found: int = await pool.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def counts(pool: asyncpg.Pool) -> dict[str, int]:
    return {table: await count(pool, table) for table in TABLES}


def said(response: Response) -> tuple[int, bytes, dict[str, str]]:
    """All of a reply that a client sees."""
    return response.status_code, bytes(response.body), dict(response.headers)


async def add(call: Call, store: Aggregates[Item] = items, **changed: Any) -> Response:
    return await store.create(call, lambda new_id: add_item(**item_words(id=new_id, **changed)))


async def keep_an_item(pool: asyncpg.Pool, **changed: Any) -> UUID:
    return Decided.model_validate_json(bytes((await add(call_of(pool), **changed)).body)).id


def planning(number: int) -> Callable[[Item], Change[Item]]:
    return lambda item: item.plan_milestone(a_milestone(number), on=ON)


def another_process() -> Aggregates[Item]:
    """The same store as another process has it: with lanes of its own."""
    return Aggregates(ItemRow, Item, of="item", at="/api/v1/items", reads=BESIDE)
