"""What commands have committed is published at least once, in order per aggregate, whatever befalls relay or broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, ProducerFenced
from builders import call_of, plan_body, plan_words
from common import outbox
from common.call import Service
from common.cloudevents import decode, first_break
from common.kafka import plain_producer, relay_producer
from common.outbox import Relay
from common.store import Decided
from doors import open_door
from eventually import eventually
from kegai.local import KafkaServer
from kegai.tokens import Keys
from measures.plan.domain import define_plan
from measures.plan.store import plans
from servers import Database


@dataclass
class Line:
    """The way from a database to a topic of this test's alone."""

    database: Database
    pool: asyncpg.Pool
    bootstrap: str
    topic: str
    partitions: int
    name: str

    def relay(self, kind: type[Relay] = Relay, slice_number: int = 0) -> Relay:
        """A relay under this test's own name, so that it fences nobody else's."""
        return kind(
            service=self.name,
            slice_number=slice_number,
            database_url=self.database.app_url,
            bootstrap=self.bootstrap,
            topic=self.topic,
        )

    async def waiting(self) -> int:
        found: int = await self.pool.fetchval("SELECT count(*) FROM outbox")
        return found

    async def drained(self) -> None:
        async def empty() -> bool:
            return await self.waiting() == 0

        await eventually(empty, seconds=30)

    async def published(self) -> list[Any]:
        """All that readers of committed records find, partition by partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        await consumer.start()
        try:
            partitions = [TopicPartition(self.topic, n) for n in range(self.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends, found = await consumer.end_offsets(partitions), list[Any]()

            async def read_to_the_end() -> bool:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(records)
                return all([await consumer.position(partition) >= end for partition, end in ends.items()])

            await eventually(read_to_the_end)
            return found
        finally:
            await consumer.stop()


@pytest.fixture
async def line(database: Database, pool: asyncpg.Pool, bootstrap: str, topic_of: Callable[..., Awaitable[str]]) -> Line:
    return Line(database, pool, bootstrap, await topic_of(3), 3, f"test-{uuid4().hex}")


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """The relays run while the test goes on."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _plans(pool: asyncpg.Pool, count: int, slices: int = 1) -> list[UUID]:
    """Plans with three events each, all put down, adopted and entered at once."""

    async def one() -> UUID:
        call = call_of(pool, service=Service("measures", pool, "http://kegai.test", slices))
        code = f"PLAN-{uuid4().hex[:12].upper()}"
        reply = await plans.create(call, lambda new_id: define_plan(**plan_words(id=new_id, code=code)))
        plan = Decided.model_validate_json(reply.body).id
        await plans.change(call, plan, lambda p: p.adopt(issuer="x", document_number="1", on=date(2021, 2, 1)))
        await plans.change(call, plan, lambda p: p.enter_phase("P0", on=date(2021, 3, 1)))
        return plan

    return list(await asyncio.gather(*(one() for _ in range(count))))


def _versions(records: list[Any]) -> dict[UUID, list[int]]:
    """The versions of each aggregate in the order in which they stand on its partition."""
    found: dict[UUID, list[int]] = {}
    for record in records:
        event = decode(record.headers, record.value)
        found.setdefault(event.aggregate_id, []).append(event.version)
    return found


# ── what is published ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_event_is_published_in_order_and_leaves_the_outbox(line: Line) -> None:
    made = await _plans(line.pool, 20)
    async with running(line.relay()):
        await line.drained()
        made += await _plans(line.pool, 20)
        await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def test_what_is_published_is_what_is_stored_byte_for_byte(line: Line) -> None:
    (plan,) = await _plans(line.pool, 1)
    async with running(line.relay()):
        await line.drained()
    stored = await line.pool.fetch("SELECT payload, headers FROM event ORDER BY position")
    records = await line.published()
    assert [record.value for record in records] == [row["payload"] for row in stored]
    told = [{name: text.decode() for name, text in record.headers} for record in records]
    assert told == [orjson.loads(row["headers"]) for row in stored]
    assert {record.key for record in records} == {str(plan).encode()}
    assert first_break(zip(told, (record.value for record in records), strict=True)) is None


async def test_each_relay_publishes_its_own_slice(line: Line) -> None:
    made = await _plans(line.pool, 12, slices=2)
    assert await line.pool.fetchval("SELECT count(DISTINCT slice) FROM outbox") == 2
    async with running(line.relay(slice_number=0)):

        async def only_the_other_waits() -> bool:
            return bool(await line.pool.fetchval("SELECT bool_and(slice = 1) FROM outbox"))

        await eventually(only_the_other_waits)
        async with running(line.relay(slice_number=1)):
            await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def test_an_event_that_is_committed_after_a_later_one_was_published_is_not_forgotten(line: Line) -> None:
    """Positions are given before commits: a slow transaction shows a lower position after a higher one has gone."""
    (early,) = await _plans(line.pool, 1)
    rows = await line.pool.fetch("DELETE FROM outbox RETURNING position, slice")
    async with running(line.relay()):
        later = await _plans(line.pool, 2)
        await line.drained()
        await line.pool.executemany(
            "INSERT INTO outbox (position, slice) VALUES ($1, $2)", [tuple(row) for row in rows]
        )
        await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3] for plan in (early, *later)}


# ── a relay that fails ───────────────────────────────────────────────────────────────────────────────────────────────


class LosesItsConnection(Relay):
    """Publishes its first window and dies before it can delete it."""

    published = 0

    async def _publish_beating(self, connection: Any, producer: Any, rows: Any) -> None:
        await super()._publish_beating(connection, producer, rows)
        self.published += 1
        if self.published == 1:
            raise ConnectionResetError("the database went away after the broker's word")


class LosesItsBroker(Relay):
    """Is told at its first window that the broker did not take it."""

    failed = False

    async def _publish(self, producer: Any, rows: Any) -> None:
        if not self.failed:
            self.failed = True
            raise KafkaError("not taken")
        await super()._publish(producer, rows)


async def test_a_window_that_may_have_been_published_is_published_again(line: Line) -> None:
    (plan,) = await _plans(line.pool, 1)
    async with running(line.relay(LosesItsConnection)):
        await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3, 1, 2, 3]}


async def test_a_window_that_the_broker_did_not_take_is_not_deleted(line: Line) -> None:
    (plan,) = await _plans(line.pool, 1)
    relay = line.relay(LosesItsBroker)
    async with running(relay):
        await eventually(lambda: relay.failed)  # type: ignore[attr-defined]
        await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3]}


# ── who reigns ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_relay_waits_until_the_first_is_gone(line: Line) -> None:
    async def locks() -> list[bool]:
        rows = await line.pool.fetch(
            "SELECT a.pid, l.granted FROM pg_stat_activity a LEFT JOIN pg_locks l "
            "ON l.pid = a.pid AND l.locktype = 'advisory' WHERE a.application_name = $1",
            line.relay().name,
        )
        return sorted(bool(row["granted"]) for row in rows)

    async def one_of_two_reigns() -> bool:
        return await locks() == [False, True]

    first, second = line.relay(), line.relay()
    async with running(second):
        async with running(first):
            await eventually(one_of_two_reigns)
            made = await _plans(line.pool, 3)
            await line.drained()
        made += await _plans(line.pool, 3)
        await line.drained()
    assert _versions(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def _stale_send(line: Line, frozen: AIOKafkaProducer, *, transactional: bool) -> None:
    """A relay sent, froze before it was sure, and wakes up after its successor has published the same and more."""
    if transactional:
        await frozen.begin_transaction()
    row = await line.pool.fetchrow("SELECT aggregate_id, payload, headers FROM event ORDER BY position LIMIT 1")
    assert row is not None
    headers = [(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()]
    async with running(line.relay()):
        await line.drained()
    await frozen.send_and_wait(line.topic, row["payload"], str(row["aggregate_id"]).encode(), headers=headers)
    if transactional:
        await frozen.commit_transaction()


async def test_a_relay_that_wakes_up_after_its_successor_is_fenced(line: Line) -> None:
    (plan,) = await _plans(line.pool, 1)
    frozen = relay_producer(line.bootstrap, line.relay().name)
    await frozen.start()
    with pytest.raises(ProducerFenced):
        await _stale_send(line, frozen, transactional=True)
    await frozen.stop()
    assert _versions(await line.published()) == {plan: [1, 2, 3]}


async def test_a_producer_without_a_transactional_id_would_put_the_old_behind_the_new(line: Line) -> None:
    (plan,) = await _plans(line.pool, 1)
    frozen = plain_producer(line.bootstrap, "tests")
    await frozen.start()
    await _stale_send(line, frozen, transactional=False)
    await frozen.stop()
    assert _versions(await line.published()) == {plan: [1, 2, 3, 1]}


# ── Kafka away ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def private_kafka(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    """A broker of this test's alone, to be stopped and started."""
    server = KafkaServer(tmp_path)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.wipe)


async def test_while_kafka_is_away_commands_are_taken_and_published_when_it_is_back(
    database: Database, pool: asyncpg.Pool, private_kafka: KafkaServer, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PUBLISH_DEADLINE_SECONDS", 3)
    line = Line(database, pool, private_kafka.bootstrap, "test", 1, f"test-{uuid4().hex}")
    admin = AIOKafkaAdminClient(bootstrap_servers=line.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("test", 1, 1)])
    await admin.close()
    async with running(line.relay()), open_door(database, keys) as door:
        await _plans(pool, 1)
        await line.drained()
        await asyncio.to_thread(private_kafka.stop)
        office = door.client_for("reform-office")
        replies = [await office.post("/api/v1/plans", json=plan_body(code=f"AWAY-{n}")) for n in range(3)]
        assert [reply.status_code for reply in replies] == [201, 201, 201]
        assert await line.waiting() == 3
        await asyncio.to_thread(private_kafka.start)
        await line.drained()
    published = _versions(await line.published())
    assert {UUID(reply.json()["id"]) for reply in replies} < published.keys()
