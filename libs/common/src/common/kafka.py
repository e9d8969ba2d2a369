"""How we talk to Kafka: topics, producers and consumers, every option that matters spelt out."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.contracts import topic

PRODUCERS: Final = ("measures", "societies", "talent")
BROKER_AWAY: Final = (KafkaError, AssertionError)
"""What the client raises where the broker cannot serve it: an assertion of one that wakes up and names no nodes yet."""
FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it must be; its partitions are fixed for good, because keys are spread over them."""

    name: str
    configs: dict[str, str] = field(default_factory=lambda: dict(FOR_EVER))


def quarantine_of(name: str) -> str:
    """The topic that receives copies of what a projection parked."""
    return f"{name}.quarantine"


QUARANTINED: Final = FOR_EVER | {"max.message.bytes": str(16 * 1024 * 1024)}
"""A copy is larger than what it is a copy of: it says why and where from."""

TOPICS: Final = (
    *(Topic(topic(producer)) for producer in PRODUCERS),
    *(Topic(quarantine_of(topic(producer)), QUARANTINED) for producer in PRODUCERS),
)


class TopicSettings(BaseSettings):
    """Where the topics are made and how broad: 6 partitions and one replica locally, 12 and 3 in production."""

    model_config = SettingsConfigDict(env_prefix="KEGAI_", frozen=True)

    kafka_bootstrap: str
    partitions: int = 6
    replication: int = 1


async def create_topics(settings: TopicSettings) -> list[str]:
    """Create the topics that are missing; the names of those that were created.

    :raises KafkaError: what the broker answers, but for "exists already".
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [wanted for wanted in TOPICS if wanted.name not in there]
        if not missing:
            return []
        safety = {"min.insync.replicas": str(min(2, settings.replication))}
        reply = await admin.create_topics(
            [
                NewTopic(t.name, settings.partitions, settings.replication, topic_configs=t.configs | safety)
                for t in missing
            ]
        )
        for name, code, *_ in reply.topic_errors:
            error = for_code(code)
            if code and error.__name__ != "TopicAlreadyExistsError":
                raise error(name)
        return [wanted.name for wanted in missing]
    finally:
        await admin.close()


def relay_producer(bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    """A transactional producer: whoever starts one with the same id fences the one before it."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=transactional_id,
        transactional_id=transactional_id,
        transaction_timeout_ms=30_000,
        acks="all",
        linger_ms=0,
        max_batch_size=960 * 1024,
        max_request_size=4 * 1024 * 1024,
        request_timeout_ms=10_000,
        retry_backoff_ms=50,
        metadata_max_age_ms=60_000,
    )


def plain_producer(bootstrap: str, client_id: str) -> AIOKafkaProducer:
    """A producer for copies whose order and number do not matter.

    It is not idempotent: one record that is refused would leave a gap in the sequence, and all after it be refused.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        max_request_size=16 * 1024 * 1024,
        request_timeout_ms=10_000,
    )


def group_consumer(bootstrap: str, group: str) -> AIOKafkaConsumer:
    """A member of a group that reads only what was committed and keeps its position in the database."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        client_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_min_bytes=1,
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=2 * 1024 * 1024,  # a batch that is larger comes alone
        session_timeout_ms=6_000,
        heartbeat_interval_ms=2_000,
        max_poll_interval_ms=300_000,
        retry_backoff_ms=50,
        metadata_max_age_ms=60_000,
    )


if __name__ == "__main__":
    if sys.argv[1:] != ["topics"]:
        sys.exit("usage: python -m common.kafka topics")
    for created in asyncio.run(create_topics(TopicSettings())):
        print(created)
