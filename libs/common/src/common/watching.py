"""Once a second, beside a projector's loop: how far it came is told, and that its topics are the same is made sure.

A broker answers one question of a client after the other, and one for new records may take half a second where
there are none: the loop must not stand in that queue.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, NoReturn

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from common import offsets
from common.inbox import Projection
from common.kafka import BROKER_AWAY
from common.telemetry import CONSUMER_LAG, CONSUMER_LAG_SECONDS, PARKED, log

LOOK_SECONDS: Final = 1.0
LOOKS_AT_BEGINNINGS: Final = 5
"""Of so many looks one asks how the partitions begin: that a topic was replaced is seen within seconds, for little."""
BEGINNING_MS: Final = 0
"""No record is older: asked for the first one since then, a broker names the first of all."""


class TopicReplaced(Exception):
    """A topic is not the one that this projection has read: it was wiped, or filled anew."""

    def __init__(self, partition: TopicPartition) -> None:
        super().__init__(
            f"{partition.topic}[{partition.partition}] is not the log that was read so far. "
            "What it told stands in the service's event table: `kegai republish --dry-run` says what the topic lacks, "
            "`kegai republish` sends it again; then what was built from the old log is rebuilt from the new one."
        )


class Watch:
    """Watches one consumer of a projection for as long as it is ours."""

    def __init__(self, projection: Projection, pool: asyncpg.Pool, consumer: AIOKafkaConsumer) -> None:
        self._projection = projection
        self._pool = pool
        self._consumer = consumer
        self._mirrored: Mapping[TopicPartition, int] = {}
        self._first: dict[TopicPartition, OffsetAndTimestamp] = {}
        self.cursors: Mapping[TopicPartition, int] = {}
        """The next offset of each partition, as the database holds it."""
        self.standing: Mapping[TopicPartition, int] = {}
        """Up to where each partition was read and applied, the marks that Kafka itself writes included."""
        self.told_at: dict[TopicPartition, int] = {}
        """When the last record applied of each partition was told, in milliseconds."""

    async def keep(self) -> NoReturn:
        """Look once a second.

        :raises TopicReplaced: a partition begins with another record than it did.
        :raises KafkaError: the broker does not answer.
        """
        look = 0
        while True:
            if look % LOOKS_AT_BEGINNINGS == 0:
                await self._must_begin_alike()
            await self._mirror()
            await self._look_at_topics()
            parked = await self._pool.fetchval(
                "SELECT count(*) FROM parked WHERE projection = $1", self._projection.name
            )
            PARKED.labels(self._projection.name).set(parked)
            look += 1
            await asyncio.sleep(LOOK_SECONDS)

    async def _mirror(self) -> None:
        """Tell Kafka what the database holds, for tools that measure lag; nothing is read back from there."""
        if not self.cursors or self._mirrored == self.cursors:  # with no partition there is nothing to tell
            return
        self._mirrored = dict(self.cursors)
        try:
            await self._consumer.commit(self._mirrored)
        except BROKER_AWAY as error:
            log.info("projection.offsets-not-mirrored", projection=self._projection.name, error=repr(error))

    async def _look_at_topics(self) -> None:
        """Lag, and which partitions have reached their end."""
        ours = list(self.standing)
        ends = await self._consumer.end_offsets(ours) if ours else {}
        lags = {partition: end - self.standing.get(partition, 0) for partition, end in ends.items()}
        for topic in self._projection.topics:
            behind = {partition: lag for partition, lag in lags.items() if partition.topic == topic and lag > 0}
            CONSUMER_LAG.labels(self._projection.name, topic).set(sum(behind.values()))
            told = [self.told_at[partition] for partition in behind if partition in self.told_at]
            age = time.time() - min(told) / 1000 if told else 0.0
            CONSUMER_LAG_SECONDS.labels(self._projection.name, topic).set(max(0.0, age))
        reached = [partition for partition, lag in lags.items() if lag <= 0]
        await offsets.note_reached(self._pool, self._projection.name, reached)

    async def _must_begin_alike(self) -> None:
        """No record is ever deleted, so the first of a partition is the same for good, or the partition is another."""
        asked = dict.fromkeys(self.standing, BEGINNING_MS)
        begins = await self._consumer.offsets_for_times(asked) if asked else {}
        for partition, first in begins.items():
            if first is not None and self._first.setdefault(partition, first) != first:
                raise TopicReplaced(partition)
