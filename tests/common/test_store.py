"""A command's effect, its history, its publication and its reply are durable together, once, or not at all."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from starlette.responses import Response

from builders import CO_UNIT, OWNER, UNITS, a_milestone, call_of
from common.contracts import CATALOGUE, Event
from common.decision import Change, Refused, Unit
from common.saving import update_statement
from common.store import Aggregates
from folds import fold_item
from keeping import ON, add, another_process, count, counts, keep_an_item, planning
from measures.item.domain import Item
from measures.item.store import items
from refusals import counted, refused

# ── one statement ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_state_events_outbox_and_reply_are_saved_together(pool: asyncpg.Pool) -> None:
    await add(call_of(pool, key="k-1"), milestones=(a_milestone(1), a_milestone(2)))
    assert await counts(pool) == {"item": 1, "event": 3, "outbox": 3, "idempotency": 1}


@pytest.mark.parametrize("table", ["event", "outbox", "idempotency"])
async def test_where_one_part_cannot_be_saved_nothing_is(
    pool: asyncpg.Pool, owner: asyncpg.Connection, table: str
) -> None:
    item = await keep_an_item(pool)
    before = await counts(pool)
    await owner.execute(f"REVOKE INSERT ON {table} FROM measures_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await add(call_of(pool, key="k-1"), code="A1-02")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await items.change(call_of(pool, key="k-2"), item, planning(2))
    assert await counts(pool) == before
    assert (await items.load(call_of(pool), item)).state.version == 2


async def test_only_what_a_change_has_touched_is_written(pool: asyncpg.Pool) -> None:
    """What a row says beside that is not sent again, however much it is."""
    item = await keep_an_item(pool)

    def beside(current: Item) -> Change[Item]:
        return replace(planning(2)(current), state=replace(planning(2)(current).state, problem="其他"))

    await pool.execute("UPDATE item SET problem = '在旁写下'")
    await items.change(call_of(pool), item, planning(3))
    assert (await items.load(call_of(pool), item)).state.problem == "在旁写下"
    await items.change(call_of(pool), item, beside)
    assert (await items.load(call_of(pool), item)).state.problem == "其他"


async def test_the_events_of_one_change_stand_in_their_order(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool, milestones=tuple(a_milestone(number) for number in range(1, 21)))
    rows = await pool.fetch("SELECT aggregate_version FROM event WHERE aggregate_id = $1 ORDER BY position", item)
    assert [row["aggregate_version"] for row in rows] == list(range(1, 22))


async def test_what_is_stored_is_what_the_events_tell(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    for take in (lambda i: i.assign(by=None, on=ON), lambda i: i.acknowledge(by=OWNER, on=ON), planning(2)):
        await items.change(call_of(pool), item, take)
    rows = await pool.fetch("SELECT payload, headers FROM event ORDER BY position")
    told = [_event(row) for row in rows]
    assert fold_item(told, plan_starts_on=date(2021, 1, 1)) == (await items.load(call_of(pool), item)).state


def _event(row: asyncpg.Record) -> Event:
    return CATALOGUE[orjson.loads(row["headers"])["ce_type"]].model_validate_json(row["payload"])


async def test_an_event_carries_who_when_and_by_which_request(pool: asyncpg.Pool) -> None:
    call = call_of(pool, correlation="c-1", traceparent="00-1-2-01")
    await add(call)
    row = await pool.fetchrow("SELECT * FROM event ORDER BY position LIMIT 1")
    assert row is not None
    headers = orjson.loads(row["headers"])
    assert (row["actor"], row["correlation"], row["recorded_at"]) == (
        "p-1",
        "c-1",
        call.now + timedelta(microseconds=1),
    )
    assert (headers["ce_actor"], headers["ce_correlationid"], headers["traceparent"]) == ("p-1", "c-1", "00-1-2-01")
    assert headers["ce_unitid"] == str(call.unit.id)
    assert (row["effective_on"].isoformat(), headers["ce_sequence"]) == (headers["ce_effectiveat"], f"{1:020d}")


async def test_recorded_time_never_runs_backwards(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    await items.change(call_of(pool, now=datetime(2020, 1, 1, tzinfo=UTC)), item, planning(2))
    times = [row["recorded_at"] for row in await pool.fetch("SELECT recorded_at FROM event ORDER BY position")]
    assert times == sorted(set(times))


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _race(pool: asyncpg.Pool, item: UUID, stores: list[Aggregates[Item]], each: int) -> list[Any]:
    """Each store plans milestones of its own, all at once."""
    return await asyncio.gather(
        *(
            store.change(call_of(pool), item, planning(10 * nth + number))
            for nth, store in enumerate(stores, 1)
            for number in range(each)
        ),
        return_exceptions=True,
    )


async def test_a_change_that_lost_a_race_is_decided_again(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    replies = await _race(pool, item, [items, another_process()], each=8)
    assert [reply for reply in replies if not isinstance(reply, Response)] == []
    after = (await items.load(call_of(pool), item)).state
    assert (after.version, len(after.milestones)) == (18, 17)
    assert await items.history(call_of(pool), item)
    assert await count(pool, "outbox") == 18


async def test_without_the_version_in_the_statement_the_race_is_lost(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a second writer's state would overwrite the first's; only the uniqueness of versions stops it."""
    item = await keep_an_item(pool)
    monkeypatch.setattr(
        "common.store.update_statement",
        lambda *of: update_statement(*of).replace("AND version = $2::bigint", "AND $2::bigint > 0"),
    )
    replies = await _race(pool, item, [another_process(), another_process()], each=8)
    assert [reply for reply in replies if not isinstance(reply, Response)]


async def test_commands_of_one_process_on_one_aggregate_queue(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    decided = 0

    def decide(current: Item) -> Change[Item]:
        nonlocal decided
        decided += 1
        return current.plan_milestone(a_milestone(10 + decided), on=ON)

    await asyncio.gather(*(items.change(call_of(pool), item, decide) for _ in range(10)))
    assert decided == 10


async def test_who_finds_the_queue_long_is_refused_and_nothing_is_begun(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.lanes.LANE_MAX", 3)
    item = await keep_an_item(pool)
    with counted(7, "aggregate"):
        replies = await asyncio.gather(
            *(items.change(call_of(pool), item, planning(number)) for number in range(2, 12)), return_exceptions=True
        )
    codes = [reply.refusal.code for reply in replies if isinstance(reply, Refused)]
    assert codes == ["version.busy"] * 7
    assert (await items.load(call_of(pool), item)).state.version == 2 + 3
    assert (await items.change(call_of(pool), item, planning(12))).status_code == 200


async def test_a_change_that_was_made_for_another_version_is_refused(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    with refused("version.stale"):
        await items.change(call_of(pool, expected_version=1), item, planning(2))
    assert await count(pool, "event") == 2


async def test_a_change_that_was_made_for_the_present_version_is_taken(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    reply = await items.change(call_of(pool, expected_version=2), item, planning(2))
    assert (reply.status_code, reply.headers["etag"]) == (200, '"3"')


async def test_of_two_changes_for_the_same_version_one_is_refused(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    stores = [items, another_process()]
    calls = (
        store.change(call_of(pool, expected_version=2), item, planning(n)) for n, store in enumerate(stores, start=2)
    )
    replies = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(isinstance(reply, Response) for reply in replies) == [False, True]
    assert (await items.load(call_of(pool), item)).state.version == 3


# ── who may know ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_a_caller_may_not_know_of_does_not_exist_for_them(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    stranger = call_of(pool, role="unit-reporter", unit="YB")
    for absent in (item, uuid4()):
        with refused("item.not-found"):
            await items.read(stranger, absent)
        with refused("item.not-found"):
            await items.history(stranger, absent)
        with refused("item.not-found"):
            await items.change(stranger, absent, planning(2))


@pytest.mark.parametrize("partaker", [OWNER, CO_UNIT])
async def test_whoever_takes_part_knows_of_it(pool: asyncpg.Pool, partaker: Unit) -> None:
    item = await keep_an_item(pool)
    call = replace(call_of(pool, role="unit-reporter"), caller_unit=partaker)
    assert (await items.read(call, item)).status_code == 200


async def test_a_command_is_permitted_over_those_things_alone_that_the_table_says(pool: asyncpg.Pool) -> None:
    item = await keep_an_item(pool)
    own = call_of(pool, role="unit-reporter", permission="item.start")
    with refused("auth.not-permitted"):  # the city sees what units below it own, and starts nothing for them
        await items.change(replace(own, caller_unit=UNITS["CQ"]), item, planning(2))
    assert (await items.change(replace(own, caller_unit=OWNER), item, planning(2))).status_code == 200


async def test_nobody_makes_what_they_are_not_permitted_over(pool: asyncpg.Pool) -> None:
    own = call_of(pool, role="unit-reporter", permission="item.start")
    for unit in (None, UNITS["CQ"], UNITS["YB"]):
        with refused("auth.not-permitted"):
            await add(replace(own, caller_unit=unit))
    assert await count(pool, "event") == 0
    assert (await add(replace(own, caller_unit=OWNER))).status_code == 201
