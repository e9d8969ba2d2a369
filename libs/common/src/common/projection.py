"""The loop that turns topics into tables: each batch is applied together with its offset, or not at all.

Whatever the group protocol does, two owners of a partition serialise on its offset row. A partition is taken up at
its witness, the last record that was applied: if another record stands there now, the topic is not the one that was
read, and the loop stops instead of taking new records for old ones. While one batch of a backlog is applied the next
is fetched and read; they are applied one after the other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, NoReturn

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from common import offsets
from common.database import AWAY, Connection
from common.inbox import Inbox, Projection, Refuses, opened
from common.kafka import group_consumer
from common.offsets import Mark
from common.parking import Parcel, keep_copying, text_of, trace_of
from common.telemetry import APPLIED, BATCH_SECONDS, CONSUMER_LAG, CONSUMER_LAG_SECONDS, PARKED, log

BATCH_MAX: Final = 4_000
BACKLOG_MIN: Final = 500
PIECE: Final = 200
"""So many records are fetched and read before whatever else is due gets its turn: two milliseconds' worth."""
TICK_SECONDS: Final = 1.0
SLOW_SECONDS: Final = 1.0
"""A batch that takes longer is logged."""
STOP_SECONDS_MAX: Final = 2.0


class TopicReplaced(Exception):
    """A topic is not the one that this projection has read: it was wiped, or filled anew."""

    def __init__(self, partition: TopicPartition) -> None:
        super().__init__(
            f"{partition.topic}[{partition.partition}] is not the log that was read so far. "
            "What it told stands in the service's event table: `kegai republish --dry-run` says what the topic lacks, "
            "`kegai republish` sends it again; then what was built from the old log is rebuilt from the new one."
        )


class Batch(NamedTuple):
    """What was fetched of one partition: its records, and those that concern the projection, read."""

    partition: TopicPartition
    records: list[ConsumerRecord]
    parcels: list[Parcel]


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
        self._unsettled = asyncio.Event()
        self._pool = pool
        self._bootstrap = bootstrap
        self._cursors: dict[TopicPartition, int] = {}
        self._unwitnessed: dict[TopicPartition, tuple[int, str]] = {}
        self._mirrored: dict[TopicPartition, int] = {}
        self._last_told: dict[TopicPartition, int] = {}
        self._applied = APPLIED.labels(projection.name)
        self._batch_seconds = BATCH_SECONDS.labels(projection.name)
        self.beat = time.monotonic()
        """When the loop last came round: liveness looks at it."""

    async def run(self) -> NoReturn:
        """Apply what comes; beside it, settle what was applied and copy what is parked, for others to see.

        :raises TopicReplaced: a topic was wiped or refilled; the message names the remedy.
        """
        beside = [
            asyncio.create_task(keep_copying(self._pool, self._bootstrap, self._projection.name)),
            asyncio.create_task(self._keep_settling()),
        ]
        try:
            await self._apply_for_ever()
        finally:
            for task in beside:
                task.cancel()

    async def _apply_for_ever(self) -> NoReturn:
        """After any fault every partition is taken up again where the database says."""
        while True:
            consumer = group_consumer(self._bootstrap, self._projection.name)
            try:
                await consumer.start()
                consumer.subscribe(self._projection.topics, listener=self)
                async with self._pool.acquire() as connection:
                    await self._follow(consumer, connection)
            except (*AWAY, KafkaError) as error:
                log.warning("projection.interrupted", projection=self._projection.name, error=repr(error))
            finally:
                self._cursors.clear()
                await self._leave(consumer)
            await asyncio.sleep(0.5)

    async def _keep_settling(self) -> None:
        """Settle whenever something was applied; what comes meanwhile is settled together."""
        while self._settled:
            self._unsettled.clear()
            try:
                await self._settled()
                await self._unsettled.wait()
            except Exception as error:  # noqa: BLE001 - whatever it is, what was applied stands, and must be settled yet
                log.warning("projection.not-settled", projection=self._projection.name, error=repr(error))
                await asyncio.sleep(0.5)

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        """Stop the consumer, as far as the broker lets it: what it leaves undone is taken up from the database.

        In a task of its own: a consumer cancels what it still fetches, and would raise that cancellation here.
        """
        stopping = asyncio.create_task(consumer.stop())
        await asyncio.wait({stopping}, timeout=STOP_SECONDS_MAX)
        if stopping.cancel() or stopping.cancelled() or stopping.exception():
            log.warning("projection.not-stopped", projection=self._projection.name, stopping=repr(stopping))

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """What is no longer ours is taken up anew when it comes back."""
        for partition in revoked:
            self._cursors.pop(partition, None)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Nothing is sought here: the loop does it, under the offset row's lock."""

    async def _follow(self, consumer: AIOKafkaConsumer, connection: Connection) -> NoReturn:
        """Fetch and apply, a batch ahead; what looks at positions or changes them waits until none is under way.

        Without a backlog nothing is read ahead: a few records that were fetched early would hold up those after them.
        """
        ticked, backlog = 0.0, False
        applying = asyncio.create_task(self._apply(connection, []))
        try:
            while True:
                self.beat = time.monotonic()
                due = self.beat - ticked >= TICK_SECONDS
                if due or not backlog or consumer.assignment() - self._cursors.keys():
                    await applying
                for partition in consumer.assignment() - self._cursors.keys():
                    await self._take_up(consumer, connection, partition)
                if due:
                    ticked = self.beat
                    await self._tick(consumer)
                batches = await self._fetch(consumer)
                backlog = sum(len(batch.records) for batch in batches) >= BACKLOG_MIN
                await applying
                applying = asyncio.create_task(self._apply(connection, batches))
        finally:
            applying.cancel()
            await asyncio.gather(applying, return_exceptions=True)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> list[Batch]:
        """What there is, in pieces and read: between two of them PostgreSQL's answers get their turn."""
        found: dict[TopicPartition, Batch] = {}
        left, wait_ms = BATCH_MAX, 200
        while left and (piece := await consumer.getmany(timeout_ms=wait_ms, max_records=min(left, PIECE))):
            for partition, records in piece.items():
                batch = found.setdefault(partition, Batch(partition, [], []))
                if batch.records and records[0].offset <= batch.records[-1].offset:
                    self._cursors.pop(partition, None)  # the log begins anew: let the witness tell
                batch.records.extend(records)
                batch.parcels.extend(opened(records, self._projection.concerns))
                left -= len(records)
            wait_ms = 0
            await asyncio.sleep(0)
        return list(found.values())

    async def _take_up(self, consumer: AIOKafkaConsumer, connection: Connection, partition: TopicPartition) -> None:
        """Begin where the database says, at the witness, and try again what is parked of this partition.

        A newer version of this process may know what an older one did not.
        """
        async with connection.transaction():
            mark = await offsets.lock_one(connection, self._projection.name, partition)
            if released := await Inbox(connection, self._projection, singly=True).redrive(*partition):
                log.info("projection.released", projection=self._projection.name, events=released)
        self._unsettled.set()
        begin = mark.next_offset
        if mark.witness_offset is not None and mark.witness_id is not None:
            if (await consumer.end_offsets([partition]))[partition] < mark.next_offset:
                raise TopicReplaced(partition)
            begin = mark.witness_offset
            self._unwitnessed[partition] = (mark.witness_offset, mark.witness_id)
        self._cursors[partition] = begin
        consumer.seek(partition, begin)

    async def _apply(self, connection: Connection, batches: Sequence[Batch]) -> None:
        """Apply what was fetched in one transaction; where the projection refuses an event, again and one by one."""
        ours = [batch for batch in batches if self._follows(batch)]
        if not ours:
            return
        started = time.perf_counter()
        try:
            applied = await self._take_in(connection, ours)
        except Refuses as error:
            log.warning("projection.one-by-one", projection=self._projection.name, error=repr(error))
            applied = await self._take_in(connection, ours, singly=True)
        took = time.perf_counter() - started
        self._unsettled.set()
        self._applied.inc(applied)
        self._batch_seconds.observe(took)
        if took > SLOW_SECONDS:
            trace = trace_of(ours[0].records[0])
            log.warning("projection.slow", projection=self._projection.name, events=applied, seconds=took, trace=trace)

    def _follows(self, batch: Batch) -> bool:
        """Whether a batch goes on where its partition was left, and its log is the one that was read.

        :raises TopicReplaced: another record stands at the witness.
        """
        first, cursor = batch.records[0], self._cursors.get(batch.partition)
        if cursor is None:
            return False
        if first.offset < cursor:
            self._cursors.pop(batch.partition)  # the log begins anew below us: let the witness tell
            return False
        found = (first.offset, _id_of(first))
        if self._unwitnessed.pop(batch.partition, found) != found:
            raise TopicReplaced(batch.partition)
        return True

    async def _take_in(self, connection: Connection, batches: Sequence[Batch], *, singly: bool = False) -> int:
        """Take in what no other owner has taken in yet, and move the offsets; the number of events applied."""
        left: dict[TopicPartition, int] = {}
        async with connection.transaction():
            stored = await offsets.lock(connection, self._projection.name, [batch.partition for batch in batches])
            fresh: list[Parcel] = []
            marks: dict[TopicPartition, Mark] = {}
            for partition, records, parcels in batches:
                begin, last = stored[partition], records[-1]
                if self._cursors.get(partition, begin) > begin:
                    self._cursors.pop(partition)  # someone else's batch was lost between: take up again
                    continue
                left[partition] = max(begin, last.offset + 1)
                if last.offset >= begin:
                    some_known = records[0].offset < begin
                    fresh += [one for one in parcels if one.record.offset >= begin] if some_known else parcels
                    marks[partition] = Mark(last.offset + 1, last.offset, _id_of(last))
            applied = await Inbox(connection, self._projection, singly=singly).receive(fresh) if fresh else 0
            if marks:
                await offsets.move(connection, self._projection.name, marks)
        for partition, records, _ in batches:
            if partition in left and partition in self._cursors:
                self._cursors[partition], self._last_told[partition] = left[partition], records[-1].timestamp
        return applied

    async def _mirror(self, consumer: AIOKafkaConsumer) -> None:
        """Tell Kafka what the database holds, for tools that measure lag; nothing is read back from there."""
        if self._mirrored == self._cursors:
            return
        self._mirrored = dict(self._cursors)
        try:
            await consumer.commit(self._mirrored)
        except KafkaError as error:
            log.info("projection.offsets-not-mirrored", projection=self._projection.name, error=repr(error))

    async def _tick(self, consumer: AIOKafkaConsumer) -> None:
        """Once a second: lag, what is parked, and which partitions have reached their end."""
        await self._mirror(consumer)
        ends = await consumer.end_offsets(list(self._cursors)) if self._cursors else {}
        lags = {partition: end - await consumer.position(partition) for partition, end in ends.items()}
        for topic in self._projection.topics:
            behind = {partition: lag for partition, lag in lags.items() if partition.topic == topic and lag > 0}
            CONSUMER_LAG.labels(self._projection.name, topic).set(sum(behind.values()))
            told = [self._last_told[partition] for partition in behind if partition in self._last_told]
            age = time.time() - min(told) / 1000 if told else 0.0
            CONSUMER_LAG_SECONDS.labels(self._projection.name, topic).set(max(0.0, age))
        await offsets.note_reached(
            self._pool, self._projection.name, [partition for partition, lag in lags.items() if lag <= 0]
        )
        parked = await self._pool.fetchval("SELECT count(*) FROM parked WHERE projection = $1", self._projection.name)
        PARKED.labels(self._projection.name).set(parked)


def _id_of(record: ConsumerRecord) -> str:
    """The record's ``ce_id``; for a record without one, its bytes' place is all there is to know it by."""
    told: dict[str, bytes | None] = dict(record.headers)
    return text_of(told.get("ce_id") or b"")
