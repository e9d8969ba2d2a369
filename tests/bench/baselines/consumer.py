"""A consumer as most are set up: every partition of a topic from its beginning, and only what is committed."""

from aiokafka import AIOKafkaConsumer, TopicPartition

PARTITIONS = 6


async def from_the_beginning(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """The consumer, started; it belongs to no group and lasts as long as its process."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        max_partition_fetch_bytes=16 * 1024 * 1024,
    )
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    return consumer
