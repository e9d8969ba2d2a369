"""A topic is read once, to where it ended when it was asked: every committed record up to there, and none after it."""

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.partitioner import murmur2

BATCH_MAX: Final = 2_000
SILENCE_MAX_SECONDS: Final = 60
"""A transaction whose producer died is ended by the broker after 30 s; until then nothing behind it can be read."""


class NoSuchTopic(Exception):
    """The broker has no topic of this name."""


def partition_of(key: bytes, count: int) -> int:
    """The partition among ``count`` to which our producers send a key: Java's murmur2, as everywhere."""
    return int((murmur2(key) & 0x7FFFFFFF) % count)


async def ends_of(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Where each partition ends, with what is written there and not yet marked as committed.

    :raises NoSuchTopic: there is none.
    :raises KafkaError: it cannot be asked just now.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    error = for_code(found["error_code"])
    if error is UnknownTopicOrPartitionError:
        raise NoSuchTopic(topic)
    if error is not NoError:
        raise error(topic)
    partitions = [TopicPartition(topic, one["partition"]) for one in found["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def read(
    bootstrap: str, ends: Mapping[TopicPartition, int], since_ms: int | None = None
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Batches of one partition each, up to ``ends``; at least once a second one, if only an empty one.

    Who may stop before the end closes it (``contextlib.aclosing``), for it holds a consumer.

    :param since_ms: begin with the first record that the broker took at this instant (Unix time) or later.
    :raises TimeoutError: for a minute nothing could be read although the end was not reached.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1024 * 1024,  # a batch that is larger comes alone
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        await _begin(consumer, ends, since_ms)
        left, heard = dict(ends), time.monotonic()
        while left := {one: end for one, end in left.items() if await consumer.position(one) < end}:
            consumer.pause(*(ends.keys() - left.keys()))
            before = [await consumer.position(one) for one in left]
            batches = await consumer.getmany(*left, timeout_ms=500, max_records=BATCH_MAX)
            for partition, records in batches.items():
                yield [record for record in records if record.offset < ends[partition]]
            if before != [await consumer.position(one) for one in left]:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_MAX_SECONDS:
                raise TimeoutError(f"nothing more could be read of {', '.join(map(str, left))}")
            if not batches:
                yield []
    finally:
        await consumer.stop()


async def _begin(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], since_ms: int | None) -> None:
    if since_ms is None:
        await consumer.seek_to_beginning(*ends)
        return
    found = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms))
    for partition, end in ends.items():
        consumer.seek(partition, found[partition].offset if found.get(partition) else end)
