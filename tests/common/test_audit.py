"""The audit names what was altered, dropped, swapped, hashed anew or slipped in, and nothing where all is sound."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from common.audit import Audit, Break, Fault, verify
from common.cloudevents import GENESIS, linked
from common.kafka import plain_producer
from lines import Line, adopt_plan, commit_plan, commit_plans, running

EVENT = "SELECT * FROM event WHERE aggregate_id = $1 AND aggregate_version = $2"


@dataclass
class Case:
    """Three plans with three events each, all on the topic; and the hand that can do what no service may."""

    line: Line
    owner: asyncpg.Connection
    plan: UUID

    async def audit(self, *, topic: bool = True) -> Audit:
        return await verify(self.line.database.app_url, self.line.bootstrap, self.line.topic if topic else None)

    async def only_break(self, *, topic: bool = True) -> Break:
        (found,) = (await self.audit(topic=topic)).breaks
        assert found.aggregate_id == self.plan
        return found

    async def event(self, version: int) -> asyncpg.Record:
        row = await self.owner.fetchrow(EVENT, self.plan, version)
        assert row is not None
        return row

    async def id_of(self, version: int) -> str:
        return str((await self.event(version))["event_id"])

    async def alter(self, version: int, column: str, value: Any) -> None:
        await self.owner.execute(
            f"UPDATE event SET {column} = $3 WHERE aggregate_id = $1 AND aggregate_version = $2",
            self.plan,
            version,
            value,
        )

    async def delete(self, version: int) -> None:
        sql = "DELETE FROM event WHERE aggregate_id = $1 AND aggregate_version = $2"
        await self.owner.execute(sql, self.plan, version)

    async def swap(self, one: int, other: int) -> None:
        await self.alter(one, "aggregate_version", 99)
        await self.alter(other, "aggregate_version", one)
        await self.owner.execute(
            "UPDATE event SET aggregate_version = $2 WHERE aggregate_id = $1 AND aggregate_version = 99",
            self.plan,
            other,
        )

    async def hash_anew(self, first: int, *, row_too: bool = True) -> None:
        """All hashes from a version on are computed again, as somebody would who knows how."""
        previous = (await self.event(first - 1))["hash"] if first > 1 else GENESIS
        for version in range(first, 4):
            row = await self.event(version)
            headers = orjson.loads(row["headers"])
            before, previous = previous, linked(previous, headers, row["payload"])
            for column, value in {
                "headers": orjson.dumps(headers).decode(),
                "prev_hash": before,
                "hash": previous,
            }.items():
                await self.alter(version, column, value)
        if row_too:
            await self.owner.execute("UPDATE plan SET hash = $2 WHERE id = $1", self.plan, previous)

    async def send(self, value: bytes, headers: dict[str, str], key: str) -> None:
        """Put a record on the topic by hand."""
        producer = plain_producer(self.line.bootstrap, "tests")
        await producer.start()
        told = [(name, text.encode()) for name, text in headers.items()]
        await producer.send_and_wait(self.line.topic, value, key.encode(), headers=told)
        await producer.stop()


@pytest.fixture
async def case(line: Line, owner: asyncpg.Connection) -> Case:
    _, plan, _ = await commit_plans(line.pool, 3)
    async with running(line.relay()):
        await line.drained()
    return Case(line, owner, plan)


# ── what is sound ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_sound_passes_and_is_counted(case: Case) -> None:
    audit = await case.audit()
    assert audit.breaks == []
    assert (audit.events, audit.aggregates, audit.records, audit.repeats) == (9, 3, 9, 0)


async def test_what_still_waits_for_the_relay_is_sound(case: Case) -> None:
    await adopt_plan(case.line.pool, await commit_plan(case.line.pool))
    audit = await case.audit()
    assert audit.breaks == []
    assert (audit.events, audit.records, audit.waiting) == (11, 9, 2)


async def test_what_comes_again_as_it_was_is_sound(case: Case) -> None:
    row = await case.event(2)
    await case.send(row["payload"], orjson.loads(row["headers"]), str(case.plan))
    audit = await case.audit()
    assert audit.breaks == []
    assert (audit.records, audit.repeats) == (10, 1)


async def test_while_commands_and_relay_go_on_nothing_is_taken_for_broken(case: Case) -> None:
    async with running(case.line.relay()):
        for _ in range(5):
            await commit_plans(case.line.pool, 10)
            assert (await case.audit()).breaks == []


# ── the chain in the database ────────────────────────────────────────────────────────────────────────────────────────


async def test_one_flipped_byte_is_named(case: Case) -> None:
    payload = bytearray((await case.event(2))["payload"])
    payload[10] ^= 1
    await case.alter(2, "payload", bytes(payload))
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.ALTERED, 2, await case.id_of(2))
    assert (await case.only_break(topic=False)).fault is Fault.ALTERED


@pytest.mark.parametrize(("column", "value"), [("actor", "somebody else"), ("type", "x"), ("correlation", "y")])
async def test_a_column_that_says_otherwise_than_what_was_hashed_is_named(case: Case, column: str, value: str) -> None:
    await case.alter(3, column, value)
    found = await case.only_break(topic=False)
    assert (found.fault, found.version, found.detail) == (Fault.ALTERED, 3, column)


@pytest.mark.parametrize("headers", ["[]", "7", '{"ce_sequence": 2}', '{"ce_actor": null}', r'{"ce_actor": "\ud800"}'])
async def test_headers_that_are_none_are_named(case: Case, headers: str) -> None:
    await case.alter(2, "headers", headers)
    found = await case.only_break(topic=False)
    assert (found.fault, found.version, found.detail) == (Fault.ALTERED, 2, "headers")


async def test_a_deleted_last_event_is_missed(case: Case) -> None:
    event_id = await case.id_of(3)
    await case.delete(3)
    found = await case.only_break(topic=False)
    assert (found.fault, found.version, found.event_id) == (Fault.MISSING, 3, None)
    assert (await case.only_break()).event_id == event_id, "the topic knows which it was"


async def test_a_deleted_last_event_is_on_the_topic_even_if_the_row_was_set_back(case: Case) -> None:
    event_id, before = await case.id_of(3), (await case.event(2))["hash"]
    await case.delete(3)
    await case.owner.execute("UPDATE plan SET version = 2, hash = $2 WHERE id = $1", case.plan, before)
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.UNKNOWN, 3, event_id)
    assert (await case.audit(topic=False)).breaks == [], "without the topic nothing tells of it"


async def test_a_deleted_event_in_the_middle_is_missed(case: Case) -> None:
    event_id = await case.id_of(2)
    await case.delete(2)
    assert (await case.only_break(topic=False)).fault is Fault.MISSING
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.MISSING, 2, event_id)


async def test_all_events_of_an_aggregate_deleted_are_missed(case: Case) -> None:
    for version in (1, 2, 3):
        await case.delete(version)
    found = await case.only_break(topic=False)
    assert (found.fault, found.version) == (Fault.MISSING, 1)


async def test_two_swapped_events_are_named(case: Case) -> None:
    event_id = await case.id_of(3)
    await case.swap(2, 3)
    for topic in (True, False):
        found = await case.only_break(topic=topic)
        assert (found.fault, found.version, found.event_id) == (Fault.MISPLACED, 2, event_id)


async def test_one_event_hashed_anew_does_not_carry_on(case: Case) -> None:
    await case.alter(1, "payload", b"{}")
    row = await case.event(1)
    headers = orjson.loads(row["headers"])
    await case.alter(1, "hash", linked(GENESIS, headers, row["payload"]))
    await case.alter(1, "headers", orjson.dumps(headers).decode())
    found = await case.only_break(topic=False)
    assert (found.fault, found.version) == (Fault.UNLINKED, 2)
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.REHASHED, 1, await case.id_of(1))


@pytest.mark.parametrize("change", ["hash = '\\x00'", "version = 2"])
async def test_a_row_that_does_not_name_its_last_event_is_named(case: Case, change: str) -> None:
    await case.owner.execute(f"UPDATE plan SET {change} WHERE id = $1", case.plan)
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.NOT_KEPT, 3, await case.id_of(3))


async def test_a_row_that_is_gone_is_named(case: Case) -> None:
    await case.owner.execute("DELETE FROM plan WHERE id = $1", case.plan)
    assert (await case.only_break()).fault is Fault.NOT_KEPT


# ── the topic decides ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_tail_that_was_hashed_anew_is_told_by_the_topic(case: Case) -> None:
    await case.alter(2, "payload", b'{"issuer": "another"}')
    await case.hash_anew(2)
    assert (await case.audit(topic=False)).breaks == [], "the database alone is consistent"
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.REHASHED, 2, await case.id_of(2))


async def test_a_tail_hashed_anew_but_for_the_row_is_named_where_it_begins(case: Case) -> None:
    await case.alter(3, "payload", b"{}")
    await case.hash_anew(3, row_too=False)
    assert (await case.only_break(topic=False)).fault is Fault.NOT_KEPT
    assert (await case.only_break()).fault is Fault.REHASHED


async def test_a_repeat_with_other_bytes_is_named(case: Case) -> None:
    row = await case.event(2)
    headers, before = orjson.loads(row["headers"]), (await case.event(1))["hash"]
    linked(before, headers, b'{"issuer": "another"}')
    await case.send(b'{"issuer": "another"}', headers, str(case.plan))
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.FORGED, 2, await case.id_of(2))
    assert found.detail.startswith(case.line.topic)


async def test_a_record_whose_bytes_are_not_what_it_was_hashed_from_is_named(case: Case) -> None:
    await case.send(b"{}", orjson.loads((await case.event(2))["headers"]), str(case.plan))
    found = await case.only_break()
    assert (found.fault, found.version) == (Fault.FORGED, 2)


async def test_a_record_under_another_key_is_named(case: Case) -> None:
    row = await case.event(2)
    await case.send(row["payload"], orjson.loads(row["headers"]), str(uuid4()))
    assert (await case.only_break()).fault is Fault.FORGED


async def test_a_record_that_was_there_before_the_true_one_is_the_forged_one(case: Case) -> None:
    case.plan = await commit_plan(case.line.pool)
    row = await case.event(1)
    headers = orjson.loads(row["headers"]) | {"ce_sequence": f"{2:020d}"}
    linked(row["hash"], headers, row["payload"])
    await case.send(row["payload"], headers, str(case.plan))
    async with running(case.line.relay()):
        await adopt_plan(case.line.pool, case.plan)
        await case.line.drained()
    found = await case.only_break()
    assert (found.fault, found.version) == (Fault.FORGED, 2)


async def test_an_event_that_was_never_decided_is_named(case: Case) -> None:
    row = await case.event(3)
    headers = orjson.loads(row["headers"]) | {"ce_sequence": f"{4:020d}", "ce_id": str(uuid4())}
    linked(row["hash"], headers, row["payload"])
    await case.send(row["payload"], headers, str(case.plan))
    found = await case.only_break()
    assert (found.fault, found.version, found.event_id) == (Fault.UNKNOWN, 4, headers["ce_id"])


async def test_a_record_that_is_none_of_ours_is_named_by_its_place(case: Case) -> None:
    await case.send(b"{", {}, "nobody")
    (found,) = (await case.audit()).breaks
    assert (found.fault, found.aggregate_id) == (Fault.STRANGE, None)
    assert found.detail.startswith(case.line.topic)


async def test_what_is_neither_on_the_topic_nor_waiting_is_named(case: Case) -> None:
    plan = await commit_plan(case.line.pool)
    await case.line.pool.execute("DELETE FROM outbox")
    (found,) = (await case.audit()).breaks
    assert (found.fault, found.aggregate_id, found.version) == (Fault.UNPUBLISHED, plan, 1)


async def test_the_first_break_of_each_aggregate_is_told(case: Case) -> None:
    for version in (3, 2):
        await case.alter(version, "actor", "somebody else")
    (other,) = await commit_plans(case.line.pool, 1)
    await case.owner.execute("UPDATE event SET actor = 'x' WHERE aggregate_id = $1", other)
    breaks = (await case.audit(topic=False)).breaks
    assert {(one.aggregate_id, one.version) for one in breaks} == {(case.plan, 2), (other, 1)}
