"""A window of the outbox on its way to the broker: all of it or nothing, each aggregate's records in their order."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from common.reading import partition_of
from common.telemetry import RELAY_WINDOW_RECORDS, RELAY_WINDOW_SECONDS, RELAYED, log

TURN: Final = 200
"""Rows that are made into records before the rest of the process has its turn."""
MARKERS_SECONDS: Final = 0.003
"""From a commit to the next transaction: a broker that still writes the markers of one lets the next wait for 20 ms."""
LATE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of the outbox by their positions, and the batches that they make, at least one for each partition."""

    positions: Sequence[int]
    batches: Sequence[tuple[int, BatchBuilder]]
    first: Mapping[str, str]
    """The headers of its first event, by which it can be traced."""


class Publisher:
    """Publishes windows of one key slice on one topic, each in a transaction; its producer was started."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, slice_number: int) -> None:
        self._producer = producer
        self._topic = topic
        self._records = RELAY_WINDOW_RECORDS.labels(slice_number)
        self._seconds = RELAY_WINDOW_SECONDS.labels(slice_number)
        self._relayed = RELAYED.labels(slice_number)
        self._committed = 0.0

    async def window(self, rows: Sequence[asyncpg.Record]) -> Window:
        """The window of at least one row, given by position with the aggregate's id, the payload and the headers."""
        partitions = len(await self._producer.partitions_for(self._topic))
        batches: list[tuple[int, BatchBuilder]] = []
        filling: dict[int, BatchBuilder] = {}
        for number, row in enumerate(rows, start=1):
            key = str(row["aggregate_id"]).encode()
            headers = [(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()]
            partition = partition_of(key, partitions)
            batch = filling.get(partition)
            while batch is None or batch.append(timestamp=None, key=key, value=row["payload"], headers=headers) is None:
                batch = filling[partition] = self._producer.create_batch()  # the one before is full
                batches.append((partition, batch))
            if number % TURN == 0:
                await asyncio.sleep(0)
        return Window([row["position"] for row in rows], batches, orjson.loads(rows[0]["headers"]))

    async def rested(self) -> None:
        """Wait for the broker to have written the markers of the last transaction; what comes meanwhile goes along."""
        await asyncio.sleep(max(0.0, self._committed + MARKERS_SECONDS - time.monotonic()))

    async def publish(self, window: Window) -> None:
        """Return when the broker has all of it. A failed transaction is ended by the next producer's start.

        :raises KafkaError: the broker did not take it, or nobody knows whether it did.
        """
        await self.rested()
        with self._seconds.time():
            await self._producer.begin_transaction()
            acks = [
                await self._producer.send_batch(batch, self._topic, partition=partition)
                for partition, batch in window.batches
            ]
            await asyncio.gather(*acks)
            await self._producer.commit_transaction()
        self._committed = time.monotonic()
        self._records.observe(len(window.positions))
        self._relayed.inc(len(window.positions))


def note_if_late(window: Window, *, known: bool) -> bool:
    """Whether the window's first event has waited for long; the log is told unless that is known of those before."""
    waited = (datetime.now(UTC) - datetime.fromisoformat(window.first["ce_time"])).total_seconds()
    if waited > LATE_SECONDS and not known:
        log.info("relay.late", seconds=round(waited, 1), **traced(window))
    return waited > LATE_SECONDS


def traced(window: Window) -> dict[str, object]:
    """What a line of the log says of a window."""
    return {
        "records": len(window.positions),
        "event_id": window.first["ce_id"],
        "traceparent": window.first.get("traceparent"),
    }
