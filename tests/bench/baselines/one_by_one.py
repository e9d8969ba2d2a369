"""One transaction an event, as most consumers are written: the same reading, the same views, the same offset row."""

from typing import Final, NoReturn

import asyncpg
import uvloop

from bench.baselines.consumer import from_the_beginning
from common.cloudevents import decode
from common.contracts import topic
from common.process import work
from common.settings import Settings
from events.projector import ReformProgress

GUARD: Final = """
INSERT INTO projection_version (projection, aggregate_id, version) VALUES ($1, $2, $3)
ON CONFLICT (projection, aggregate_id) DO UPDATE SET version = excluded.version
WHERE projection_version.version = excluded.version - 1 RETURNING version
"""
"""Answers nothing where the event was taken in before."""
MOVE: Final = """
INSERT INTO projection_offset (projection, topic, partition, next_offset) VALUES ($1, $2, $3, $4)
ON CONFLICT (projection, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""


async def consume(settings: Settings) -> NoReturn:
    """Take in one event after the other, each in a transaction with its offset."""
    view, connection = ReformProgress(), await asyncpg.connect(settings.database_url)
    consumer = await from_the_beginning(settings.kafka_bootstrap, topic("measures"))
    while True:
        async for record in consumer:
            event = decode(record.headers, record.value)
            async with connection.transaction():
                if await connection.fetchval(GUARD, view.name, event.aggregate_id, event.version):
                    await view.apply(connection, [event])
                await connection.execute(MOVE, view.name, record.topic, record.partition, record.offset + 1)


if __name__ == "__main__":
    uvloop.run(work(settings := Settings(), loops=[consume(settings)], beating=[], checks={}))
