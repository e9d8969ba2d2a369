"""The relay: publishes what commands have committed, at least once and in order per aggregate, and forgets nothing.

One relay reigns over each key slice of a database. It holds a session lock on the very connection that it reads and
deletes with; the server ends that session if it is silent for a few seconds, and with it the right to delete. Its
producer is transactional under a fixed id: a successor fences it, so that a relay which was frozen and wakes up can
put nothing stale behind something new. Reading visible rows by position needs no cursor: a row that is committed
late has a lower position and is still found, and within one aggregate positions follow the row lock.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NoReturn

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from common.database import AWAY, Connection
from common.kafka import BROKER_AWAY, relay_producer
from common.publishing import Publisher, Window, note_if_late, traced
from common.settings import Settings
from common.telemetry import OUTBOX_DEPTH, OUTBOX_OLDEST_SECONDS, RELAY_FAILURES, log

WINDOW_MAX: Final = 2_000
POLL_SECONDS: Final = 0.005
POLL_SECONDS_MAX: Final = 0.1
POLLS_OF_A_QUIET_TIME: Final = 50
"""The longer nothing comes, the rarer the polls: a fiftieth of the quiet time lies between two, within the limits."""
LOOK_SECONDS: Final = 1.0
SILENCE_MAX_SECONDS: Final = 5
PUBLISH_DEADLINE_SECONDS: Final = 15
STOP_DEADLINE_SECONDS: Final = 3

READ: Final = """
SELECT o.position, e.aggregate_id, e.payload, e.headers
FROM outbox o JOIN event e USING (position)
WHERE o.slice = $1 AND o.position > $2
ORDER BY o.position
LIMIT $3
"""
READ_AHEAD: Final = READ.replace(
    "ORDER", "AND (SELECT count(*) FROM outbox WHERE slice = $1 AND position > $4 AND position <= $2) = $5 ORDER"
)
"""What waits beyond $2, if from $4 on to there nothing waits but the $5 rows that are on their way: nobody was late."""

BY_INDEX: Final = {f"enable_{way}": "off" for way in ("bitmapscan", "hashjoin", "mergejoin", "seqscan", "sort")} | {
    "jit": "off"
}
"""A backlog comes faster than statistics of it: whoever plans by those sorts all of it to read two thousand rows."""


class Relay:
    """Publishes one key slice of a service's outbox for as long as it runs."""

    def __init__(self, *, service: str, slice_number: int, database_url: str, bootstrap: str, topic: str) -> None:
        self.name = f"{service}-relay-{slice_number}"
        self._slice = slice_number
        self._database_url = database_url
        self._bootstrap = bootstrap
        self._topic = topic
        self.beat = time.monotonic()
        """When the loop last came round: liveness looks at it."""

    async def run(self) -> NoReturn:
        """Reign, and after any fault begin again with a fresh connection and a fresh producer."""
        while True:
            try:
                await self._reign()
            except (*AWAY, *BROKER_AWAY) as error:
                RELAY_FAILURES.labels(self._slice).inc()
                log.warning("relay.interrupted", relay=self.name, error=repr(error))
            self.beat = time.monotonic()
            await asyncio.sleep(0.5)

    async def _reign(self) -> NoReturn:
        async with self.reigning() as (connection, publisher):
            log.info("relay.reigns", relay=self.name)
            await self._drain(connection, publisher)

    @asynccontextmanager
    async def reigning(self) -> AsyncIterator[tuple[asyncpg.Connection, Publisher]]:
        """The connection that holds the slice's lock, and a publisher that has fenced whoever reigned before."""
        connection = await asyncpg.connect(
            self._database_url,
            timeout=3,
            command_timeout=10,
            server_settings=BY_INDEX
            | {"application_name": self.name, "idle_session_timeout": f"{SILENCE_MAX_SECONDS}s"},
        )
        try:
            await self._be_elected(connection)
            producer = relay_producer(self._bootstrap, self.name)
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_SECONDS):
                    await producer.start()
                yield connection, Publisher(producer, self._topic, self._slice)
            finally:
                await self._discard(producer)
        finally:
            connection.terminate()

    async def _be_elected(self, connection: asyncpg.Connection) -> None:
        """Wait until this connection holds the slice's lock."""
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('outbox'), $1)", self._slice):
            self.beat = time.monotonic()
            await asyncio.sleep(0.5)

    async def _drain(self, connection: asyncpg.Connection, publisher: Publisher) -> NoReturn:
        settled, last, published_at, late = Settled(), 0, 0.0, False
        window: Window | None = None
        while True:
            self.beat = time.monotonic()
            if self.beat - settled.looked >= LOOK_SECONDS:
                await settled.look(connection, last)
            if window is None:
                await publisher.rested()
                rows = await connection.fetch(READ, self._slice, settled.position, WINDOW_MAX)
                settled.found(rows[0]["position"] if rows else None)
                if not rows:
                    quiet = (self.beat - published_at) / POLLS_OF_A_QUIET_TIME
                    await asyncio.sleep(min(max(quiet, POLL_SECONDS), POLL_SECONDS_MAX))
                    continue
                window = await publisher.window(rows)
            ahead = await self._publish_beating(connection, publisher, window, settled)
            late = note_if_late(window, known=late)
            await connection.execute("DELETE FROM outbox WHERE position = ANY($1)", window.positions)
            last, published_at, window = max(last, window.positions[-1]), self.beat, ahead

    async def _publish_beating(
        self, connection: asyncpg.Connection, publisher: Publisher, window: Window, settled: "Settled | None" = None
    ) -> Window | None:
        """Publish a window; if it is full and ``settled`` is known, the next one is read meanwhile and returned.

        The connection keeps speaking as long as it takes, so that only a frozen process falls silent.
        """
        publishing, ahead = asyncio.create_task(publisher.publish(window)), None
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_SECONDS):
                if settled and len(window.positions) == WINDOW_MAX:
                    ahead = await self._read_ahead(connection, publisher, window, settled)
                while not (await asyncio.wait({publishing}, timeout=1))[0]:
                    self.beat = time.monotonic()
                    await connection.execute("SELECT 1")
            await publishing
        except (*AWAY, *BROKER_AWAY):
            log.warning("relay.window-failed", relay=self.name, **traced(window))
            raise
        finally:
            publishing.cancel()
        return ahead

    async def _read_ahead(
        self, connection: asyncpg.Connection, publisher: Publisher, window: Window, settled: "Settled"
    ) -> Window | None:
        """The window behind one that is on its way; None if a late row stands before it: then all are read anew."""
        last, on_their_way = window.positions[-1], len(window.positions)
        rows = await connection.fetch(READ_AHEAD, self._slice, last, WINDOW_MAX, settled.position, on_their_way)
        if not rows:
            return None
        settled.found(rows[0]["position"])
        return await publisher.window(rows)

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """Stop a producer. One that does not stop is left behind: the next one's start fences it and ends its work."""
        try:
            async with asyncio.timeout(STOP_DEADLINE_SECONDS):
                await producer.stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("relay.producer-left-behind", relay=self.name, error=repr(error))


class Settled:
    """The position up to which nothing can appear any more, so that a poll need not look below it.

    A position is given to a transaction that is already counted among the running ones. When all that ran at some
    instant have ended, every position up to the last one published by then is settled: it is gone, or it never comes.
    """

    def __init__(self) -> None:
        self.position = 0
        self.looked = 0.0
        self._ended = 0
        self._next: tuple[int, int] | None = None

    async def look(self, connection: Connection, last: int) -> None:
        """See whether all that ran at an earlier look have ended; ``last`` is the last position published.

        The transaction id that is drawn parts what ran before from what comes after; a snapshot's upper bound does
        not, for whoever runs beyond the last that has ended is not below it.
        """
        self.looked = time.monotonic()
        now = await connection.fetchrow(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, "
            "pg_current_xact_id()::text::bigint AS own"
        )
        assert now is not None
        if self._next and now["oldest"] > self._next[1]:
            self._ended, self._next = self._next[0], None
        if self._next is None:
            self._next = (last, now["own"])

    def found(self, first: int | None) -> None:
        """Move up if nothing is left below: ``first`` is the lowest position that was read after the last look.

        What committed just before the look may not have been read before it.
        """
        if first is None or first > self._ended:
            self.position = self._ended


def relays(service: str, settings: Settings, topic: str) -> list[Relay]:
    """One relay for each key slice of a service's outbox."""
    return [
        Relay(
            service=service,
            slice_number=number,
            database_url=settings.database_url,
            bootstrap=settings.kafka_bootstrap,
            topic=topic,
        )
        for number in range(settings.relay_slices)
    ]


async def watch_outbox(pool: asyncpg.Pool, slices: int) -> NoReturn:
    """Measure each second how much waits to be published and for how long, whatever becomes of the relays."""
    while True:
        try:
            waiting = await pool.fetch(
                "SELECT o.slice, count(*) AS depth, extract(epoch FROM now() - min(e.recorded_at))::float AS oldest "
                "FROM outbox o JOIN event e USING (position) GROUP BY o.slice"
            )
        except AWAY as error:
            log.warning("outbox.unseen", error=repr(error))
        else:
            found = {row["slice"]: row for row in waiting}
            for number in range(slices):
                OUTBOX_DEPTH.labels(number).set(found[number]["depth"] if number in found else 0)
                OUTBOX_OLDEST_SECONDS.labels(number).set(found[number]["oldest"] if number in found else 0)
        await asyncio.sleep(1)
