"""The projector with its live views, beside copying into one table and beside one transaction an event."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from bench.baselines import copying, eventsourced
from bench.bed import Bed, Process
from bench.measuring import Figure, Pair, Run, in_turn
from bench.reform import event_of, fill, make_anew, reform
from common.contracts import topic
from events.views.progress import EVER, PROGRESS
from eventually import eventually
from servers import Database

NAMES = ("P7", "P8")
ITEMS = 4_200
SINGLY = 500
"""So many events are taken in one by one: their rate is what counts. They are the first, while the views are small."""
SINGLY_ITEMS = 25
"""The items that ``eventsourcing`` is given: about as many events."""
APPLIED = "SELECT coalesce(sum(next_offset), 0)::int FROM projection_offset"


@dataclass
class Reform:
    """Topics with everything that happened to a reform, read again and again from their beginning."""

    bed: Bed
    events: int

    async def by_the_projector(self) -> Run:
        """The process as it is in production."""
        return await self._projected("events", "projector", events=self.events)

    async def one_by_one(self) -> Run:
        """A transaction for each event, with the same views."""
        return await self._projected("bench.baselines.one_by_one", events=SINGLY)

    async def by_copying(self) -> Run:
        """Every event as a row of one table."""
        async with self._database() as (database, pool):
            await pool.execute(copying.TABLES)
            async with self.bed.process("-m", "bench.baselines.copying", database_url=database.app_url) as process:
                run = await follow(process, pool, copying.APPLIED, self.events)
            assert await pool.fetchval("SELECT count(*) FROM copied") == self.events
        return run

    async def by_eventsourcing(self) -> Run:
        """The library's runner on its own recorder, which holds the same events of the items."""
        told = [(one.key, event_of(one)) for one in reform(SINGLY_ITEMS)]
        async with self._database() as (database, pool):
            recorded = await asyncio.to_thread(eventsourced.record, database.owner_url, told)
            words = ("-m", "bench.baselines.eventsourced")
            async with self.bed.process(*words, database_url=database.owner_url) as process:
                run = await follow(process, pool, eventsourced.APPLIED, recorded)
            found = await pool.fetch("SELECT * FROM counts")
            assert {measure: counts for measure, *counts in found} == eventsourced.counted(told)
        return run

    async def _projected(self, *words: str, events: int) -> Run:
        async with self._database() as (database, pool):
            async with self.bed.process("-m", *words, database_url=database.app_url) as process:
                run = await follow(process, pool, APPLIED, events)
            await is_shown(pool)
        return run

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[tuple[Database, asyncpg.Pool]]:
        """A database that is empty, and a connection of its owner to look into it."""
        database = await self.bed.database("events")
        async with asyncpg.create_pool(database.owner_url, min_size=1, max_size=1) as pool:
            yield database, pool


async def follow(process: Process, pool: asyncpg.Pool, applied: str, events: int) -> Run:
    """From the first look at which something was applied to the one at which so many events were."""
    before = await eventually(lambda: pool.fetchval(applied), seconds=60)
    started, cpu = time.perf_counter(), process.cpu_seconds()
    await eventually(lambda: _reached(pool, applied, events), seconds=300)
    return Run(events - before, time.perf_counter() - started, process.cpu_seconds() - cpu)


async def _reached(pool: asyncpg.Pool, applied: str, events: int) -> bool:
    found: int = await pool.fetchval(applied)
    return found >= events


async def is_shown(pool: asyncpg.Pool) -> None:
    """What was read was applied, each event once, nothing waits, and the figures are those that follow from the facts.

    :raises AssertionError: it is not so.
    """
    assert await pool.fetchval("SELECT sum(version)::int FROM projection_version") == await pool.fetchval(APPLIED)
    assert await pool.fetchval("SELECT count(*) FROM parked") == 0
    computed = await pool.fetch(f"SELECT * FROM ({PROGRESS}) now ORDER BY plan, measure", *EVER, None, None)
    kept = await pool.fetch("SELECT * FROM measure_progress WHERE items > 0 ORDER BY plan, measure")
    assert kept
    assert kept == computed


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P7 and P8: the process as it is in production reads everything, the others as much as they can in as long."""
    names = [topic(producer) for producer in ("measures", "societies", "talent")]
    await make_anew(bed.bootstrap, *names)
    whole = Reform(bed, await fill(bed.bootstrap, names[0], ITEMS))
    ways = (whole.by_the_projector, whole.by_copying, whole.one_by_one, whole.by_eventsourcing)
    ours, copied, singly, runner = await in_turn(ways)
    await make_anew(bed.bootstrap, *names)
    yield Pair(ours, copied).figure("P7", "projector, live views: rate beside COPY into one table", at_least=0.55)
    yield Pair(ours, singly).figure("P8", "projector: rate beside one transaction an event", at_least=25)
    yield Pair(ours, runner).figure("P8", "projector: rate beside the runner of eventsourcing", at_least=20)
