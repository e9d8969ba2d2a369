"""Whatever was altered, dropped, swapped or slipped in, in a service's events or on its topic, is found and named.

The database is followed link by link: each event's bytes and columns are what was hashed, each carries the hash of the
one before it, and the aggregate's own row still names the last. Who can write to the database could hash everything
anew: then the topic's copy, which is out of reach, decides. One pass over the events and one over the records, each in
order and in memory that does not grow with them but for one bit for each event; n events cost n index look-ups.
"""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition

from common.clock import timestamp
from common.cloudevents import GENESIS, chain, stored_headers
from common.database import Connection
from common.published import Claim, Published, Stored, find, sent
from common.reading import ends_of, read

EVENTS: Final = "SELECT * FROM event ORDER BY aggregate_type, aggregate_id, aggregate_version"

AGGREGATE_TABLES: Final = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND 4 = (
    SELECT count(*) FROM pg_attribute
    WHERE attrelid = pg_class.oid AND attname IN ('id', 'version', 'hash', 'recorded_at') AND NOT attisdropped
)
"""
"""The tables that begin with the columns of ``AggregateRow``."""

ENDS_OTHERWISE: Final = """
SELECT coalesce(last.aggregate_type, kept.kind) AS kind, coalesce(last.aggregate_id, kept.id) AS id,
       last.event_id, coalesce(last.aggregate_version, 0) AS told, kept.version AS kept
FROM (
    SELECT DISTINCT ON (aggregate_type, aggregate_id) aggregate_type, aggregate_id, aggregate_version, event_id, hash
    FROM event ORDER BY aggregate_type, aggregate_id, aggregate_version DESC
) last FULL JOIN ({kept}) kept ON kept.id = last.aggregate_id
WHERE kept.version IS DISTINCT FROM last.aggregate_version OR kept.hash IS DISTINCT FROM last.hash
"""


class Fault(StrEnum):
    """What can be wrong with an event."""

    ALTERED = "altered"
    """Its bytes or its columns are not what was hashed."""
    MISSING = "missing"
    """It is gone: a later one or the aggregate's own row tells of it."""
    MISPLACED = "misplaced"
    """Another version stands in its place, as when two are swapped."""
    UNLINKED = "unlinked"
    """It does not carry the hash of the event before it: one of the two was hashed anew."""
    NOT_KEPT = "not-kept"
    """The aggregate's row is gone, or names another hash or an earlier version than its last event."""
    REHASHED = "rehashed"
    """The topic has it otherwise, and what the topic has is sound: it was altered here and hashed anew."""
    FORGED = "forged"
    """A record on the topic says that it is this event, and is not."""
    UNKNOWN = "unknown"
    """The topic has it and the database has not: deleted with all traces there, or never decided."""
    STRANGE = "strange"
    """A record on the topic that is no event of ours."""
    UNPUBLISHED = "unpublished"
    """A reader of the topic does not find it in its turn, and the relay will not send it."""


@dataclass(slots=True)
class Break:
    """The first event of an aggregate that is not as it must be; ``detail`` says where, or which part of it."""

    fault: Fault
    aggregate_type: str
    aggregate_id: UUID | None
    version: int
    event_id: str | None
    detail: str = ""


@dataclass
class Audit:
    """What was looked at, and what was found."""

    events: int = 0
    aggregates: int = 0
    records: int = 0
    repeats: int = 0
    waiting: int = 0
    _found: dict[object, Break] = field(default_factory=dict)

    @property
    def breaks(self) -> list[Break]:
        """The first break of each aggregate, in the order in which the aggregates came to be; strange records last."""
        return sorted(self._found.values(), key=lambda one: (one.aggregate_id is None, str(one.aggregate_id)))

    def broken(self, aggregate_id: UUID) -> Break | None:
        """What was found about an aggregate so far."""
        return self._found.get(aggregate_id)

    def add(self, found: Break) -> None:
        """Keep the lowest version of an aggregate; what is known of one event from two sides is put together."""
        known = self._found.setdefault(found.aggregate_id or len(self._found), found)
        if found.version < known.version or (found.version == known.version and known.fault is Fault.NOT_KEPT):
            self._found[found.aggregate_id] = found
        elif found.version == known.version:
            known.event_id = known.event_id or found.event_id


async def verify(database_url: str, bootstrap: str, topic: str | None) -> Audit:
    """Look at every event as of one instant, and at every record of the topic; without a topic the chains alone.

    :raises NoSuchTopic: the topic is not there.
    """
    audit = Audit()
    # Ends, snapshot, ends: a record below the first must be in the snapshot; what has left the outbox in the snapshot
    # must be below the second.
    before = await ends_of(bootstrap, topic) if topic else {}
    connection = await asyncpg.connect(database_url, timeout=5, server_settings={"application_name": "audit"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await _follow_chains(connection, audit)
            await _look_at_ends(connection, audit)
            if topic:
                published = await _compare_records(connection, audit, bootstrap, topic, before)
                await _look_for_unpublished(connection, audit, published)
    finally:
        connection.terminate()
    return audit


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _follow_chains(connection: Connection, audit: Audit) -> None:
    aggregate, version, previous = None, 0, GENESIS
    async for row in connection.cursor(EVENTS, prefetch=1_000):
        audit.events += 1
        if row["aggregate_id"] != aggregate:
            audit.aggregates += 1
            aggregate, version, previous = row["aggregate_id"], 0, GENESIS
        version += 1
        if audit.broken(row["aggregate_id"]) is None and (wrong := _wrong(row, version, previous)):
            fault, detail = wrong
            event_id = None if fault is Fault.MISSING else str(row["event_id"])
            audit.add(Break(fault, row["aggregate_type"], row["aggregate_id"], version, event_id, detail))
        previous = row["hash"]


def _wrong(row: asyncpg.Record, version: int, previous: bytes) -> tuple[Fault, str] | None:
    """What is wrong with the event that stands where ``version`` is expected, after the one with that hash."""
    if row["aggregate_version"] != version:
        return Fault.MISSING, f"{version} … {row['aggregate_version'] - 1}"
    if (headers := stored_headers(row["headers"])) is None:
        return Fault.ALTERED, "headers"
    if headers.get("ce_sequence") != f"{version:020d}":
        return Fault.MISPLACED, f"ce_sequence {headers.get('ce_sequence', '')}"
    if chain(previous, headers, row["payload"]) != row["hash"]:
        linked = row["prev_hash"] == previous and headers.get("ce_prevhash") == previous.hex()
        return (Fault.ALTERED, "payload, headers") if linked else (Fault.UNLINKED, "prev_hash")
    differ = [column for column, (name, text) in _columns(row).items() if (headers.get(name) or None) != (text or None)]
    return (Fault.ALTERED, ", ".join(differ)) if differ else None


def _columns(row: asyncpg.Record) -> dict[str, tuple[str, str | None]]:
    """Each column that repeats what was hashed, with the header that it repeats and its text there."""
    return {
        "event_id": ("ce_id", str(row["event_id"])),
        "aggregate_type": ("ce_aggregatetype", row["aggregate_type"]),
        "aggregate_id": ("ce_subject", str(row["aggregate_id"])),
        "type": ("ce_type", row["type"]),
        "effective_on": ("ce_effectiveat", row["effective_on"].isoformat()),
        "recorded_at": ("ce_time", timestamp(row["recorded_at"])),
        "actor": ("ce_actor", row["actor"]),
        "correlation": ("ce_correlationid", row["correlation"]),
        "causation": ("ce_causationid", row["causation"]),
        "prev_hash": ("ce_prevhash", row["prev_hash"].hex()),
        "hash": ("ce_hash", row["hash"].hex()),
    }


async def _look_at_ends(connection: Connection, audit: Audit) -> None:
    tables = [row[0] for row in await connection.fetch(AGGREGATE_TABLES)]
    kept = " UNION ALL ".join(f"SELECT id, version, hash, '{one}' AS kind FROM {one}" for one in tables)  # noqa: S608
    for row in await connection.fetch(ENDS_OTHERWISE.format(kept=kept)):
        if row["kept"] is not None and row["kept"] > row["told"]:
            audit.add(Break(Fault.MISSING, row["kind"], row["id"], row["told"] + 1, None, f"version {row['kept']}"))
        else:
            event_id = str(row["event_id"])
            audit.add(Break(Fault.NOT_KEPT, row["kind"], row["id"], row["told"], event_id, f"version {row['kept']}"))


# ── the topic ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _compare_records(
    connection: Connection, audit: Audit, bootstrap: str, topic: str, before: Mapping[TopicPartition, int]
) -> Published:
    published = Published()
    audit.waiting = await connection.fetchval("SELECT count(*) FROM outbox")
    async with aclosing(read(bootstrap, await ends_of(bootstrap, topic))) as batches:
        async for records in batches:
            audit.records += len(records)
            for record, claim, stored in await find(connection, records):
                _compare(audit, published, record, claim, stored, before)
    return published


def _compare(
    audit: Audit,
    published: Published,
    record: ConsumerRecord,
    claim: Claim | None,
    stored: Stored | None,
    before: Mapping[TopicPartition, int],
) -> None:
    partition = TopicPartition(record.topic, record.partition)
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    if claim is None:
        audit.add(Break(Fault.STRANGE, "", None, 0, None, place))
    elif fault := _says_otherwise(record, stored, published, after_snapshot=record.offset >= before.get(partition, 0)):
        audit.add(Break(fault, *claim, _header(record, "ce_id"), place))
    elif stored:
        audit.repeats += stored.position in published
        published.take(stored)
        _clear(audit, claim)


def _says_otherwise(
    record: ConsumerRecord, stored: Stored | None, published: Published, *, after_snapshot: bool
) -> Fault | None:
    """Why a record is not the event that is stored as what it says it is; None if it is, or is too new to tell."""
    told = {name: raw.decode(errors="replace") for name, raw in record.headers if raw is not None}
    previous = told.get("ce_prevhash", "")
    try:
        sound = chain(bytes.fromhex(previous), told, record.value or b"").hex() == told.get("ce_hash")
    except ValueError:
        sound = False
    if not sound or record.key != told["ce_subject"].encode():
        return Fault.FORGED
    if stored is None:
        return None if after_snapshot else Fault.UNKNOWN
    if stored.hash.hex() == told["ce_hash"]:
        return None
    follows = bytes.fromhex(previous) == (stored.hash_before or GENESIS)
    return Fault.REHASHED if follows and stored.position not in published else Fault.FORGED


def _clear(audit: Audit, claim: Claim) -> None:
    """The topic has this event as it is stored, too: then an earlier record that said otherwise was the forged one."""
    known = audit.broken(claim.aggregate_id)
    if known and known.fault is Fault.REHASHED and known.version == claim.version:
        known.fault = Fault.FORGED


async def _look_for_unpublished(connection: Connection, audit: Audit, published: Published) -> None:
    async for page in sent(connection):
        for one in page:
            if one.position not in published:
                about: tuple[Any, ...] = (one.aggregate_type, one.aggregate_id, one.version, str(one.event_id))
                audit.add(Break(Fault.UNPUBLISHED, *about))


def _header(record: ConsumerRecord, name: str) -> str:
    raw: bytes = dict(record.headers).get(name) or b""
    return raw.decode(errors="replace")
