"""What a projection takes in: each aggregate's events in order of version, once; whatever cannot be taken is parked."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from aiokafka import ConsumerRecord

from common.cloudevents import Recorded
from common.database import AWAY, Connection
from common.parking import Parcel, Parked, park, unpark, waiting_for, waiting_in
from common.telemetry import log


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


class Inbox:
    """One batch on its way into a projection, within the transaction that also moves the offset."""

    def __init__(self, connection: Connection, projection: Projection) -> None:
        self._connection = connection
        self._projection = projection
        self._versions: dict[UUID | None, int] = {}

    async def receive(self, records: Sequence[ConsumerRecord]) -> int:
        """Apply what is next, drop repeats, park what cannot be applied; the number of events applied."""
        parcels = [Parcel.open(record) for record in records if self._concerns(record)]
        about = {parcel.aggregate_id for parcel in parcels if parcel.aggregate_id}
        return await self._take(parcels, await waiting_for(self._connection, self._projection.name, about))

    def _concerns(self, record: ConsumerRecord) -> bool:
        wanted, kind = self._projection.concerns, dict(record.headers).get("ce_aggregatetype")
        return wanted is None or kind is None or kind.decode("latin-1") in wanted

    async def redrive(self, topic: str, partition: int) -> int:
        """Try again what is parked of a partition; the number of events applied."""
        return await self._take([], await waiting_in(self._connection, self._projection.name, topic, partition))

    async def _take(self, parcels: list[Parcel], waited: list[Parcel]) -> int:
        parcels = sorted([*waited, *parcels], key=lambda parcel: (parcel.version, parcel.broken is not None))
        await self._load_versions(parcels)
        accepted, parked = self._sort(parcels, waited)
        refused = await self._apply(accepted)
        await self._keep_versions(accepted)
        await park(self._connection, self._projection.name, [*parked, *refused])
        still = {one.parcel.place for one in (*parked, *refused)}
        await unpark(self._connection, self._projection.name, [p.place for p in waited if p.place not in still])
        return len(accepted) - len(refused)

    async def _load_versions(self, parcels: Sequence[Parcel]) -> None:
        about = {parcel.aggregate_id for parcel in parcels if parcel.aggregate_id}
        rows = await self._connection.fetch(
            "SELECT aggregate_id, version FROM projection_version WHERE projection = $1 AND aggregate_id = ANY($2)",
            self._projection.name,
            about,
        )
        self._versions = dict.fromkeys(about, 0) | {row["aggregate_id"]: row["version"] for row in rows}

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
        """Hand a batch to the projection; where that fails, event by event, so that a bad one stops only its kin."""
        try:
            async with self._connection.transaction():
                await self._projection.apply(self._connection, [p.event for p in parcels if p.event])
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a projection raises about an event parks that event
            log.warning("projection.one-by-one", projection=self._projection.name, error=repr(error))
            return await self._apply_singly(parcels)
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
            except Exception as error:  # noqa: BLE001 - as above
                self._versions[parcel.aggregate_id] = parcel.version - 1
                refused.append(Parked(parcel, "refused-by-view", repr(error)))
        return refused

    async def _keep_versions(self, parcels: list[Parcel]) -> None:
        touched = {p.aggregate_id: self._versions[p.aggregate_id] for p in parcels}
        await self._connection.execute(
            "INSERT INTO projection_version (projection, aggregate_id, version) "
            "SELECT $1, t.* FROM unnest($2::uuid[], $3::bigint[]) AS t (aggregate_id, version) WHERE t.version > 0 "
            "ON CONFLICT (projection, aggregate_id) DO UPDATE SET version = excluded.version",
            self._projection.name,
            list(touched),
            list(touched.values()),
        )
