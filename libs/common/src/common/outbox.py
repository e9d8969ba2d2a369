"""The relay: publishes what commands have committed, at least once and in order per aggregate, and forgets nothing.

One relay reigns over each key slice of a database. It holds a session lock on the very connection that it reads and
deletes with; the server ends that session if it is silent for a few seconds, and with it the right to delete. Its
producer is transactional under a fixed id: a successor fences it, so that a relay which was frozen and wakes up can
put nothing stale behind something new. Reading visible rows by position needs no cursor: a row that is committed
late has a lower position and is found by the sweep, and within one aggregate positions follow the row lock.
"""

import asyncio
import time
from typing import Final, NoReturn

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from common.database import AWAY
from common.kafka import relay_producer
from common.settings import Settings
from common.telemetry import OUTBOX_DEPTH, OUTBOX_OLDEST_SECONDS, RELAY_FAILURES, RELAYED, log

WINDOW_MAX: Final = 2_000
POLL_SECONDS: Final = 0.005
SWEEP_SECONDS: Final = 1.0
TRAIL: Final = 10_000
"""How far below the last published position a poll still looks; what is committed later yet, the sweep finds."""
SILENCE_MAX_SECONDS: Final = 5
PUBLISH_DEADLINE_SECONDS: Final = 15
STOP_DEADLINE_SECONDS: Final = 5

READ: Final = """
SELECT o.position, e.aggregate_id, e.payload, e.headers
FROM outbox o JOIN event e USING (position)
WHERE o.slice = $1 AND o.position > $2
ORDER BY o.position
LIMIT $3
"""


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
            except (*AWAY, KafkaError) as error:
                RELAY_FAILURES.labels(self._slice).inc()
                log.warning("relay.interrupted", relay=self.name, error=repr(error))
            self.beat = time.monotonic()
            await asyncio.sleep(0.5)

    async def _reign(self) -> NoReturn:
        connection = await asyncpg.connect(
            self._database_url,
            timeout=3,
            command_timeout=10,
            server_settings={"application_name": self.name, "idle_session_timeout": f"{SILENCE_MAX_SECONDS}s"},
        )
        try:
            await self._be_elected(connection)
            producer = relay_producer(self._bootstrap, self.name)
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_SECONDS):
                    await producer.start()
                log.info("relay.reigns", relay=self.name)
                await self._drain(connection, producer)
            finally:
                await self._discard(producer)
        finally:
            connection.terminate()

    async def _be_elected(self, connection: asyncpg.Connection) -> None:
        """Wait until this connection holds the slice's lock."""
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('outbox'), $1)", self._slice):
            self.beat = time.monotonic()
            await asyncio.sleep(0.5)

    async def _drain(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> NoReturn:
        bound, swept = 0, 0.0
        while True:
            self.beat = time.monotonic()
            sweep = self.beat - swept >= SWEEP_SECONDS
            rows = await connection.fetch(READ, self._slice, 0 if sweep else bound, WINDOW_MAX)
            if sweep:
                swept = self.beat
            if not rows:
                await asyncio.sleep(POLL_SECONDS)
                continue
            await self._publish_beating(connection, producer, rows)
            await connection.execute("DELETE FROM outbox WHERE position = ANY($1)", [row["position"] for row in rows])
            RELAYED.labels(self._slice).inc(len(rows))
            bound = max(bound, rows[-1]["position"] - TRAIL)

    async def _publish_beating(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: list[asyncpg.Record]
    ) -> None:
        """Publish a window while the connection keeps speaking, so that only a frozen process falls silent."""
        publishing = asyncio.ensure_future(self._publish(producer, rows))
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_SECONDS):
                while not (await asyncio.wait({publishing}, timeout=1))[0]:
                    self.beat = time.monotonic()
                    await connection.execute("SELECT 1")
            await publishing
        finally:
            publishing.cancel()

    async def _publish(self, producer: AIOKafkaProducer, rows: list[asyncpg.Record]) -> None:
        """One window in one transaction. A failed one is never aborted by hand: the next producer's start does it."""
        await producer.begin_transaction()
        acks = [
            await producer.send(
                self._topic,
                key=str(row["aggregate_id"]).encode(),
                value=row["payload"],
                headers=[(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()],
            )
            for row in rows
        ]
        await asyncio.gather(*acks)
        await producer.commit_transaction()

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """Stop a producer; one that cannot be stopped might still send, so then the process ends."""
        try:
            async with asyncio.timeout(STOP_DEADLINE_SECONDS):
                await producer.stop()
        except TimeoutError:
            raise SystemExit(f"{self.name}: the producer does not stop; starting anew is safer") from None
        except KafkaError as error:
            log.warning("relay.producer-stopped", relay=self.name, error=repr(error))


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
