"""The way from a database to a topic: plans that are committed, relays that run, and what readers find."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import ConsumerRecord

from builders import call_of, plan_words
from common.call import Call, Service
from common.cloudevents import decode
from common.outbox import Relay
from common.reading import ends_of, read
from common.store import Decided
from eventually import eventually
from measures.plan.domain import define_plan
from measures.plan.store import plans
from servers import Database


@dataclass
class Line:
    """The way from a database to a topic of this test's alone."""

    database: Database
    pool: asyncpg.Pool
    bootstrap: str
    topic: str
    partitions: int
    name: str

    def relay(self, kind: type[Relay] = Relay, slice_number: int = 0) -> Relay:
        """A relay under this test's own name, so that it fences nobody else's."""
        return kind(
            service=self.name,
            slice_number=slice_number,
            database_url=self.database.app_url,
            bootstrap=self.bootstrap,
            topic=self.topic,
        )

    async def waiting(self) -> int:
        found: int = await self.pool.fetchval("SELECT count(*) FROM outbox")
        return found

    async def drained(self) -> None:
        async def empty() -> bool:
            return await self.waiting() == 0

        await eventually(empty, seconds=30)

    async def published(self) -> list[ConsumerRecord]:
        """All that readers of committed records find, partition by partition."""
        batches = [batch async for batch in read(self.bootstrap, await ends_of(self.bootstrap, self.topic))]
        return sorted((record for batch in batches for record in batch), key=lambda one: (one.partition, one.offset))


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """The relays run while the test goes on."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _call(pool: asyncpg.Pool, slices: int) -> Call:
    return call_of(pool, service=Service("measures", pool, "http://kegai.test", slices))


async def commit_plan(pool: asyncpg.Pool, slices: int = 1) -> UUID:
    """Commit a plan that is put down and nothing more: one event."""
    code = f"PLAN-{uuid4().hex[:12].upper()}"
    reply = await plans.create(_call(pool, slices), lambda new_id: define_plan(**plan_words(id=new_id, code=code)))
    return Decided.model_validate_json(bytes(reply.body)).id


async def adopt_plan(pool: asyncpg.Pool, plan: UUID, slices: int = 1) -> None:
    """Commit its second event."""
    on = date(2021, 2, 1)
    await plans.change(_call(pool, slices), plan, lambda p: p.adopt(issuer="x", document_number="1", on=on))


async def commit_plans(pool: asyncpg.Pool, count: int, slices: int = 1) -> list[UUID]:
    """Commit plans with three events each, all put down, adopted and entered at once."""

    async def one() -> UUID:
        plan = await commit_plan(pool, slices)
        await adopt_plan(pool, plan, slices)
        await plans.change(_call(pool, slices), plan, lambda p: p.enter_phase("P0", on=date(2021, 3, 1)))
        return plan

    return list(await asyncio.gather(*(one() for _ in range(count))))


def versions_of(records: list[Any]) -> dict[UUID, list[int]]:
    """The versions of each aggregate in the order in which they stand on its partition."""
    found: dict[UUID, list[int]] = {}
    for record in records:
        event = decode(record.headers, record.value)
        found.setdefault(event.aggregate_id, []).append(event.version)
    return found
