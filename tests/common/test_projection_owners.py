"""A projection is fed from the log that it has read so far, and by one owner of a partition at a time."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from common import offsets, projection
from common.cloudevents import Recorded
from common.database import Connection
from common.kafka import group_consumer
from common.projection import Projector
from common.watching import TopicReplaced, Watch
from common.worker import Keeping
from eventually import eventually
from stages import OTHER, PLAN, Seen, Stage

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


async def _read_then_replace(stage: Stage, refill: int) -> None:
    """Two records are taken in; then the topic is made anew, with so many records of another aggregate."""
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    await _wipe(stage)
    for version in range(1, refill + 1):
        await stage.producer.client.force_metadata_update()
        await stage.tell(OTHER, version)


@pytest.mark.parametrize("refill", [0, 1, 2, 5], ids=lambda n: f"{n} records after")
async def test_a_topic_that_was_replaced_is_never_taken_for_the_one_that_was_read(stage: Stage, refill: int) -> None:
    await _read_then_replace(stage, refill)
    async with stage.projecting() as running:
        await eventually(running.done)
        with pytest.raises(TopicReplaced, match=r"not the log that was read.*kegai republish"):
            running.result()
        assert await stage.versions(OTHER) == []


async def test_a_topic_that_is_replaced_under_a_running_consumer_is_seen_at_the_next_look(stage: Stage) -> None:
    partition = TopicPartition(stage.topic, 0)

    def behind() -> float | None:
        told = {"projection": stage.view.name, "topic": stage.topic}
        return REGISTRY.get_sample_value("kegai_consumer_lag_records", told)

    consumer = group_consumer(stage.bootstrap, stage.view.name)
    await consumer.start()
    watch = Watch(stage.view, stage.pool, consumer)
    watch.standing = {partition: 0}
    await stage.tell(PLAN, 1)
    watching = asyncio.create_task(watch.keep())
    try:
        await eventually(lambda: behind() == 1)
        await stage.tell(PLAN, 2)
        await eventually(lambda: behind() == 2)
        assert not watching.done()
        await _wipe(stage)
        await stage.producer.client.force_metadata_update()
        for version in (1, 2, 3):
            await stage.tell(OTHER, version)
        await eventually(watching.done)
        with pytest.raises(TopicReplaced):
            watching.result()
    finally:
        watching.cancel()
        await consumer.stop()


async def test_a_consumer_that_has_lost_all_its_partitions_is_watched_on(stage: Stage) -> None:
    consumer = group_consumer(stage.bootstrap, stage.view.name)
    await consumer.start()
    consumer.subscribe([stage.topic])
    await eventually(consumer.assignment)
    watch = Watch(stage.view, stage.pool, consumer)
    watch.cursors = {TopicPartition(stage.topic, 0): 1}
    watching = asyncio.create_task(watch.keep())
    try:
        await eventually(lambda: watch._mirrored)
        watch.cursors = {}
        await stage.tell(PLAN, 1)
        watch.standing = {TopicPartition(stage.topic, 0): 0}
        told = {"projection": stage.view.name, "topic": stage.topic}
        await eventually(lambda: REGISTRY.get_sample_value("kegai_consumer_lag_records", told) == 1)
        assert not watching.done()
    finally:
        watching.cancel()
        await consumer.stop()


async def test_a_copy_whose_topic_was_replaced_stands_still_and_says_why(stage: Stage) -> None:
    await _read_then_replace(stage, 1)
    keeping = Keeping(stage.view, stage.pool, stage.bootstrap)
    running = asyncio.create_task(keeping.run())

    async def says_why() -> bool:
        return "not the log that was read" in await keeping.follows()

    await eventually(says_why)
    now = time.monotonic()
    assert keeping._projector.beat < now <= keeping.beat
    assert not running.done()
    assert await stage.versions(OTHER) == []
    running.cancel()
    await asyncio.wait([running])


async def test_without_its_witness_a_replaced_topic_loses_what_it_begins_with(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_up = Projector._take_up

    async def unwitnessed(self: Projector, *about: Any) -> None:
        await take_up(self, *about)
        self._unwitnessed.clear()

    monkeypatch.setattr(Projector, "_take_up", unwitnessed)
    await _read_then_replace(stage, 5)
    async with stage.projecting():
        await stage.has_parked((3, "waits"), (4, "waits"), (5, "waits"))


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
    monkeypatch.setattr(offsets, "LOCK", offsets.LOCK.replace("FOR UPDATE", ""))
    view = await _two_take_in(stage)
    assert (view.met, await stage.versions(PLAN)) == (True, [1, 1])
