"""The relay beside the bare client, beside job queues that are used as a relay, and from commit to acknowledgement."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg

from bench.backlog import COLUMNS, Record, in_order, keep_events, queue_all, read_back, record_of, rows_of_events
from bench.baselines.producer import bare_producer, produce
from bench.baselines.queues import PgQueuer, Procrastinate
from bench.bed import Bed
from bench.measuring import Figure, Pair, Run, alternate, limit_figure, percentile
from common.outbox import Relay
from eventually import eventually
from servers import Database

NAMES = ("P4", "P5", "P6")
BACKLOG, BACKLOG_OF_QUEUES, BACKLOG_OF_SLOW_QUEUES = 40_000, 20_000, 1_000
RATE, SECONDS, ROUNDS = 500, 5, 5

REIGNS = """
SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE a.application_name = $1 AND l.locktype = 'advisory' AND l.granted
"""
COMMIT = f"""
WITH told AS (INSERT INTO event ({", ".join(COLUMNS)}) VALUES ({", ".join(f"${n + 1}" for n in range(len(COLUMNS)))})
              RETURNING position)
INSERT INTO outbox (position, slice) SELECT position, 0 FROM told RETURNING position
"""


@dataclass
class Journal:
    """A database with events that wait to be published, again and again; every way publishes to a topic of its own."""

    bed: Bed
    database: Database
    pool: asyncpg.Pool
    records: list[Record]

    async def by_relay(self) -> Run:
        """A relay that already reigns drains all that is committed at one instant."""
        topic = await self.bed.topic()
        relay = Relay(
            service=f"bench-{uuid4().hex}",
            slice_number=0,
            database_url=self.database.app_url,
            bootstrap=self.bed.bootstrap,
            topic=topic,
        )
        running = asyncio.create_task(relay.run())
        try:
            await eventually(lambda: self.pool.fetchval(REIGNS, relay.name), seconds=30)
            await asyncio.sleep(0.5)  # its producer starts once it is elected
            async with self.pool.acquire() as connection:
                await queue_all(connection)

                last = await connection.fetchval("SELECT max(position) FROM outbox")

                async def last_is_gone() -> bool:
                    return not await connection.fetchval("SELECT count(*) FROM outbox WHERE position = $1", last)

                run = await _timed(len(self.records), lambda: eventually(last_is_gone, seconds=120))
                assert await connection.fetchval("SELECT count(*) FROM outbox") == 0
        finally:
            running.cancel()
            await asyncio.wait([running])
        found = await read_back(self.bed.bootstrap, topic)
        assert len(found) == len(self.records)
        assert in_order(found) == in_order(self.records)
        return run

    async def by_the_bare_client(self) -> Run:
        """The same records, ready in memory."""
        topic, producer = await self._producer()
        try:
            run = await _timed(len(self.records), lambda: produce(producer, topic, self.records))
        finally:
            await producer.stop()
        assert in_order(await read_back(self.bed.bootstrap, topic)) == in_order(self.records)
        return run

    async def by_queue(self, queue: PgQueuer | Procrastinate, number: int) -> Run:
        """So many of them, in jobs that were committed before; a queue keeps no order."""
        topic, producer = await self._producer()
        records = self.records[:number]
        try:
            await queue.enqueue(records)
            run = await _timed(number, lambda: queue.drain(producer, topic))
        finally:
            await producer.stop()
        found = await read_back(self.bed.bootstrap, topic)
        assert sorted(map(repr, found)) == sorted(map(repr, records))
        return run

    async def _producer(self) -> tuple[str, Any]:
        topic, producer = await self.bed.topic(), bare_producer(self.bed.bootstrap)
        await producer.start()
        await producer.partitions_for(topic)
        return topic, producer


@asynccontextmanager
async def a_journal(bed: Bed, number: int) -> AsyncIterator[Journal]:
    """A journal with so many events."""
    database = await bed.database("measures")
    async with asyncpg.create_pool(database.app_url, min_size=1, max_size=4) as pool:
        yield Journal(bed, database, pool, await keep_events(pool, number))


async def _timed(operations: int, work: Callable[[], Awaitable[object]]) -> Run:
    started, cpu = time.perf_counter(), time.process_time()
    await work()
    return Run(operations, time.perf_counter() - started, time.process_time() - cpu)


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P4 and P5: a backlog is drained. P6: single records at a fixed rate, from commit to the broker's word."""
    async with a_journal(bed, BACKLOG) as journal:
        pair = await alternate(journal.by_relay, journal.by_the_bare_client)
        yield pair.figure("P4", "relay draining a backlog beside the bare client", at_least=0.75)
    async with a_journal(bed, BACKLOG_OF_QUEUES) as journal:
        pair = await _beside(journal, PgQueuer, BACKLOG_OF_QUEUES)
        yield pair.figure("P5", "relay draining a backlog beside pgqueuer as a relay", at_least=5)
        pair = await _beside(journal, Procrastinate, BACKLOG_OF_SLOW_QUEUES)
        yield pair.figure("P5", "relay draining a backlog beside procrastinate as a relay", at_least=50)
    async for figure in _from_commit_to_ack(bed):
        yield figure


async def _beside(journal: Journal, kind: type[PgQueuer] | type[Procrastinate], number: int) -> Pair:
    database = await journal.bed.database("measures")
    async with kind.opened(database.owner_url) as queue:
        return await alternate(journal.by_relay, lambda: journal.by_queue(queue, number))


# ── from commit to acknowledgement ───────────────────────────────────────────────────────────────────────────────────


async def _from_commit_to_ack(bed: Bed) -> AsyncIterator[Figure]:
    ours, bare = list[list[float]](), list[list[float]]()
    for number in range(-1, ROUNDS):
        turn = await _relayed(bed), await _round_trips(bed)
        if number >= 0:
            ours.append(turn[0])
            bare.append(turn[1])
    floors = [percentile(one, 0.99) * 1000 for one in bare]
    for share, limit in ((0.5, 5), (0.99, 30)):
        beyond = [percentile(one, share) * 1000 - floor for one, floor in zip(ours, floors, strict=True)]
        what = f"commit to ack at {RATE}/s: p{share * 100:.0f} less the bare client's p99, ms"
        yield limit_figure("P6", what, beyond, at_most=limit, unit="ms", baseline=percentile(floors, 0.5))


async def _relayed(bed: Bed) -> list[float]:
    """Seconds from the reply to each commit to the broker's word for it, seen by a relay in a process of its own."""
    database, topic, service = await bed.database("measures"), await bed.topic(), f"bench-{uuid4().hex}"
    rows, committed = rows_of_events(RATE * SECONDS), dict[int, float]()
    relay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.acknowledged", service, topic),
        env=bed.environment(database_url=database.app_url),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncpg.create_pool(database.app_url, min_size=8, max_size=8) as pool:

        async def commit(number: int) -> None:
            position = await pool.fetchval(COMMIT, *rows[number])
            committed[position] = time.monotonic()

        async def nothing_waits() -> bool:
            return not await pool.fetchval("SELECT count(*) FROM outbox")

        await eventually(lambda: pool.fetchval(REIGNS, f"{service}-relay-0"), seconds=60)
        await asyncio.sleep(1)
        await _at_a_steady_rate(commit)
        await eventually(nothing_waits, seconds=60)
    relay.terminate()
    told = (await relay.communicate())[0].split()
    acknowledged = dict(zip(map(int, told[::2]), map(float, told[1::2]), strict=True))
    assert acknowledged.keys() == committed.keys()
    return [acknowledged[position] - instant for position, instant in committed.items()]


async def _round_trips(bed: Bed) -> list[float]:
    """Seconds that the bare client takes, record by record, at the same rate."""
    producer, topic = bare_producer(bed.bootstrap), await bed.topic()
    records, seconds = [record_of(row) for row in rows_of_events(RATE * SECONDS)], list[float]()

    async def send(number: int) -> None:
        started, one = time.monotonic(), records[number]
        await producer.send_and_wait(topic, one.value, one.key, headers=one.headers)
        seconds.append(time.monotonic() - started)

    await producer.start()
    try:
        await producer.partitions_for(topic)
        await _at_a_steady_rate(send)
    finally:
        await producer.stop()
    return seconds


async def _at_a_steady_rate(one: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Each is begun when it is due, whatever becomes of those before."""
    start, begun = time.monotonic(), list[asyncio.Task[None]]()
    for number in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, start + number / RATE - time.monotonic()))
        begun.append(asyncio.create_task(one(number)))
    await asyncio.gather(*begun)
