"""What a reader of a topic finds of a service's events, each in its turn, kept in one bit for each event."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord

from common.cloudevents import VERSION_MAX
from common.database import Connection

PAGE: Final = 10_000

FIND: Final = """
SELECT told.nth, event.position, event.event_id, event.hash, before.position AS before, before.hash AS hash_before
FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS told (aggregate_type, aggregate_id, version, nth)
JOIN event ON event.aggregate_type = told.aggregate_type AND event.aggregate_id = told.aggregate_id
    AND event.aggregate_version = told.version
LEFT JOIN event before ON before.aggregate_type = told.aggregate_type AND before.aggregate_id = told.aggregate_id
    AND before.aggregate_version = told.version - 1
"""

NOT_WAITING: Final = """
SELECT position, event_id, aggregate_type, aggregate_id, aggregate_version, recorded_at FROM event
WHERE position > $1 AND NOT EXISTS (SELECT FROM outbox WHERE outbox.position = event.position)
ORDER BY position LIMIT $2
"""


class Claim(NamedTuple):
    """Which event a record says it is."""

    aggregate_type: str
    aggregate_id: UUID
    version: int


class Stored(NamedTuple):
    """The row of that event; ``before`` is its predecessor, None for a first one."""

    position: int
    event_id: UUID
    hash: bytes
    before: int | None
    hash_before: bytes | None


class Sent(NamedTuple):
    """An event that the relay has sent, or so its outbox says: it does not wait there any more."""

    position: int
    event_id: UUID
    aggregate_type: str
    aggregate_id: UUID
    version: int
    recorded_at: datetime


def claim_of(record: ConsumerRecord) -> Claim | None:
    """What a record says that it is, None if it names nothing that could be one of ours."""
    told = {name: raw for name, raw in record.headers if raw is not None}
    try:
        kind, subject = told["ce_aggregatetype"].decode(), told["ce_subject"].decode()
        claim = Claim(kind, UUID(subject), int(told["ce_sequence"].decode()))
    except (KeyError, ValueError):
        return None
    return claim if 1 <= claim.version <= VERSION_MAX and "\0" not in kind else None


class Published:
    """The events that a reader of the topic takes in: the first of an aggregate, and any whose predecessor it has."""

    def __init__(self) -> None:
        self._taken = bytearray()

    def take(self, stored: Stored) -> None:
        """The topic has this event here; it counts if what comes before it was there before it."""
        if stored.before is None or stored.before in self:
            place, bit = divmod(stored.position, 8)
            if place >= len(self._taken):
                self._taken.extend(bytes(place + 1 - len(self._taken)))
            self._taken[place] |= 1 << bit

    def __contains__(self, position: int) -> bool:
        place, bit = divmod(position, 8)
        return place < len(self._taken) and bool(self._taken[place] >> bit & 1)


async def sent(connection: Connection) -> AsyncIterator[list[Sent]]:
    """Page by page, by position, the events that wait in no outbox."""
    last = 0
    while page := await connection.fetch(NOT_WAITING, last, PAGE):
        yield [Sent(*row) for row in page]
        last = page[-1]["position"]


async def find(
    connection: Connection, records: Sequence[ConsumerRecord]
) -> list[tuple[ConsumerRecord, Claim | None, Stored | None]]:
    """Each record with what it says that it is, and the event that is stored as that."""
    claims = [claim_of(record) for record in records]
    asked = [(nth, *claim) for nth, claim in enumerate(claims) if claim]
    kinds, ids, versions = ([one[n] for one in asked] for n in (1, 2, 3))
    rows = await connection.fetch(FIND, kinds, ids, versions)
    stored = {asked[row["nth"] - 1][0]: Stored(*list(row)[1:]) for row in rows}
    return [(record, claims[nth], stored.get(nth)) for nth, record in enumerate(records)]
