"""What a topic has lost is sent again from the events that are stored: in order, and before anything new goes out.

Whoever sends again takes the reign from the relay: its lock, so that nothing new goes ahead of the old, and its
transactional id, so that nothing stale comes behind. An aggregate is sent from the first event that a reader would
miss to the last that the relay does not send anyway. What comes twice by this is dropped by its version.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from uuid import UUID

import asyncpg
from aiokafka.errors import ProducerFenced

from common.database import Connection
from common.outbox import WINDOW_MAX, Relay
from common.published import Published, Sent, find, sent
from common.reading import ends_of, partition_of, read
from common.saving import slice_of
from common.telemetry import log

ATTEMPTS_MAX: Final = 3

OUST: Final = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid = $1::int::oid
  AND classid = (hashtext('outbox')::bigint & 4294967295)::oid
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

AGAIN: Final = "SELECT position, aggregate_id, payload, headers FROM event WHERE position = ANY($1) ORDER BY position"


class Contradicted(Exception):
    """The topic holds another event in the place of one that is stored: sending again would not mend that."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which aggregates are meant: those named, or all, as far as they belong to one key slice out of several."""

    named: Collection[UUID] = ()
    slice_number: int = 0
    slices: int = 1

    def __contains__(self, aggregate_id: UUID) -> bool:
        named = not self.named or aggregate_id in self.named
        return named and slice_of(aggregate_id, self.slices) == self.slice_number


@dataclass
class Lack:
    """What one partition lacks: how many events, the first and the last of them."""

    first: Sent
    last: Sent
    count: int = 0


@dataclass
class Survey:
    """What a topic has of the events that have been sent, and what it lacks."""

    records: int = 0
    """All records of the topic, repeats and strangers included."""
    found: int = 0
    """Events that a reader finds in their turn."""
    waiting: int = 0
    """Events that the relay has still to send: they come after all others."""
    lacking: dict[int, Lack] = field(default_factory=dict)
    """By partition."""

    @property
    def lacks(self) -> int:
        """How many events must be sent again."""
        return sum(lack.count for lack in self.lacking.values())


Progress = Callable[[Survey, int], None]
"""Is told what was found and how much of what is lacking has been sent: 0 at first, then after every window."""


async def survey(database_url: str, bootstrap: str, topic: str, scope: Scope = Scope()) -> Survey:
    """What would be sent again, as of one instant, without standing in anybody's way.

    :raises NoSuchTopic: there is no topic to look at.
    :raises Contradicted: it holds something else than what is stored.
    """
    connection = await asyncpg.connect(database_url, timeout=5, server_settings={"application_name": "survey"})
    try:
        # The snapshot first, then the ends: what has left the outbox by then is on the topic.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return (await _survey(connection, bootstrap, topic, scope))[0]
    finally:
        connection.terminate()


class Republisher(Relay):
    """A relay that sends what its topic has lost; while it reigns, whoever reigned before stands aside."""

    async def republish(self, scope: Scope, progress: Progress = lambda _survey, _sent: None) -> Survey:
        """Send what is lacking, and return what was found last; a run that is cut short is repeated.

        :param scope: of this relay's own slice.
        :raises NoSuchTopic: the topic must be made first.
        :raises Contradicted: it holds something else than what is stored.
        :raises ProducerFenced: somebody else uses the relay's transactional id, time and again.
        """
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return await self._send_lacking(scope, progress)
            except ProducerFenced as error:
                # A relay that was about to start when it lost its reign fences us once before it finds that out.
                log.info("republish.fenced", relay=self.name, error=repr(error))
        return await self._send_lacking(scope, progress)

    async def _send_lacking(self, scope: Scope, progress: Progress) -> Survey:
        async with self.reigning() as (connection, publisher):
            seen, published = await _survey(connection, self._bootstrap, self._topic, scope)
            done = 0
            progress(seen, done)
            async for page in sent(connection):
                lacking = (one.position for one in page if one.position not in published and one.aggregate_id in scope)
                while positions := list(islice(lacking, WINDOW_MAX)):
                    window = await publisher.window(await connection.fetch(AGAIN, positions))
                    await self._publish_beating(connection, publisher, window)
                    done += len(positions)
                    progress(seen, done)
            return seen

    async def _be_elected(self, connection: asyncpg.Connection) -> None:
        """Take the lock from whoever holds it: that session is ended, and a relay then stands by until we are gone."""
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('outbox'), $1)", self._slice):
            await connection.execute(OUST, self._slice)
            await asyncio.sleep(0.02)


async def _survey(connection: Connection, bootstrap: str, topic: str, scope: Scope) -> tuple[Survey, Published]:
    """Read the whole topic. The connection is asked all the while: one that holds a lock must not fall silent."""
    seen, published = Survey(), Published()
    seen.waiting = await connection.fetchval("SELECT count(*) FROM outbox WHERE slice = $1", scope.slice_number)
    ends = await ends_of(bootstrap, topic)
    async with aclosing(read(bootstrap, ends)) as batches:
        async for records in batches:
            seen.records += len(records)
            for record, claim, stored in await find(connection, records):
                if stored is None:
                    continue
                if dict(record.headers).get("ce_hash") != stored.hash.hex().encode():
                    raise Contradicted(f"{claim} at {record.topic}[{record.partition}]@{record.offset}")
                published.take(stored)
    async for page in sent(connection):
        for event in page:
            if event.aggregate_id in scope:
                _tally(seen, event, event.position in published, len(ends))
    return seen, published


def _tally(seen: Survey, event: Sent, found: bool, partitions: int) -> None:
    if found:
        seen.found += 1
        return
    lack = seen.lacking.setdefault(
        partition_of(str(event.aggregate_id).encode(), partitions), Lack(first=event, last=event)
    )
    lack.last, lack.count = event, lack.count + 1
