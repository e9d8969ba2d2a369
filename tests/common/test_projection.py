"""A projection takes each event in once, in order, whatever the topic brings; what it cannot take waits in view."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from builders import circumstances, wire
from common import projection
from common.cloudevents import Recorded
from common.contracts.measures import PlanAdopted
from common.database import Connection
from common.kafka import group_consumer, plain_producer, quarantine_of
from common.projection import Projector, TopicReplaced
from eventually import eventually


@dataclass
class Seen:
    """A projection that notes what it was given; it refuses plans that were issued by the name in ``refuses``."""

    topics: tuple[str, ...]
    name: str = field(default_factory=lambda: f"seen-{uuid4().hex}")
    concerns: frozenset[str] | None = frozenset({"plan"})
    refuses: str = ""
    faults: list[Exception] = field(default_factory=list)

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        for record in records:
            assert isinstance(record.event, PlanAdopted)
            if record.event.issuer == self.refuses:
                raise ValueError(f"{self.refuses} is refused")
            sql = "INSERT INTO seen (aggregate_id, version) VALUES ($1, $2)"
            await connection.execute(sql, record.aggregate_id, record.version)
        if self.faults:
            raise self.faults.pop()


@pytest.fixture
async def seen(owner: asyncpg.Connection) -> None:
    """A view's table: nothing in it forbids a repeat."""
    await owner.execute("CREATE TABLE seen (position serial, aggregate_id uuid, version bigint)")
    await owner.execute("GRANT SELECT, INSERT ON seen TO measures_app")
    await owner.execute("GRANT USAGE ON seen_position_seq TO measures_app")


@dataclass
class Stage:
    """A topic with one partition, a view that is fed from it, and the means to put something on the topic."""

    topic: str
    pool: asyncpg.Pool
    bootstrap: str
    producer: AIOKafkaProducer
    view: Seen

    async def tell(self, plan: UUID, version: int, *, issuer: str = "x", **headers: bytes | None) -> None:
        """Put one event on the topic, with some headers replaced."""
        event = PlanAdopted(plan=plan, issuer=issuer, document_number="1", adopted_on=date(2021, 2, 1))
        told, value = wire(event, circumstances("plan", plan, version))
        await self.put(list((dict(told) | headers).items()), value)

    async def put(self, headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
        await self.producer.send_and_wait(self.topic, value=value, key=b"k", headers=headers)

    @asynccontextmanager
    async def projecting(self, *, view: Seen | None = None) -> AsyncIterator[asyncio.Task[Any]]:
        """The loop runs while the test goes on."""
        projector = Projector(view or self.view, pool=self.pool, bootstrap=self.bootstrap)
        running = asyncio.create_task(projector.run())
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def versions(self, plan: UUID) -> list[int]:
        rows = await self.pool.fetch("SELECT version FROM seen WHERE aggregate_id = $1 ORDER BY position", plan)
        return [row["version"] for row in rows]

    async def parked(self) -> list[tuple[int | None, str]]:
        rows = await self.pool.fetch("SELECT version, reason FROM parked ORDER BY id")
        return [(row["version"], row["reason"]) for row in rows]

    async def shows(self, plan: UUID, *versions: int) -> None:
        async def shown() -> bool:
            return await self.versions(plan) == list(versions)

        await eventually(shown)

    async def has_parked(self, *expected: tuple[int | None, str]) -> None:
        async def held() -> bool:
            return await self.parked() == list(expected)

        await eventually(held)


@pytest.fixture
async def stage(
    pool: asyncpg.Pool,
    seen: None,
    topic_of: Callable[..., Awaitable[str]],
    bootstrap: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(projection, "TICK_SECONDS", 0.05)
    topic = await topic_of()
    producer = plain_producer(bootstrap, "tests")
    await producer.start()
    yield Stage(topic, pool, bootstrap, producer, Seen((topic,)))
    await producer.stop()


PLAN, OTHER = uuid4(), uuid4()


# ── once and in order ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_event_is_taken_in_once_and_in_order(stage: Stage) -> None:
    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
        await stage.tell(PLAN, 4)
        await stage.shows(PLAN, 1, 2, 3, 4)


async def test_repeats_are_dropped(stage: Stage) -> None:
    for version in (1, 1, 2, 1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
    assert await stage.parked() == []


async def test_another_start_takes_nothing_in_again(stage: Stage) -> None:
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)


async def test_a_batch_that_fails_leaves_nothing_behind_and_is_taken_again(stage: Stage) -> None:
    stage.view.faults = [OSError("the connection broke")]
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    assert stage.view.faults == []


async def test_aggregates_that_a_projection_does_not_concern_itself_with_are_passed_over(stage: Stage) -> None:
    await stage.tell(OTHER, 5, ce_aggregatetype=b"item")
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
    assert (await stage.versions(OTHER), await stage.parked()) == ([], [])


async def test_the_group_mirrors_what_the_database_holds_and_knows_when_it_reached_the_end(stage: Stage) -> None:
    for version in (1, 2):
        await stage.tell(PLAN, version)

    async def reached() -> bool:
        found: int = await stage.pool.fetchval("SELECT count(*) FROM projection_offset WHERE caught_up_at IS NOT NULL")
        return found == 1

    async with stage.projecting():
        await eventually(reached)
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    mirrored = await admin.list_consumer_group_offsets(stage.view.name)
    await admin.close()
    stored = await stage.pool.fetchval("SELECT next_offset FROM projection_offset")
    assert mirrored[TopicPartition(stage.topic, 0)].offset == stored == 2


# ── gaps and poison ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_event_that_comes_too_early_waits_for_the_one_before_it(stage: Stage) -> None:
    for version in (1, 3, 4):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.has_parked((3, "waits"), (4, "waits"))
        assert await stage.versions(PLAN) == [1]
        await stage.tell(PLAN, 2)
        await stage.shows(PLAN, 1, 2, 3, 4)
        await stage.has_parked()


POISON: dict[str, dict[str, bytes | None]] = {
    "unknown-type": {"ce_type": b"cn.cqast.measures.plan-adopted.v9"},
    "envelope": {"ce_time": b"yesterday"},
}


@pytest.mark.parametrize("reason", POISON)
async def test_poison_stops_its_aggregate_and_nothing_else(stage: Stage, reason: str) -> None:
    await stage.tell(PLAN, 1)
    await stage.tell(PLAN, 2, **POISON[reason])
    await stage.tell(PLAN, 3)
    await stage.tell(OTHER, 1)
    async with stage.projecting():
        await stage.shows(OTHER, 1)
        await stage.tell(PLAN, 4)
        await stage.has_parked((2, reason), (3, "waits"), (4, "waits"))
        await stage.tell(OTHER, 2)
        await stage.shows(OTHER, 1, 2)
    assert await stage.versions(PLAN) == [1]


async def test_a_sound_copy_that_comes_later_releases_what_waits_behind_poison(stage: Stage) -> None:
    await stage.tell(PLAN, 1, ce_time=b"yesterday")
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        await stage.has_parked((1, "envelope"), (2, "waits"))
        await stage.tell(PLAN, 1)
        await stage.shows(PLAN, 1, 2)
        await stage.has_parked()


async def test_what_a_view_refuses_stops_its_aggregate_until_the_view_is_mended(stage: Stage) -> None:
    stage.view.refuses = "nobody"
    await stage.tell(PLAN, 1)
    await stage.tell(PLAN, 2, issuer="nobody")
    await stage.tell(PLAN, 3)
    await stage.tell(OTHER, 1)
    async with stage.projecting():
        await stage.has_parked((2, "refused-by-view"), (3, "waits"))
        await stage.shows(OTHER, 1)
    stage.view.refuses = ""
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
        await stage.has_parked()


NASTY: dict[str, list[tuple[str, bytes | None]]] = {
    "no headers at all": [],
    "a header without a value": [("ce_id", None)],
    "zero bytes": [("ce_id", b"\0"), ("a\0b", b"\0\xff"), ("ce_aggregatetype", b"plan")],
    "no text": [("ce_id", b"\xff\xfe"), ("ce_aggregatetype", b"plan")],
    "an endless version": [("ce_subject", str(PLAN).encode()), ("ce_sequence", b"9" * 40)],
    "a version below one": [("ce_subject", str(PLAN).encode()), ("ce_sequence", b"-1")],
}


async def test_a_record_of_nobody_is_parked_alone_and_copied_as_it_came(stage: Stage) -> None:
    nasty = [(headers, value) for headers in NASTY.values() for value in (None, b"\0\xff")]
    for headers, value in nasty:
        await stage.put(headers, value)
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
        await stage.has_parked(*[(None, "envelope")] * len(nasty))
        copies = await _quarantined(stage, len(nasty))
    assert [(list(copy.headers)[:-6], copy.value) for copy in copies] == nasty


async def test_a_parked_record_is_copied_to_quarantine_once_with_its_reason_and_its_origin(stage: Stage) -> None:
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        (copy,) = await _quarantined(stage, 1)
        await stage.tell(PLAN, 1)
        await stage.shows(PLAN, 1, 2)
    told = {name: text.decode() for name, text in copy.headers}
    assert (told["kegai-reason"], told["kegai-projection"]) == ("waits", stage.view.name)
    assert (told["kegai-topic"], told["kegai-partition"], told["kegai-offset"]) == (stage.topic, "0", "0")
    assert (told["ce_subject"], copy.key) == (str(PLAN), b"k")
    assert len(await _quarantined(stage, 1)) == 1


async def _quarantined(stage: Stage, expected: int) -> list[Any]:
    """All that is on the quarantine topic, once as much is there as expected."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, isolation_level="read_committed")
    await consumer.start()
    partition = TopicPartition(quarantine_of(stage.topic), 0)
    consumer.assign([partition])

    async def end() -> int:
        found: int = (await consumer.end_offsets([partition]))[partition]
        return found if found >= expected else 0

    try:
        last = await eventually(end)
        consumer.seek(partition, 0)
        found: list[Any] = []
        while len(found) < last:
            found += (await consumer.getmany(partition, timeout_ms=1_000)).get(partition, [])
        return found
    finally:
        await consumer.stop()


# ── another topic under the same name ────────────────────────────────────────────────────────────────────────────────


async def _wipe(stage: Stage) -> None:
    """Remove the topic and make it anew, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    await admin.delete_topics([stage.topic])

    async def made() -> bool:
        try:
            reply = await admin.create_topics([NewTopic(stage.topic, 1, 1)])
        except KafkaError:
            return False
        return not any(error for _, error, *_ in reply.topic_errors)

    await eventually(made)
    await admin.close()


@pytest.mark.parametrize("refill", [0, 1, 2, 5], ids=lambda n: f"{n} records after")
async def test_a_topic_that_was_replaced_is_never_taken_for_the_one_that_was_read(stage: Stage, refill: int) -> None:
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    await _wipe(stage)
    for version in range(1, refill + 1):
        await stage.producer.client.force_metadata_update()
        await stage.tell(OTHER, version)
    async with stage.projecting() as running:
        await eventually(running.done)
        with pytest.raises(TopicReplaced, match="kegai republish"):
            running.result()
        assert await stage.versions(OTHER) == []


# ── two at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def everyone_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each projector is in a group of its own, so that Kafka gives every partition to each of them."""
    monkeypatch.setattr(projection, "group_consumer", lambda at, name: group_consumer(at, f"{name}-{uuid4().hex}"))


@dataclass
class Meeting(Seen):
    """A projection that looks round, before it writes, whether another owner is at it, too."""

    inside: int = 0
    met: bool = False

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        self.inside += 1
        with suppress(AssertionError):
            self.met = await eventually(lambda: self.met or self.inside > 1, seconds=1)
        await super().apply(connection, records)
        self.inside -= 1


async def _two_take_in(stage: Stage) -> Meeting:
    """Both owners of one partition are given the same event."""
    view = Meeting((stage.topic,))
    owners = [Projector(view, pool=stage.pool, bootstrap=stage.bootstrap) for _ in range(2)]
    running = [asyncio.create_task(owner.run()) for owner in owners]
    await eventually(lambda: all(owner._cursors for owner in owners))
    await stage.tell(PLAN, 1)
    await eventually(lambda: all(cursor == 1 for owner in owners for cursor in owner._cursors.values()))
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    return view


async def test_two_owners_of_one_partition_take_an_event_in_once(stage: Stage, everyone_alone: None) -> None:
    view = await _two_take_in(stage)
    assert (view.met, await stage.versions(PLAN)) == (False, [1])


async def test_without_the_lock_on_the_offset_both_take_it_in(
    stage: Stage, everyone_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetchval = asyncpg.Connection.fetchval

    async def unlocked(self: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
        return await fetchval(self, query.removesuffix(" FOR UPDATE"), *args, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetchval", unlocked)
    view = await _two_take_in(stage)
    assert (view.met, await stage.versions(PLAN)) == (True, [1, 1])
