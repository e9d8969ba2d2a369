"""A command's effect, its history, its publication and its reply are durable together, once, or not at all."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from builders import CO_UNIT, OWNER, a_milestone, call_of, item_words, plan_words
from common.call import Call
from common.contracts import CATALOGUE, Event
from common.decision import Change, Unit
from common.store import Aggregates, Decided
from folds import fold_item
from measures.item.domain import Item, add_item
from measures.item.store import ItemRow, items
from measures.plan.domain import define_plan
from measures.plan.store import plans
from refusals import refused
from starlette.responses import Response

ON = date(2022, 2, 1)
TABLES = ("item", "event", "outbox", "idempotency")


async def _count(pool: asyncpg.Pool, table: str) -> int:
    found: int = await pool.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def _counts(pool: asyncpg.Pool) -> dict[str, int]:
    return {table: await _count(pool, table) for table in TABLES}


def _said(response: Response) -> tuple[int, bytes, dict[str, str]]:
    """All of a reply that a client sees."""
    return response.status_code, bytes(response.body), dict(response.headers)


async def _add(call: Call, store: Aggregates[Item] = items, **changed: Any) -> Response:
    return await store.create(call, lambda new_id: add_item(**item_words(id=new_id, **changed)))


async def _an_item(pool: asyncpg.Pool, **changed: Any) -> UUID:
    return Decided.model_validate_json((await _add(call_of(pool), **changed)).body).id


def _planning(number: int) -> Callable[[Item], Change[Item]]:
    return lambda item: item.plan_milestone(a_milestone(number), on=ON)


def _another_process() -> Aggregates[Item]:
    """The same store as another process has it: with lanes of its own."""
    return Aggregates(ItemRow, Item, of="item", at="/api/v1/items")


# ── one statement ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_state_events_outbox_and_reply_are_saved_together(pool: asyncpg.Pool) -> None:
    await _add(call_of(pool, key="k-1"), milestones=(a_milestone(1), a_milestone(2)))
    assert await _counts(pool) == {"item": 1, "event": 3, "outbox": 3, "idempotency": 1}


@pytest.mark.parametrize("table", ["event", "outbox", "idempotency"])
async def test_where_one_part_cannot_be_saved_nothing_is(
    pool: asyncpg.Pool, owner: asyncpg.Connection, table: str
) -> None:
    item = await _an_item(pool)
    before = await _counts(pool)
    await owner.execute(f"REVOKE INSERT ON {table} FROM measures_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _add(call_of(pool, key="k-1"), code="A1-02")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await items.change(call_of(pool, key="k-2"), item, _planning(2))
    assert await _counts(pool) == before
    assert (await items.load(call_of(pool), item)).state.version == 2


async def test_the_events_of_one_change_stand_in_their_order(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool, milestones=tuple(a_milestone(number) for number in range(1, 21)))
    rows = await pool.fetch("SELECT aggregate_version FROM event WHERE aggregate_id = $1 ORDER BY position", item)
    assert [row["aggregate_version"] for row in rows] == list(range(1, 22))


async def test_what_is_stored_is_what_the_events_tell(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    for take in (lambda i: i.assign(by=None, on=ON), lambda i: i.acknowledge(by=OWNER, on=ON), _planning(2)):
        await items.change(call_of(pool), item, take)
    rows = await pool.fetch("SELECT payload, headers FROM event ORDER BY position")
    told = [_event(row) for row in rows]
    assert fold_item(told, plan_starts_on=date(2021, 1, 1)) == (await items.load(call_of(pool), item)).state


def _event(row: asyncpg.Record) -> Event:
    return CATALOGUE[orjson.loads(row["headers"])["ce_type"]].model_validate_json(row["payload"])


async def test_an_event_carries_who_when_and_by_which_request(pool: asyncpg.Pool) -> None:
    call = call_of(pool, correlation="c-1", traceparent="00-1-2-01")
    await _add(call)
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
    item = await _an_item(pool)
    await items.change(call_of(pool, now=datetime(2020, 1, 1, tzinfo=UTC)), item, _planning(2))
    times = [row["recorded_at"] for row in await pool.fetch("SELECT recorded_at FROM event ORDER BY position")]
    assert times == sorted(set(times))


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _race(pool: asyncpg.Pool, item: UUID, stores: list[Aggregates[Item]], each: int) -> list[Any]:
    """Each store plans milestones of its own, all at once."""
    return await asyncio.gather(
        *(
            store.change(call_of(pool), item, _planning(10 * nth + number))
            for nth, store in enumerate(stores, 1)
            for number in range(each)
        ),
        return_exceptions=True,
    )


async def test_a_change_that_lost_a_race_is_decided_again(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    replies = await _race(pool, item, [items, _another_process()], each=8)
    assert [reply for reply in replies if not isinstance(reply, Response)] == []
    after = (await items.load(call_of(pool), item)).state
    assert (after.version, len(after.milestones)) == (18, 17)
    assert await items.history(call_of(pool), item)
    assert await _count(pool, "outbox") == 18


async def test_without_the_version_in_the_statement_the_race_is_lost(pool: asyncpg.Pool) -> None:
    """Then a second writer's state would overwrite the first's; only the uniqueness of versions stops it."""
    item = await _an_item(pool)
    stores = [_another_process(), _another_process()]
    for store in stores:
        store._update = store._update.replace("AND version = $2::bigint", "AND $2::bigint > 0")
    replies = await _race(pool, item, stores, each=8)
    assert [reply for reply in replies if not isinstance(reply, Response)]


async def test_commands_of_one_process_on_one_aggregate_queue(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    decided = 0

    def decide(current: Item) -> Change[Item]:
        nonlocal decided
        decided += 1
        return current.plan_milestone(a_milestone(10 + decided), on=ON)

    await asyncio.gather(*(items.change(call_of(pool), item, decide) for _ in range(10)))
    assert decided == 10


async def test_a_change_that_was_made_for_another_version_is_refused(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    with refused("version.stale"):
        await items.change(call_of(pool, expected_version=1), item, _planning(2))
    assert await _count(pool, "event") == 2


async def test_a_change_that_was_made_for_the_present_version_is_taken(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    reply = await items.change(call_of(pool, expected_version=2), item, _planning(2))
    assert (reply.status_code, reply.headers["etag"]) == (200, '"3"')


async def test_of_two_changes_for_the_same_version_one_is_refused(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    stores = [items, _another_process()]
    calls = (
        store.change(call_of(pool, expected_version=2), item, _planning(n)) for n, store in enumerate(stores, start=2)
    )
    replies = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(isinstance(reply, Response) for reply in replies) == [False, True]
    assert (await items.load(call_of(pool), item)).state.version == 3


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_request_again_gets_the_same_reply_and_has_one_effect(pool: asyncpg.Pool) -> None:
    first, again = [await _add(call_of(pool, key="k-1")) for _ in range(2)]
    assert _said(first) == _said(again)
    assert _said(first)[2]["location"].startswith("/api/v1/items/")
    assert (await _counts(pool))["item"] == 1


async def test_a_repeated_change_gets_its_old_reply_even_after_later_changes(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    first = await items.change(call_of(pool, key="k-1", expected_version=2), item, _planning(2))
    await items.change(call_of(pool), item, _planning(3))
    again = await items.change(call_of(pool, key="k-1", expected_version=2), item, _planning(2))
    assert _said(first) == _said(again)
    assert (await items.load(call_of(pool), item)).state.version == 4


async def _twice_at_once(pool: asyncpg.Pool, stores: list[Aggregates[Item]]) -> list[Any]:
    """The same request arrives at two processes at once; each would give the new item another code."""
    return await asyncio.gather(
        *(_add(call_of(pool, key="k-1"), store, code=f"A1-{nth}") for nth, store in enumerate(stores)),
        return_exceptions=True,
    )


async def test_two_requests_at_once_with_one_key_have_one_effect_and_one_reply(pool: asyncpg.Pool) -> None:
    first, second = await _twice_at_once(pool, [items, _another_process()])
    assert _said(first) == _said(second)
    assert await _counts(pool) == {"item": 1, "event": 2, "outbox": 2, "idempotency": 1}


async def test_a_key_that_is_kept_without_conflict_lets_the_effect_happen_twice(pool: asyncpg.Pool) -> None:
    stores = [_another_process(), _another_process()]
    for store in stores:
        store._insert = store._insert.replace(
            "FROM saved WHERE $19::text IS NOT NULL", "FROM saved WHERE $19::text IS NOT NULL ON CONFLICT DO NOTHING"
        )
    await _twice_at_once(pool, stores)
    assert (await _counts(pool))["item"] == 2


async def test_two_changes_at_once_with_one_key_have_one_effect(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    stores = [items, _another_process(), _another_process()]
    replies = await asyncio.gather(*(store.change(call_of(pool, key="k-1"), item, _planning(2)) for store in stores))
    assert len({_said(reply)[1] for reply in replies}) == 1
    assert (await items.load(call_of(pool), item)).state.version == 3


async def test_a_key_is_not_used_again_for_another_body(pool: asyncpg.Pool) -> None:
    await _add(call_of(pool, key="k-1"))
    with refused("idempotency.key-reused"):
        await _add(call_of(pool, key="k-1", body_hash=hashlib.sha256(b"other").digest()), code="A1-02")
    assert (await _counts(pool))["item"] == 1


@pytest.mark.parametrize("other", [{"principal": "p-2"}, {"route": "POST /elsewhere"}])
async def test_a_key_belongs_to_its_principal_and_its_address(pool: asyncpg.Pool, other: dict[str, str]) -> None:
    await _add(call_of(pool, key="k-1"))
    await _add(call_of(pool, key="k-1", **other), code="A1-02")
    assert await _counts(pool) == {"item": 2, "event": 4, "outbox": 4, "idempotency": 2}


async def test_a_decision_without_events_keeps_its_key(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    first = await items.change(call_of(pool, key="k-1"), item, _planning(1))
    assert (await _counts(pool))["idempotency"] == 1
    await items.change(call_of(pool), item, _planning(2))
    again = await items.change(call_of(pool, key="k-1"), item, _planning(1))
    assert _said(first) == _said(again)
    assert first.headers["etag"] == '"2"'


async def test_a_refusal_is_not_remembered(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool, milestones=())
    with refused("item.no-required-milestone"):
        await items.change(call_of(pool, key="k-1"), item, lambda i: i.assign(by=None, on=ON))
    await items.change(call_of(pool), item, _planning(1))
    assert (await items.change(call_of(pool, key="k-1"), item, lambda i: i.assign(by=None, on=ON))).status_code == 200


async def test_a_key_is_forgotten_after_a_day(pool: asyncpg.Pool) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    await _add(call_of(pool, key="k-1", now=long_ago))
    with refused("version.contended"):  # the old reply stands in the way once more, and is removed
        await _add(call_of(pool, key="k-1"), code="A1-02")
    assert (await _add(call_of(pool, key="k-1"), code="A1-02")).status_code == 201


# ── who may know ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_a_caller_may_not_know_of_does_not_exist_for_them(pool: asyncpg.Pool) -> None:
    item = await _an_item(pool)
    stranger = call_of(pool, role="unit-reporter", unit="YB", everywhere=False)
    for absent in (item, uuid4()):
        with refused("item.not-found"):
            await items.read(stranger, absent)
        with refused("item.not-found"):
            await items.history(stranger, absent)
        with refused("item.not-found"):
            await items.change(stranger, absent, _planning(2))


@pytest.mark.parametrize("partaker", [OWNER, CO_UNIT])
async def test_whoever_takes_part_knows_of_it(pool: asyncpg.Pool, partaker: Unit) -> None:
    item = await _an_item(pool)
    call = replace(call_of(pool, role="unit-reporter", everywhere=False), caller_unit=partaker)
    assert (await items.read(call, item)).status_code == 200


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attempt", ["UPDATE event SET actor = 'x'", "DELETE FROM event", "TRUNCATE event"])
async def test_the_runtime_role_cannot_rewrite_history(pool: asyncpg.Pool, attempt: str) -> None:
    await _an_item(pool)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(attempt)


async def test_the_role_that_owns_the_tables_could(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await _an_item(pool)
    assert await owner.execute("UPDATE event SET actor = 'x'") == "UPDATE 2"


@pytest.fixture
async def plan(pool: asyncpg.Pool) -> UUID:
    """A plan with three events."""
    reply = await plans.create(call_of(pool), lambda new_id: define_plan(**plan_words(id=new_id)))
    plan = Decided.model_validate_json(reply.body).id
    await plans.change(call_of(pool), plan, lambda p: p.adopt(issuer="x", document_number="1", on=date(2021, 2, 1)))
    await plans.change(call_of(pool), plan, lambda p: p.enter_phase("P0", on=date(2021, 3, 1)))
    return plan


async def test_an_untouched_history_holds(pool: asyncpg.Pool, plan: UUID) -> None:
    history = await plans.history(call_of(pool), plan)
    assert (history.chain, [event.version for event in history.events]) == ("ok", [1, 2, 3])


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            "UPDATE event SET payload = set_byte(payload, 0, get_byte(payload, 0) # 1) WHERE aggregate_version = 2",
            "version 2 was altered",
        ),
        (
            "UPDATE event SET payload = payload || ' ' WHERE aggregate_version = 2",
            "version 2 was altered",
        ),
        (
            """UPDATE event SET headers = headers || '{"ce_actor": "x"}' WHERE aggregate_version = 1""",
            "version 1 was altered",
        ),
        ("DELETE FROM event WHERE aggregate_version = 2", "version 2 is missing or out of its place"),
        (
            """UPDATE event SET (payload, headers) = (SELECT payload, headers FROM event other
               WHERE other.aggregate_version = 5 - event.aggregate_version) WHERE aggregate_version > 1""",
            "version 2 is missing or out of its place",
        ),
    ],
    ids=["a flipped bit", "a further byte", "another actor", "a removed event", "two swapped events"],
)
async def test_a_history_that_was_tampered_with_says_where(
    pool: asyncpg.Pool, owner: asyncpg.Connection, plan: UUID, tamper: str, found: str
) -> None:
    await owner.execute(tamper)
    assert (await plans.history(call_of(pool), plan)).chain == found


async def test_the_row_keeps_the_hash_of_its_last_event(pool: asyncpg.Pool, plan: UUID) -> None:
    last = await pool.fetchval("SELECT hash FROM event ORDER BY position DESC LIMIT 1")
    assert (await plans.load(call_of(pool), plan)).hash == last
