"""What is left when all is quiet: the databases, every record of the topics, the views and the same views rebuilt."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord

from common.contracts import topic
from common.inbox import Inbox, Refuses, opened
from common.reading import ends_of, read
from events.projector import ReformProgress
from events.schema import metadata
from events.tables import PROJECTION
from faults.history import History
from faults.stack import FaultStack

INJECTED: Final = "kegai-injected"
"""The header by which a fault marks what it puts on a topic: ``poison`` must be parked, a ``repeat`` dropped."""

NOT_THE_SAME_TWICE: Final = {
    "parked": "what waits for a moment only while it is read in another order",
    "projection_offset": "a replay begins anew",
    "feed_change": "one row for each batch, however large that is",
    "feed_counter": "its number",
}
"""Tables of the views that a rebuild need not make equal, and why."""

Row = tuple[str, ...]
Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Committed:
    """An event as the service that decided it has stored it."""

    position: int
    id: UUID
    aggregate: UUID
    version: int
    headers: Mapping[str, str]
    payload: bytes
    key: str | None
    """The key of the command that brought it about, as the client sent it with the request."""


@dataclass(frozen=True, slots=True)
class Told:
    """A record of a topic as readers of committed records find it."""

    place: Place
    headers: Mapping[str, str]
    payload: bytes | None

    @property
    def injected(self) -> str | None:
        """How a fault has marked it, if one put it there."""
        return self.headers.get(INJECTED)

    @property
    def id(self) -> str | None:
        """The event's id, as far as the record names one."""
        return self.headers.get("ce_id")

    @property
    def about(self) -> tuple[UUID, int] | None:
        """The aggregate and its version, or None where the record does not say so readably."""
        try:
            return UUID(self.headers["ce_subject"]), int(self.headers["ce_sequence"])
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Figures:
    """How many items, and how many milestones count, were reported and were verified, of one measure."""

    items: int = 0
    counted: int = 0
    reported: int = 0
    verified: int = 0


@dataclass(frozen=True)
class Evidence:
    """All that the invariants are judged by."""

    history: History
    events: Sequence[Committed] = ()
    """By position."""
    versions: Mapping[UUID, int] = field(default_factory=dict)
    """The version in each aggregate's own row."""
    waiting: Sequence[int] = ()
    """Positions that are still in an outbox."""
    records: Sequence[Told] = ()
    """Each partition in its own order."""
    applied: Mapping[UUID, int] = field(default_factory=dict)
    """How far the views are, by aggregate."""
    parked: Sequence[Place] = ()
    decided: Mapping[tuple[str, str], Figures] = field(default_factory=dict)
    """By plan and measure, as the rows of the command side add up."""
    shown: Mapping[tuple[str, str], Figures] = field(default_factory=dict)
    """The same, as the views hold it."""
    live: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """The tables of the views, each row as text, sorted."""
    rebuilt: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    feed: Sequence[tuple[int, tuple[str, ...]]] = ()
    """The numbered changes that streams tell of, with the positions that moved each."""
    moved_back: bool = False
    """Whether a fault has set the projection's offsets back: what readers are told of offsets goes back, too."""
    refilled: bool = False
    """Whether a topic was wiped and what it had lost stands behind what came meanwhile: readers wait for their turn."""

    @cached_property
    def of_key(self) -> Mapping[str, list[Committed]]:
        """The events that each command has brought about, by its key."""
        found: dict[str, list[Committed]] = {}
        for event in self.events:
            if event.key is not None:
                found.setdefault(event.key, []).append(event)
        return found

    @cached_property
    def told_of(self) -> Mapping[UUID, list[tuple[int, Told]]]:
        """The records of each aggregate with their versions, in the order of its partition, but for injected poison."""
        found: dict[UUID, list[tuple[int, Told]]] = {}
        for record in self.records:
            if (about := record.about) and record.injected in (None, "repeat"):
                found.setdefault(about[0], []).append((about[1], record))
        return found


@dataclass(frozen=True, slots=True)
class Sources:
    """Where evidence is collected: addresses of whoever may read everything."""

    commands: Sequence[str]
    """The databases of the services that decide."""
    views: str
    scratch: str
    """An empty database of the events service, for the rebuild."""
    bootstrap: str
    topics: Sequence[str]
    projection: str = PROJECTION


async def collect(stack: FaultStack, history: History) -> Evidence:
    """All the evidence of one run of the harness; the scratch database goes with the run's own."""
    scratch = f"run_scratch_{stack.databases['events'].name}"
    admin = await asyncpg.connect(stack.servers.postgres.dsn())
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {scratch} TEMPLATE events OWNER events_owner")
    finally:
        await admin.close()
    sources = Sources(
        commands=[stack.databases["measures"].admin_url],
        views=stack.databases["events"].admin_url,
        scratch=stack.servers.postgres.dsn(scratch),
        bootstrap=stack.servers.kafka.bootstrap,
        topics=[topic("measures")],
    )
    return await collect_from(sources, history, moved_back=stack.moved_back, refilled=stack.refilled)


async def collect_from(
    sources: Sources, history: History, *, moved_back: bool = False, refilled: bool = False
) -> Evidence:
    """All the evidence of wherever it is."""
    records = [record for name in sources.topics for record in await records_of(sources.bootstrap, name)]
    await _rebuild(sources.scratch, sources.projection, records)
    return Evidence(
        history=history,
        records=told(records),
        rebuilt=await tables_of(sources.scratch),
        live=await tables_of(sources.views),
        moved_back=moved_back,
        refilled=refilled,
        **await command_side(*sources.commands),
        **await _view_side(sources.views, sources.projection),
    )


async def command_side(*urls: str) -> dict[str, Any]:
    """What the services that decide hold, as ``Evidence`` names it."""
    found: dict[str, Any] = {"events": [], "versions": {}, "waiting": [], "decided": {}}
    for url in urls:
        await _look_at_commands(url, found)
    return found


async def _look_at_commands(url: str, found: dict[str, Any]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch("SELECT * FROM event ORDER BY position"):
            about = (row["aggregate_id"], row["aggregate_version"], json.loads(row["headers"]))
            found["events"].append(
                Committed(row["position"], row["event_id"], *about, row["payload"], row["correlation"])
            )
        for table in {row["aggregate_type"] for row in await connection.fetch("SELECT aggregate_type FROM event")}:
            for row in await connection.fetch(f'SELECT id, version FROM "{table}"'):
                found["versions"][row["id"]] = row["version"]
        found["waiting"] += [row["position"] for row in await connection.fetch("SELECT position FROM outbox")]
        items = await connection.fetch("SELECT plan, measure, milestones FROM item")
    finally:
        await connection.close()
    for key in {(row["plan"], row["measure"]) for row in items}:
        listed = [json.loads(row["milestones"]) for row in items if (row["plan"], row["measure"]) == key]
        found["decided"][key] = _added_up(listed)


def _added_up(items: Sequence[Sequence[Mapping[str, Any]]]) -> Figures:
    states = [milestone["state"] for milestones in items for milestone in milestones]
    verified = states.count("verified")
    return Figures(len(items), len(states) - states.count("cancelled"), states.count("reported") + verified, verified)


async def _view_side(url: str, projection: str) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    try:
        versions = await connection.fetch(
            "SELECT aggregate_id, version FROM projection_version WHERE projection = $1", projection
        )
        parked = await connection.fetch(
            "SELECT topic, partition, record_offset FROM parked WHERE projection = $1", projection
        )
        figures = await connection.fetch(
            "SELECT plan, measure, items, milestones, milestones_reported, milestones_verified "
            "FROM measure_progress WHERE items > 0"
        )
        feed = await connection.fetch("SELECT n, positions FROM feed_change WHERE n IS NOT NULL ORDER BY n")
    finally:
        await connection.close()
    return {
        "applied": {row["aggregate_id"]: row["version"] for row in versions},
        "parked": [tuple(row) for row in parked],
        "shown": {(row["plan"], row["measure"]): Figures(*list(row)[2:]) for row in figures},
        "feed": [(row["n"], tuple(row["positions"])) for row in feed],
    }


async def records_of(bootstrap: str, name: str) -> list[ConsumerRecord]:
    """All records of a topic, partition by partition."""
    batches = [batch async for batch in read(bootstrap, await ends_of(bootstrap, name))]
    return sorted((record for batch in batches for record in batch), key=lambda one: (one.partition, one.offset))


def told(records: Sequence[ConsumerRecord]) -> list[Told]:
    """Records as ``Evidence`` has them."""
    return [
        Told(
            (record.topic, record.partition, record.offset),
            {name: raw.decode("latin-1") for name, raw in record.headers if raw is not None},
            record.value,
        )
        for record in records
    ]


async def _rebuild(url: str, projection: str, records: Sequence[ConsumerRecord]) -> None:
    """Replay into an empty database by the same code, from the first record on and in one piece for each partition.

    A partition with an event that the views refuse is taken in again event by event, as the projector does it.
    """
    views = ReformProgress()
    views.name = projection
    connection = await asyncpg.connect(url)
    try:
        for partition in sorted({(record.topic, record.partition) for record in records}):
            batch = [record for record in records if (record.topic, record.partition) == partition]
            parcels = opened(batch, views.concerns)
            try:
                async with connection.transaction():
                    await Inbox(connection, views).receive(parcels)
            except Refuses:
                async with connection.transaction():
                    await Inbox(connection, views, singly=True).receive(parcels)
    finally:
        await connection.close()


async def tables_of(url: str) -> dict[str, list[Row]]:
    """The tables of the views, but for those that are not the same twice: each row as text, sorted."""
    connection = await asyncpg.connect(url)
    try:
        return {
            name: sorted(_as_text(row.values()) for row in await connection.fetch(f'SELECT * FROM "{name}"'))
            for name in metadata.tables
            if name not in NOT_THE_SAME_TWICE
        }
    finally:
        await connection.close()


def _as_text(values: Iterable[object]) -> Row:
    return tuple(map(str, values))
