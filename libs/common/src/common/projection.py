"""The loop that turns topics into tables: each batch is applied together with its offset, or not at all.

Whatever the group protocol does, two owners of a partition serialise on its offset row. A partition is taken up at
its witness, the last record that was applied: if another record stands there now, the topic is not the one that was
read, and the loop stops instead of taking new records for old ones.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from common.database import AWAY
from common.inbox import Inbox, Projection
from common.kafka import group_consumer
from common.parking import keep_copying, text_of
from common.telemetry import APPLIED, BATCH_SECONDS, CONSUMER_LAG, PARKED, log

BATCH_MAX: Final = 2_000
TICK_SECONDS: Final = 1.0
STOP_SECONDS_MAX: Final = 2.0


class TopicReplaced(Exception):
    """A topic is not the one that this projection has read: it was wiped, or filled anew."""

    def __init__(self, partition: TopicPartition) -> None:
        super().__init__(
            f"{partition.topic}[{partition.partition}] is not the log that was read so far. "
            "What it told stands in the service's event table: publish that again, then rebuild the projection."
        )


class Projector(ConsumerRebalanceListener):  # type: ignore[misc]
    """Feeds one projection for as long as it runs."""

    def __init__(
        self,
        projection: Projection,
        *,
        pool: asyncpg.Pool,
        bootstrap: str,
        settled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``settled`` is called after batches are committed, and once at the start for what a crash left undone."""
        self._projection = projection
        self._settled = settled
        self._pool = pool
        self._bootstrap = bootstrap
        self._cursors: dict[TopicPartition, int] = {}
        self._unwitnessed: dict[TopicPartition, tuple[int, str]] = {}
        self.beat = time.monotonic()
        """When the loop last came round: liveness looks at it."""

    async def run(self) -> NoReturn:
        """Apply what comes, and copy beside it what is parked, for others to see.

        :raises TopicReplaced: a topic was wiped or refilled; the message names the remedy.
        """
        copying = asyncio.create_task(keep_copying(self._pool, self._bootstrap, self._projection.name))
        try:
            await self._apply_for_ever()
        finally:
            copying.cancel()

    async def _apply_for_ever(self) -> NoReturn:
        """After any fault every partition is taken up again where the database says."""
        while True:
            consumer = group_consumer(self._bootstrap, self._projection.name)
            try:
                if self._settled:
                    await self._settled()
                await consumer.start()
                consumer.subscribe(self._projection.topics, listener=self)
                await self._follow(consumer)
            except (*AWAY, KafkaError) as error:
                log.warning("projection.interrupted", projection=self._projection.name, error=repr(error))
            finally:
                self._cursors.clear()
                await self._leave(consumer)
            await asyncio.sleep(0.5)

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        """Stop the consumer, as far as the broker lets it: what it leaves undone is taken up from the database."""
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await consumer.stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("projection.not-stopped", projection=self._projection.name, error=repr(error))

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """What is no longer ours is taken up anew when it comes back."""
        for partition in revoked:
            self._cursors.pop(partition, None)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Nothing is sought here: the loop does it, under the offset row's lock."""

    async def _follow(self, consumer: AIOKafkaConsumer) -> NoReturn:
        ticked = 0.0
        while True:
            self.beat = time.monotonic()
            for partition in consumer.assignment() - self._cursors.keys():
                await self._take_up(consumer, partition)
            batches = await consumer.getmany(timeout_ms=200, max_records=BATCH_MAX)
            moved = {}
            for partition, records in batches.items():
                if (position := await self._apply(partition, records)) is not None:
                    moved[partition] = position
            if moved:
                if self._settled:
                    await self._settled()
                await self._mirror(consumer, moved)
            if self.beat - ticked >= TICK_SECONDS:
                ticked = self.beat
                await self._tick(consumer)

    async def _take_up(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        """Begin where the database says, at the witness, and try again what is parked of this partition.

        A newer version of this process may know what an older one did not.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "INSERT INTO projection_offset (projection, topic, partition) VALUES ($1, $2, $3) "
                "ON CONFLICT (projection, topic, partition) DO UPDATE SET topic = excluded.topic RETURNING *",
                self._projection.name,
                partition.topic,
                partition.partition,
            )
            assert row is not None
            if released := await Inbox(connection, self._projection).redrive(partition.topic, partition.partition):
                log.info("projection.released", projection=self._projection.name, events=released)
        if row["witness_offset"] is not None:
            end = (await consumer.end_offsets([partition]))[partition]
            if end < row["next_offset"]:
                raise TopicReplaced(partition)
            self._unwitnessed[partition] = (row["witness_offset"], row["witness_id"])
        self._cursors[partition] = row["next_offset"] if row["witness_offset"] is None else row["witness_offset"]
        consumer.seek(partition, self._cursors[partition])

    async def _apply(self, partition: TopicPartition, records: list[ConsumerRecord]) -> int | None:
        """Apply one partition's batch in one transaction; the new position, or None where nothing was taken."""
        cursor = self._cursors.get(partition)
        if cursor is None:
            return None
        if records[0].offset < cursor:
            self._cursors.pop(partition)  # the log begins anew below us: let the witness tell
            return None
        first = (records[0].offset, _id_of(records[0]))
        if self._unwitnessed.pop(partition, first) != first:
            raise TopicReplaced(partition)
        started, key = time.perf_counter(), (self._projection.name, partition.topic, partition.partition)
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await connection.fetchval(
                "SELECT next_offset FROM projection_offset "
                "WHERE (projection, topic, partition) = ($1, $2, $3) FOR UPDATE",
                *key,
            )
            if cursor > stored:
                self._cursors.pop(partition)  # someone else's batch was lost between: take up again
                return None
            fresh = [record for record in records if record.offset >= stored]
            applied = await Inbox(connection, self._projection).receive(fresh) if fresh else 0
            position: int = max(stored, records[-1].offset + 1)
            if fresh:
                await connection.execute(
                    "UPDATE projection_offset SET next_offset = $4, witness_offset = $5, witness_id = $6 "
                    "WHERE (projection, topic, partition) = ($1, $2, $3)",
                    *key,
                    position,
                    fresh[-1].offset,
                    _id_of(fresh[-1]),
                )
        self._cursors[partition] = position
        APPLIED.labels(self._projection.name).inc(applied)
        BATCH_SECONDS.labels(self._projection.name).observe(time.perf_counter() - started)
        return position

    async def _mirror(self, consumer: AIOKafkaConsumer, moved: dict[TopicPartition, int]) -> None:
        """Tell Kafka what the database holds, for tools that measure lag; nothing is read back from there."""
        try:
            await consumer.commit(moved)
        except KafkaError as error:
            log.info("projection.offsets-not-mirrored", projection=self._projection.name, error=repr(error))

    async def _tick(self, consumer: AIOKafkaConsumer) -> None:
        """Once a second: lag, what is parked, and which partitions have reached their end."""
        ends = await consumer.end_offsets(list(self._cursors)) if self._cursors else {}
        lags = {partition: end - await consumer.position(partition) for partition, end in ends.items()}
        for topic in self._projection.topics:
            lag = sum(behind for partition, behind in lags.items() if partition.topic == topic)
            CONSUMER_LAG.labels(self._projection.name, topic).set(max(0, lag))
        reached = [partition for partition, behind in lags.items() if behind <= 0]
        await self._pool.execute(
            "UPDATE projection_offset SET caught_up_at = now() WHERE projection = $1 "
            "AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))",
            self._projection.name,
            [partition.topic for partition in reached],
            [partition.partition for partition in reached],
        )
        parked = await self._pool.fetchval("SELECT count(*) FROM parked WHERE projection = $1", self._projection.name)
        PARKED.labels(self._projection.name).set(parked)


def _id_of(record: ConsumerRecord) -> str:
    """The record's ``ce_id``; for a record without one, its bytes' place is all there is to know it by."""
    told: dict[str, bytes | None] = dict(record.headers)
    return text_of(told.get("ce_id") or b"")
