"""A view that is fed from a topic of its own: what a projection is given, takes in, parks and copies."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from builders import circumstances, wire
from common.cloudevents import Recorded
from common.contracts.measures import PlanAdopted
from common.database import Connection
from common.kafka import quarantine_of
from common.projection import Projector
from eventually import eventually

PLAN, OTHER = uuid4(), uuid4()
"""Two aggregates."""


@dataclass
class Seen:
    """A projection that notes what it was given; it refuses plans that were issued by the name in ``refuses``."""

    topics: tuple[str, ...]
    name: str = field(default_factory=lambda: f"seen-{uuid4().hex}")
    concerns: frozenset[str] | None = frozenset({"plan"})
    refuses: str = ""
    faults: list[Exception] = field(default_factory=list)
    given: list[list[int]] = field(default_factory=list)
    """The versions that came together, batch by batch."""

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        if records:
            self.given.append([record.version for record in records])
        for record in records:
            assert isinstance(record.event, PlanAdopted)
            if record.event.issuer == self.refuses:
                raise ValueError(f"{self.refuses} is refused")
            sql = "INSERT INTO seen (aggregate_id, version) VALUES ($1, $2)"
            await connection.execute(sql, record.aggregate_id, record.version)
        if records and self.faults:
            raise self.faults.pop()


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

    async def put_nothing(self) -> None:
        """Put a record on the topic that has neither key, value nor headers."""
        batch = self.producer.create_batch()
        batch.append(key=None, value=None, timestamp=None)
        await (await self.producer.send_batch(batch, self.topic, partition=0))

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

    async def quarantined(self, expected: int) -> list[Any]:
        """All that is on the quarantine topic, once as much is there as expected."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        await consumer.start()
        partition = TopicPartition(quarantine_of(self.topic), 0)
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
