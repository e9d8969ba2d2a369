"""The bare client at its best: idempotent, windows of 1,000 records that are ready in memory, all acknowledgements."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from bench.backlog import Record

WINDOW = 1_000


def bare_producer(bootstrap: str) -> AIOKafkaProducer:
    """A producer that repeats nothing, with batches that hold a partition's share of a window whole."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=256 * 1024
    )  # fmt: skip


async def produce(producer: AIOKafkaProducer, topic: str, records: Sequence[Record]) -> None:
    """Send the records window by window; the next begins when the last is acknowledged."""
    for start in range(0, len(records), WINDOW):
        window = records[start : start + WINDOW]
        await asyncio.gather(
            *[await producer.send(topic, one.value, one.key, headers=one.headers) for one in window]
        )  # fmt: skip
