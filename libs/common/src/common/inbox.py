"""What a projection takes in: each aggregate's events in order of version, once; whatever cannot be taken is parked."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Protocol
from uuid import UUID

from aiokafka import ConsumerRecord

from common.cloudevents import Recorded
from common.database import AWAY, Connection
from common.parking import Parcel, Parked, park, unpark, waiting_for, waiting_in


class Projection(Protocol):
    """Something that is built from facts."""

    name: str
    """Names the consumer group and the rows that keep its progress."""
    topics: tuple[str, ...]
    concerns: frozenset[str] | None
    """Aggregate types that it takes in; None for all. Records of other types are passed over unread."""

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """Take in records, each the next of its aggregate, inside the batch's transaction.

        It reads no other aggregate's rows: those may arrive later.
        """


class Refuses(Exception):
    """The projection raised an error on a batch: roll it back, and give it the events one by one."""


def opened(records: Sequence[ConsumerRecord], concerns: frozenset[str] | None) -> list[Parcel]:
    """The records that concern a projection, read, in the order in which they stand."""
    return [Parcel.open(record) for record in records if concerns is None or _concerns(record, concerns)]


def _concerns(record: ConsumerRecord, wanted: frozenset[str]) -> bool:
    kind = dict(record.headers).get("ce_aggregatetype")
    return kind is None or kind.decode("latin-1") in wanted


class Inbox:
    """One batch on its way into a projection, within the transaction that also moves the offset."""

    def __init__(self, connection: Connection, projection: Projection, *, singly: bool = False) -> None:
        """With ``singly`` events are applied one by one, so that a bad one stops only its kin."""
        self._connection = connection
        self._projection = projection
        self._singly = singly
        self._versions: dict[UUID | None, int] = {}

    async def receive(self, parcels: Sequence[Parcel]) -> int:
        """Apply what is next, drop repeats, park what cannot be applied; the number of events applied.

        :raises Refuses: an event was refused, unless they are applied singly.
        """
        about = {parcel.aggregate_id for parcel in parcels if parcel.aggregate_id}
        some_wait = await self._load_versions(about)
        waited = await waiting_for(self._connection, self._projection.name, about) if some_wait else []
        return await self._take(parcels, waited)

    async def redrive(self, topic: str, partition: int) -> int:
        """Try again what is parked of a partition; the number of events applied."""
        waited = await waiting_in(self._connection, self._projection.name, topic, partition)
        await self._load_versions({parcel.aggregate_id for parcel in waited if parcel.aggregate_id})
        return await self._take([], waited)

    async def _load_versions(self, about: set[UUID]) -> bool:
        """How far each aggregate was applied, and whether anything of them is parked."""
        rows = await self._connection.fetch(
            "SELECT aggregate_id, version FROM projection_version WHERE projection = $1 AND aggregate_id = ANY($2) "
            "UNION ALL SELECT NULL, count(*) FROM parked WHERE projection = $1 AND aggregate_id = ANY($2)",
            self._projection.name,
            about,
        )
        self._versions = dict.fromkeys(about, 0) | {row["aggregate_id"]: row["version"] for row in rows}
        return self._versions.pop(None) > 0

    async def _take(self, parcels: Sequence[Parcel], waited: Sequence[Parcel]) -> int:
        together = [*waited, *parcels]
        if broken := [parcel for parcel in together if parcel.broken]:  # of one version the sound one comes first
            together = [parcel for parcel in together if not parcel.broken] + broken
        accepted, parked = self._sort(sorted(together, key=attrgetter("version")), waited)
        refused = await self._apply(accepted)
        await self._keep_versions(accepted)
        await park(self._connection, self._projection.name, [*parked, *refused])
        still = {one.parcel.place for one in (*parked, *refused)}
        await unpark(self._connection, self._projection.name, [p.place for p in waited if p.place not in still])
        return len(accepted) - len(refused)

    def _sort(self, parcels: Sequence[Parcel], waited: Sequence[Parcel]) -> tuple[list[Parcel], list[Parked]]:
        """Tell what is next of its aggregate from what must wait; repeats are in neither, nor what was overtaken."""
        overtaken = {parcel.place for parcel in waited}
        accepted: list[Parcel] = []
        parked: list[Parked] = []
        for parcel in parcels:
            applied = self._versions.get(parcel.aggregate_id, 0)
            if parcel.aggregate_id and parcel.version <= applied:
                if parcel.broken and parcel.place not in overtaken:
                    parked.append(Parked(parcel.alone(), parcel.broken.reason, str(parcel.broken)))
                continue
            if parcel.broken:
                parked.append(Parked(parcel, parcel.broken.reason, str(parcel.broken)))
            elif parcel.version > applied + 1:
                parked.append(Parked(parcel, "waits", f"version {parcel.version} came where {applied + 1} is next"))
            else:
                accepted.append(parcel)
                self._versions[parcel.aggregate_id] = parcel.version
        return accepted, parked

    async def _apply(self, parcels: list[Parcel]) -> list[Parked]:
        """Hand all to the projection at once; or singly, and then what it refuses comes back."""
        if self._singly:
            return await self._apply_singly(parcels)
        try:
            if parcels:
                await self._projection.apply(self._connection, [p.event for p in parcels if p.event])
        except AWAY:
            raise
        except Exception as error:
            raise Refuses(repr(error)) from error
        return []

    async def _apply_singly(self, parcels: list[Parcel]) -> list[Parked]:
        refused: list[Parked] = []
        for parcel in parcels:
            if parcel.version > self._versions[parcel.aggregate_id]:
                refused.append(Parked(parcel, "waits", "queues behind an event that is parked"))
                continue
            try:
                async with self._connection.transaction():
                    await self._projection.apply(self._connection, [parcel.event] if parcel.event else [])
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a projection raises about an event parks that event
                self._versions[parcel.aggregate_id] = parcel.version - 1
                refused.append(Parked(parcel, "refused-by-view", repr(error)))
        return refused

    async def _keep_versions(self, parcels: list[Parcel]) -> None:
        touched = {p.aggregate_id: self._versions[p.aggregate_id] for p in parcels}
        if not touched:
            return
        await self._connection.execute(
            "INSERT INTO projection_version (projection, aggregate_id, version) "
            "SELECT $1, t.* FROM unnest($2::uuid[], $3::bigint[]) AS t (aggregate_id, version) WHERE t.version > 0 "
            "ON CONFLICT (projection, aggregate_id) DO UPDATE SET version = excluded.version",
            self._projection.name,
            list(touched),
            list(touched.values()),
        )
