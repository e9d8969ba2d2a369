"""getmany, orjson and COPY: every event becomes a row of one table, and nothing follows from it."""

from datetime import date, datetime
from typing import Any, Final, NoReturn
from uuid import UUID

import asyncpg
import orjson
import uvloop
from aiokafka import ConsumerRecord

from bench.baselines.consumer import from_the_beginning
from common.contracts import topic
from common.process import work
from common.settings import Settings

TABLES: Final = """
CREATE TABLE copied (aggregate_id uuid, version bigint, type text, effective_on date, recorded_at timestamptz,
                     measure text, number int, PRIMARY KEY (aggregate_id, version));
CREATE TABLE copied_offset (partition int PRIMARY KEY, next_offset bigint NOT NULL);
GRANT ALL ON copied, copied_offset TO events_app;
"""
COLUMNS: Final = ("aggregate_id", "version", "type", "effective_on", "recorded_at", "measure", "number")
BATCH_MAX: Final = 4_000
APPLIED: Final = "SELECT coalesce(sum(next_offset), 0)::int FROM copied_offset"


def row_of(record: ConsumerRecord) -> tuple[Any, ...]:
    """A record as a row."""
    told, data = dict(record.headers), orjson.loads(record.value)
    return (
        UUID(told["ce_subject"].decode()),
        int(told["ce_sequence"]),
        told["ce_type"].decode(),
        date.fromisoformat(told["ce_effectiveat"].decode()),
        datetime.fromisoformat(told["ce_time"].decode()),
        data.get("measure"),
        data.get("number"),
    )


async def copy(settings: Settings) -> NoReturn:
    """Copy batch after batch, each in one transaction with the offset that comes next."""
    connection = await asyncpg.connect(settings.database_url)
    consumer = await from_the_beginning(settings.kafka_bootstrap, topic("measures"))
    while True:
        for partition, records in (await consumer.getmany(timeout_ms=200, max_records=BATCH_MAX)).items():
            async with connection.transaction():
                await connection.copy_records_to_table(
                    "copied", columns=COLUMNS, records=[row_of(record) for record in records]
                )
                await connection.execute(
                    "INSERT INTO copied_offset VALUES ($1, $2) "
                    "ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
                    partition.partition,
                    records[-1].offset + 1,
                )


if __name__ == "__main__":
    uvloop.run(work(settings := Settings(), loops=[copy(settings)], beating=[], checks={}))
