"""CloudEvents 1.0 in Kafka's binary mode: an event and its circumstances to headers and bytes, and back.

The value of a record is the event's JSON exactly as it was stored; everything else travels in headers. Each event
carries the hash of the one before it in its aggregate, so that neither can be altered, dropped or swapped unseen.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto
from pydantic import ValidationError

from common.clock import timestamp
from common.contracts import CATALOGUE, Event, source

GENESIS: Final = b"\x00" * 32
"""What the first event of an aggregate names as the hash of its predecessor."""

VERSION_MAX: Final = 2**63 - 1
"""The last version that a database can count to."""

NOT_HASHED: Final = frozenset({"ce_hash", "ce_prevhash", "ce_traceparent", "traceparent"})
"""Headers outside the hash: the chain itself, and what merely tells how a request travelled."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds an event: where it belongs, when it was recorded, when it holds, who caused it and by what."""

    id: UUID
    aggregate_type: str
    aggregate_id: UUID
    version: int
    recorded_at: datetime
    effective_on: date
    actor: str
    unit: UUID | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None
    data_class: str = "internal"


class Recorded(NamedTuple):
    """An event as a reader finds it on a topic; made by the thousand, hence a tuple."""

    event: Event
    id: UUID
    aggregate_type: str
    aggregate_id: UUID
    version: int
    recorded_at: datetime
    effective_on: date
    traceparent: str | None


class Broken(ValueError):
    """A record that cannot be read as one of our events; ``reason`` is a stable word, the message says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def headers_of(event: Event, about: Circumstances, *, public_url: str) -> dict[str, str]:
    """The headers of an event's record, all but the chain's two."""
    subject = str(about.aggregate_id)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(about.id),
        "ce_source": source(event.producer),
        "ce_type": event.type,
        "ce_subject": subject,
        "ce_time": timestamp(about.recorded_at),
        "ce_dataschema": f"{public_url}/events/schemas/{event.type}.json",
        "ce_partitionkey": subject,
        "ce_effectiveat": about.effective_on.isoformat(),
        "ce_sequence": f"{about.version:020d}",
        "ce_aggregatetype": about.aggregate_type,
        "ce_actor": about.actor,
        "ce_dataclass": about.data_class,
        "content-type": "application/json",
    }
    optional = {
        "ce_unitid": about.unit and str(about.unit),
        "ce_correlationid": about.correlation,
        "ce_causationid": about.causation,
        "ce_traceparent": about.traceparent,
        "traceparent": about.traceparent,
    }
    return headers | {name: value for name, value in optional.items() if value}


def chain(previous: bytes, headers: Mapping[str, str], payload: bytes) -> bytes:
    """The hash of an event, 32 bytes: SHA-256(previous ‖ sorted headers, each part length-prefixed ‖ payload).

    Nothing that the database assigns goes into it, so that a reader of the topic alone can check it.
    """
    parts = [previous]
    for name, prefixed in _hashed(tuple(headers)):
        value = headers[name].encode()
        parts += (prefixed, len(value).to_bytes(4), value)
    parts.append(payload)
    return hashlib.sha256(b"".join(parts)).digest()


@lru_cache(maxsize=100)
def _hashed(names: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """Which headers of a record are hashed, in order, each with its name after its length.

    Our records have few sets of names; there may be as many as a stranger likes where a topic is checked.
    """
    return [(name, len(name.encode()).to_bytes(4) + name.encode()) for name in sorted(set(names) - NOT_HASHED)]


def linked(previous: bytes, headers: dict[str, str], payload: bytes) -> bytes:
    """Put the chain's two headers in and return the hash."""
    digest = chain(previous, headers, payload)
    headers["ce_prevhash"] = previous.hex()
    headers["ce_hash"] = digest.hex()
    return digest


def stored_headers(text: str) -> dict[str, str] | None:
    """The headers of an event as they are stored, each a text; None where that is not what stands there."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) and all(isinstance(one, str) for one in told.values()) else None


def first_break(events: Iterable[tuple[Mapping[str, str] | None, bytes]]) -> str | None:
    """Why the chain of one aggregate does not hold, at its first break; None if it does.

    :param events: headers and payload of every event of the aggregate, in order of version from 1; None for headers
        that are none.
    """
    previous = GENESIS
    for version, (headers, payload) in enumerate(events, start=1):
        if headers is None:
            return f"version {version} was altered"
        if headers.get("ce_sequence") != f"{version:020d}":
            return f"version {version} is missing or out of its place"
        if headers.get("ce_prevhash") != previous.hex():
            return f"version {version} does not follow the event before it"
        digest = chain(previous, headers, payload)
        if headers.get("ce_hash") != digest.hex():
            return f"version {version} was altered"
        previous = digest
    return None


def decode(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Recorded:
    """Read a record.

    :raises Broken: ``envelope`` if a header is missing or malformed, ``unknown-type`` if no contract is known for
        its type, ``data`` if the value does not fit the contract.
    """
    told: dict[str, Any] = dict(headers)
    try:
        # The database client's UUID is the standard one, read in C: a tenth of the time.
        event_id, aggregate_id = pgproto.UUID(told["ce_id"].decode()), pgproto.UUID(told["ce_subject"].decode())
        aggregate_type, version = told["ce_aggregatetype"].decode(), int(told["ce_sequence"])
        recorded_at = datetime.fromisoformat(told["ce_time"].decode())
        effective_on = date.fromisoformat(told["ce_effectiveat"].decode())
        told["ce_actor"].decode()
        traceparent = trace.decode() if (trace := told.get("traceparent")) else None
        wire_type = told["ce_type"].decode()
    except (KeyError, ValueError, AttributeError, TypeError) as error:  # the last two: a header without a value
        raise Broken("envelope", repr(error)) from error
    if recorded_at.tzinfo is None or not 1 <= version <= VERSION_MAX:
        raise Broken("envelope", "ce_time needs an offset and ce_sequence counts from 1")
    read, comes_from = _contract(wire_type)
    if told.get("ce_source") != comes_from:
        raise Broken("envelope", f"{wire_type} does not come from {told.get('ce_source')}")
    try:
        event = read(value or b"")
    except ValidationError as error:
        raise Broken("data", str(error)) from error
    return Recorded(event, event_id, aggregate_type, aggregate_id, version, recorded_at, effective_on, traceparent)


@cache
def _contract(wire_type: str) -> tuple[Callable[[bytes], Event], bytes]:
    """What reads events of a type, and the source that tells them; one that is unknown is not remembered."""
    contract = CATALOGUE.get(wire_type)
    if contract is None:
        raise Broken("unknown-type", wire_type)
    return contract.__pydantic_validator__.validate_json, source(contract.producer).encode()
