"""The whole way in one process: from commands by a relay and a topic to views, and where to rebuild them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from common.cloudevents import Recorded
from common.database import Connection
from common.projection import Projector
from events.projector import ReformProgress
from eventually import eventually
from faults.evidence import Evidence, Sources, collect_from
from faults.history import History
from lines import Line
from servers import Database


class Interrupted(ReformProgress):
    """The views of one topic, under a name of their own; ``faults`` are raised in the middle of a batch, one each."""

    def __init__(self, topic: str) -> None:
        self.name = f"test-{uuid4().hex}"
        self.topics = (topic,)
        self.faults: list[Exception] = []

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """As ever, and then the database is gone."""
        await super().apply(connection, records)
        if records and self.faults:
            raise self.faults.pop()


@dataclass
class Way:
    """The whole way, from commands to views, and an empty database to rebuild them in."""

    line: Line
    live: Database
    scratch: Database
    pool: asyncpg.Pool
    views: Interrupted

    @asynccontextmanager
    async def projecting(self, kind: type[Projector] = Projector) -> AsyncIterator[None]:
        """The projector runs while the test goes on."""
        task = asyncio.create_task(kind(self.views, pool=self.pool, bootstrap=self.line.bootstrap).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def caught_up(self) -> None:
        """All that was published until now was read."""
        await self.line.drained()
        since = await self.pool.fetchval("SELECT clock_timestamp()")

        async def read() -> bool:
            sql = "SELECT count(*) FROM projection_offset WHERE projection = $1 AND caught_up_at > $2"
            return bool(await self.pool.fetchval(sql, self.views.name, since) == self.line.partitions)

        await eventually(read, seconds=20)

    async def evidence(self) -> Evidence:
        """All that there is, but for figures: there are no items."""
        sources = Sources(
            commands=[self.line.database.owner_url],
            views=self.live.owner_url,
            scratch=self.scratch.owner_url,
            bootstrap=self.line.bootstrap,
            topics=[self.line.topic],
            projection=self.views.name,
        )
        return await collect_from(sources, History())
