"""Two job queues on PostgreSQL, used as a relay as their documentation says: a job an event, its worker publishes it.

Each job holds the record itself, so that the worker need not read it. Both run many jobs at once in one process, with
the settings that were fastest here; neither keeps the order of an aggregate.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import orjson
import procrastinate
from aiokafka import AIOKafkaProducer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode
from procrastinate.types import JSONDict

from bench.backlog import Record

PGQUEUER_BATCH = 1_000
PROCRASTINATE_CONCURRENCY = 50


class PgQueuer:
    """pgqueuer: jobs are taken and finished in batches."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = Queries(AsyncpgPoolDriver(pool))

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator["PgQueuer"]:
        """Its tables in a database, whose owner ``url`` names."""
        async with asyncpg.create_pool(url, min_size=4, max_size=8) as pool:
            queue = cls(pool)
            await queue._queries.install()
            yield queue

    async def enqueue(self, records: Sequence[Record]) -> None:
        """A job for each, committed together."""
        await self._queries.enqueue(["publish"] * len(records), [_told(one) for one in records], [0] * len(records))

    async def drain(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Return when every job is done."""
        manager = QueueManager(Queries(AsyncpgPoolDriver(self._pool)))

        @manager.entrypoint("publish")
        async def publish(job: Job) -> None:
            await _send(producer, topic, job.payload or b"")

        await manager.run(
            batch_size=PGQUEUER_BATCH, max_concurrent_tasks=2 * PGQUEUER_BATCH, mode=QueueExecutionMode.drain
        )


class Procrastinate:
    """procrastinate: jobs are taken and finished one by one, many of them at once."""

    def __init__(self, app: procrastinate.App) -> None:
        self._app = app
        self._target: tuple[AIOKafkaProducer, str] | None = None

        @app.task(name="publish")
        async def publish(record: str) -> None:
            assert self._target is not None
            await _send(*self._target, record.encode())

        self._publish = publish

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator["Procrastinate"]:
        """Its tables in a database, whose owner ``url`` names."""
        connector = procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=10)
        async with procrastinate.App(connector=connector).open_async() as app:
            await app.schema_manager.apply_schema_async()
            yield cls(app)

    async def enqueue(self, records: Sequence[Record]) -> None:
        """A job for each, committed together."""
        jobs: list[JSONDict] = [{"record": _told(one).decode()} for one in records]
        await self._publish.batch_defer_async(*jobs)

    async def drain(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Return when every job is done."""
        self._target = producer, topic
        await self._app.run_worker_async(
            wait=False,
            concurrency=PROCRASTINATE_CONCURRENCY,
            delete_jobs="always",
            listen_notify=False,
            install_signal_handlers=False,
        )


def _told(record: Record) -> bytes:
    return orjson.dumps(
        {
            "key": record.key.decode(),
            "value": record.value.decode(),
            "headers": {name: value.decode() for name, value in record.headers},
        }
    )


async def _send(producer: AIOKafkaProducer, topic: str, told: bytes) -> None:
    record = orjson.loads(told)
    headers = [(name, text.encode()) for name, text in record["headers"].items()]
    await producer.send_and_wait(topic, record["value"].encode(), record["key"].encode(), headers=headers)
