"""The loop that turns topics into tables: each batch is applied together with its offset, or not at all.

Whatever the group protocol does, two owners of a partition serialise on its offset row. A partition is taken up at
its witness, the last record that was applied: if another record stands there now, the topic is not the one that was
read, and the loop stops instead of taking new records for old ones. While one batch of a backlog is applied the next
is fetched and read; they are applied one after the other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, NamedTuple, NoReturn

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from common import offsets
from common.database import AWAY, Connection
from common.inbox import Inbox, Projection, Refuses, opened
from common.kafka import BROKER_AWAY, group_consumer
from common.offsets import Mark
from common.parking import Parcel, keep_copying, text_of, trace_of
from common.telemetry import APPLIED, BATCH_SECONDS, log
from common.watching import TopicReplaced, Watch

BATCH_MAX: Final = 4_000
BACKLOG_MIN: Final = 500
PIECE: Final = 200
"""So many records are fetched and read before whatever else is due gets its turn: two milliseconds' worth."""
SETTLE_SECONDS: Final = 0.05
"""From one settling to the next; readers are told ten times a second, so what comes meanwhile is settled together."""
SLOW_SECONDS: Final = 1.0
"""A batch that takes longer is logged."""
POSITION_SECONDS_MAX: Final = 5.0
"""A consumer that does not know where it stands for so long has lost its broker."""
STOP_SECONDS_MAX: Final = 2.0


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
            except (*AWAY, *BROKER_AWAY) as error:
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
                await asyncio.sleep(SETTLE_SECONDS)
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
        """Fetch and apply, a batch ahead; what changes positions waits until none is under way.

        Without a backlog nothing is read ahead: a few records that were fetched early would hold up those after them.
        """
        watch = Watch(self._projection, self._pool, consumer)
        watching, backlog = asyncio.create_task(watch.keep()), False
        batches: list[Batch] = []
        applying = asyncio.create_task(self._apply(connection, batches))
        try:
            while True:
                self.beat = time.monotonic()
                if watching.done():
                    watching.result()
                unknown = consumer.assignment() - self._cursors.keys()
                if unknown or not backlog:
                    await applying
                if unknown:
                    await self._take_up(consumer, connection, unknown)
                async with asyncio.timeout(POSITION_SECONDS_MAX):
                    standing = {partition: await consumer.position(partition) for partition in list(self._cursors)}
                fetched = await self._fetch(consumer)
                backlog = sum(len(batch.records) for batch in fetched) >= BACKLOG_MIN
                await applying
                self._tell(watch, standing, batches)
                applying = asyncio.create_task(self._apply(connection, fetched))
                await asyncio.sleep(0)  # PostgreSQL works already while the batch before is let go
                batches = fetched
        finally:
            watching.cancel()
            applying.cancel()
            await asyncio.gather(watching, applying, return_exceptions=True)

    def _tell(self, watch: Watch, standing: dict[TopicPartition, int], applied: Sequence[Batch]) -> None:
        """Tell how far it is: before ``standing`` nothing is left to apply of what is still ours."""
        watch.cursors = self._cursors
        watch.standing = {partition: offset for partition, offset in standing.items() if partition in self._cursors}
        watch.told_at.update({batch.partition: batch.records[-1].timestamp for batch in applied})

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

    async def _take_up(
        self, consumer: AIOKafkaConsumer, connection: Connection, partitions: Iterable[TopicPartition]
    ) -> None:
        """Begin where the database says, at the witness, and try again what is parked of these partitions.

        A newer version of this process may know what an older one did not.

        :raises TopicReplaced: a partition ends before the record that was read last.
        """
        marks = {partition: await self._released(connection, partition) for partition in partitions}
        ends = await consumer.end_offsets(list(marks))  # of all at once: a broker may keep each question waiting
        for partition, mark in marks.items():
            begin = mark.next_offset
            if mark.witness_offset is not None and mark.witness_id is not None:
                if ends[partition] < mark.next_offset:
                    raise TopicReplaced(partition)
                begin = mark.witness_offset
                self._unwitnessed[partition] = (mark.witness_offset, mark.witness_id)
            self._cursors[partition] = begin
            consumer.seek(partition, begin)
        self._unsettled.set()

    async def _released(self, connection: Connection, partition: TopicPartition) -> Mark:
        """Where a partition was left, after what is parked of it was tried again."""
        async with connection.transaction():
            mark = await offsets.lock_one(connection, self._projection.name, partition)
            if released := await Inbox(connection, self._projection, singly=True).redrive(*partition):
                log.info("projection.released", projection=self._projection.name, events=released)
        return mark

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
        self._cursors.update({partition: offset for partition, offset in left.items() if partition in self._cursors})
        return applied


def _id_of(record: ConsumerRecord) -> str:
    """The record's ``ce_id``; for a record without one, its bytes' place is all there is to know it by."""
    told: dict[str, bytes | None] = dict(record.headers)
    return text_of(told.get("ce_id") or b"")
