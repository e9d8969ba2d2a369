"""A request that is repeated under its key has one effect and gets one reply, byte for byte."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from builders import call_of
from common.replies import first_reply
from common.saving import insert_statement
from common.store import Aggregates
from keeping import ON, add, another_process, counts, keep_an_item, planning, said
from measures.item.domain import Item
from measures.item.store import items
from refusals import refused


async def test_the_same_request_again_gets_the_same_reply_and_has_one_effect(pool: asyncpg.Pool) -> None:
    call = call_of(pool, key="k-1")
    first, again = [await first_reply(call, lambda: add(call)) for _ in range(2)]
    assert said(first) == said(again)
    assert said(first)[2]["location"].startswith("/api/v1/items/")
    assert (await counts(pool))["item"] == 1


async def test_a_repeated_change_gets_its_old_reply_even_after_later_changes(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    call = call_of(pool, key="k-1", expected_version=2)
    first = await items.change(call, item, planning(2))
    await items.change(call_of(pool), item, planning(3))
    again = await first_reply(call, lambda: items.change(call, item, planning(2)))
    assert said(first) == said(again)
    assert (await items.load(call_of(pool), item)).state.version == 4


async def _twice_at_once(pool: asyncpg.Pool, stores: list[Aggregates[Item]]) -> list[Any]:
    """The same request arrives at two processes at once; each would give the new item another code."""
    return await asyncio.gather(
        *(add(call_of(pool, key="k-1"), store, code=f"A1-{nth}") for nth, store in enumerate(stores)),
        return_exceptions=True,
    )


async def test_two_requests_at_once_with_one_key_have_one_effect_and_one_reply(pool: asyncpg.Pool) -> None:
    first, second = await _twice_at_once(pool, [items, another_process()])
    assert said(first) == said(second)
    assert await counts(pool) == {"item": 1, "event": 2, "outbox": 2, "idempotency": 1}


async def test_a_key_that_is_kept_without_conflict_lets_the_effect_happen_twice(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "FROM saved WHERE $11::text IS NOT NULL"
    monkeypatch.setattr(
        "common.store.insert_statement",
        lambda *of: insert_statement(*of).replace(kept, f"{kept} ON CONFLICT DO NOTHING"),
    )
    await _twice_at_once(pool, [another_process(), another_process()])
    assert (await counts(pool))["item"] == 2


async def test_two_changes_at_once_with_one_key_have_one_effect(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    stores = [items, another_process(), another_process()]
    replies = await asyncio.gather(*(store.change(call_of(pool, key="k-1"), item, planning(2)) for store in stores))
    assert len({said(reply)[1] for reply in replies}) == 1
    assert (await items.load(call_of(pool), item)).state.version == 3


async def test_a_key_is_not_used_again_for_another_body(pool: asyncpg.Pool) -> None:
    await add(call_of(pool, key="k-1"))
    with refused("idempotency.key-reused"):
        await add(call_of(pool, key="k-1", body_hash=hashlib.sha256(b"other").digest()), code="A1-02")
    assert (await counts(pool))["item"] == 1


@pytest.mark.parametrize("other", [{"principal": "p-2"}, {"route": "POST /elsewhere"}])
async def test_a_key_belongs_to_its_principal_and_its_address(pool: asyncpg.Pool, other: dict[str, str]) -> None:
    await add(call_of(pool, key="k-1"))
    await add(call_of(pool, key="k-1", **other), code="A1-02")
    assert await counts(pool) == {"item": 2, "event": 4, "outbox": 4, "idempotency": 2}


async def test_a_decision_without_events_keeps_its_key(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    first = await items.change(call_of(pool, key="k-1"), item, planning(1))
    assert (await counts(pool))["idempotency"] == 1
    await items.change(call_of(pool), item, planning(2))
    again = await items.change(call_of(pool, key="k-1"), item, planning(1))
    assert said(first) == said(again)
    assert first.headers["etag"] == '"2"'


async def test_a_refusal_is_not_remembered(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool, milestones=())
    with refused("item.no-required-milestone"):
        await items.change(call_of(pool, key="k-1"), item, lambda i: i.assign(by=None, on=ON))
    await items.change(call_of(pool), item, planning(1))
    assert (await items.change(call_of(pool, key="k-1"), item, lambda i: i.assign(by=None, on=ON))).status_code == 200


async def test_a_key_is_forgotten_after_a_day(pool: asyncpg.Pool) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    await add(call_of(pool, key="k-1", now=long_ago))
    again = await add(call_of(pool, key="k-1"), code="A1-02")
    assert again.status_code == 201
    assert await pool.fetchval("SELECT count(*) FROM item") == 2
