"""What a projection could not take in: kept whole with the reason, copied to quarantine, tried again in turn."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, NoReturn
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from common.cloudevents import VERSION_MAX, Broken, Recorded, decode
from common.database import Connection
from common.kafka import plain_producer, quarantine_of
from common.telemetry import log
from common.tracing import Trace

NUL_AS: Final = "\u0100"
"""Stands for the byte 0, which PostgreSQL's text and JSON cannot hold: the first character that no byte is read as."""

COPY_SECONDS_MAX: Final = 5.0
STOP_SECONDS_MAX: Final = 2.0


def text_of(raw: bytes) -> str:
    """Any bytes as text that PostgreSQL can hold, one character a byte."""
    return raw.decode("latin-1").replace("\0", NUL_AS)


class Parcel(NamedTuple):
    """A record with what could be read of it: the event, or the reason why there is none, and what it claims to be."""

    record: ConsumerRecord
    event: Recorded | None
    broken: Broken | None
    aggregate_id: UUID | None
    version: int

    @classmethod
    def open(cls, record: ConsumerRecord) -> "Parcel":
        """Read a record without failing."""
        try:
            event = decode(record.headers, record.value)
        except Broken as broken:
            return cls(record, None, broken, *_claim(record))
        return cls(record, event, None, event.aggregate_id, event.version)

    def alone(self) -> "Parcel":
        """The same, but nobody waits behind it."""
        return self._replace(aggregate_id=None, version=0)

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.record.topic, self.record.partition, self.record.offset


def trace_of(record: ConsumerRecord) -> str | None:
    """The id of the trace in which a record was told, where it names one."""
    told: dict[str, bytes | None] = dict(record.headers)
    trace = Trace.read((told.get("traceparent") or b"").decode("latin-1"))
    return trace.trace_id if trace else None


def _claim(record: ConsumerRecord) -> tuple[UUID | None, int]:
    told = {name: text for name, text in record.headers if text is not None}
    try:
        aggregate_id, version = UUID(told["ce_subject"].decode()), int(told["ce_sequence"])
    except (KeyError, ValueError):
        return None, 0
    return (aggregate_id, version) if 1 <= version <= VERSION_MAX else (None, 0)


@dataclass(frozen=True, slots=True)
class Parked:
    """A parcel with a stable word for why it waits, and the detail for whoever mends it."""

    parcel: Parcel
    reason: str
    detail: str


async def waiting_for(connection: Connection, projection: str, aggregates: set[UUID]) -> list[Parcel]:
    """What is parked of the given aggregates."""
    rows = await connection.fetch(
        "SELECT * FROM parked WHERE projection = $1 AND aggregate_id = ANY($2) ORDER BY id", projection, aggregates
    )
    return [_parcel_of(row) for row in rows]


async def waiting_in(connection: Connection, projection: str, topic: str, partition: int) -> list[Parcel]:
    """What is parked of a partition."""
    rows = await connection.fetch(
        "SELECT * FROM parked WHERE projection = $1 AND topic = $2 AND partition = $3 ORDER BY id",
        projection,
        topic,
        partition,
    )
    return [_parcel_of(row) for row in rows]


async def park(connection: Connection, projection: str, parked: Sequence[Parked]) -> None:
    """Keep records whole; one that is parked already gets its new reason."""
    if not parked:
        return
    for one in parked:
        place, trace = "{}[{}]@{}".format(*one.parcel.place), trace_of(one.parcel.record)
        log.warning("projection.parked", projection=projection, reason=one.reason, place=place, trace=trace)
    await connection.executemany(
        "INSERT INTO parked (projection, topic, partition, record_offset, record_key, value, headers, "
        "aggregate_id, version, reason, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT (projection, topic, partition, record_offset) "
        "DO UPDATE SET reason = excluded.reason, detail = excluded.detail",
        [
            (
                projection,
                *one.parcel.place,
                one.parcel.record.key,
                one.parcel.record.value,
                _headers_to_json(one.parcel.record.headers),
                one.parcel.aggregate_id,
                one.parcel.version or None,
                one.reason,
                one.detail[:2000].replace("\0", NUL_AS),
            )
            for one in parked
        ],
    )


async def unpark(connection: Connection, projection: str, places: Sequence[tuple[str, int, int]]) -> None:
    """Forget records whose turn has come or has passed."""
    if not places:
        return
    await connection.executemany(
        "DELETE FROM parked WHERE projection = $1 AND topic = $2 AND partition = $3 AND record_offset = $4",
        [(projection, *place) for place in places],
    )


async def keep_copying(pool: asyncpg.Pool, bootstrap: str, projection: str) -> NoReturn:
    """Copy to quarantine what is parked, once a second; no fault of a copy ever touches what is applied."""
    refused: set[int] = set()
    while True:
        producer = plain_producer(bootstrap, f"{projection}-quarantine")
        try:
            await producer.start()
            while True:
                async with asyncio.timeout(COPY_SECONDS_MAX):
                    await copy_parked(pool, producer, projection, refused)
                await asyncio.sleep(1)
        except Exception as error:  # noqa: BLE001 - whatever befalls a copy, the next second tries again
            log.warning("parked.not-copied", projection=projection, error=repr(error))
        finally:
            await _let_go(producer)
        await asyncio.sleep(1)


async def copy_parked(pool: asyncpg.Pool, producer: AIOKafkaProducer, projection: str, refused: set[int]) -> None:
    """Send what is parked and not copied yet to its quarantine topic, with the reason and where it came from.

    One that the topic does not take is added to ``refused`` and left out from then on, until the process starts anew.

    :raises KafkaError: the broker cannot be reached, or there is no such topic.
    """
    rows = await pool.fetch(
        "SELECT * FROM parked WHERE projection = $1 AND NOT copied AND id <> ALL($2) ORDER BY id LIMIT 100",
        projection,
        refused,
    )
    for row in rows:
        origin = {"projection": projection, "reason": row["reason"], "detail": row["detail"], "topic": row["topic"],
                  "partition": str(row["partition"]), "offset": str(row["record_offset"])}  # fmt: skip
        headers = [*_record_of(row).headers, *((f"kegai-{name}", text.encode()) for name, text in origin.items())]
        key = row["record_key"] if row["value"] is not None else row["record_key"] or b""
        try:
            await producer.send_and_wait(quarantine_of(row["topic"]), key=key, value=row["value"], headers=headers)
        except MessageSizeTooLargeError as error:
            refused.add(row["id"])
            log.warning("parked.too-large-to-copy", projection=projection, parked=row["id"], error=repr(error))
            continue
        await pool.execute("UPDATE parked SET copied = true WHERE id = $1", row["id"])


async def _let_go(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.stop()
    except (KafkaError, TimeoutError) as error:
        log.warning("parked.producer-left-behind", error=repr(error))


def _headers_to_json(headers: Sequence[tuple[str, bytes | None]]) -> str:
    pairs = [(name.replace("\0", NUL_AS), None if raw is None else text_of(raw)) for name, raw in headers]
    return orjson.dumps(pairs).decode()


def _headers_of(text: str) -> tuple[tuple[str, bytes | None], ...]:
    def back(told: str) -> str:
        return told.replace(NUL_AS, "\0")

    return tuple(
        (back(name), None if told is None else back(told).encode("latin-1")) for name, told in orjson.loads(text)
    )


def _parcel_of(row: asyncpg.Record) -> Parcel:
    """A parked record opened anew; one that was parked alone claims nothing."""
    parcel = Parcel.open(_record_of(row))
    return parcel if row["aggregate_id"] else parcel.alone()


def _record_of(row: asyncpg.Record) -> Any:
    """A parked record in the shape in which it came."""
    return SimpleNamespace(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["record_offset"],
        key=row["record_key"],
        value=row["value"],
        headers=_headers_of(row["headers"]),
    )
