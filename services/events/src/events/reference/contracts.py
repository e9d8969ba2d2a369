"""The published event types as a reader looks them up: meaning, topic, fields and a sample, all from the contracts."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from common.cloudevents import Circumstances, headers_of, linked
from common.contracts import topic
from common.contracts.publication import ENVELOPE, catalogue, committed, published, sample, text
from common.contracts.schema import Schema, resolved

SCHEMAS: Final = {name: committed(name) for name, _ in published()}
"""Every published schema by its name, as it is served."""
SHOWN: Final = "cn.cqast.measures.milestone-verified.v1"
"""The type of which a whole record is shown."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event or a header of a record; one within a list is named ``phases[].mode``."""

    name: str
    kind: str
    """What its value is: ``string (date)``, ``integer, 1–99``, ``string: pilot | full``."""
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class EventType:
    """What may be told, by whom and where."""

    name: str
    wire_type: str
    producer: str
    topic: str
    meaning: str
    fields: tuple[Field, ...]
    sample: str


@cache
def event_types() -> tuple[EventType, ...]:
    """All event types, by producer, in the order in which their contracts tell them."""
    return tuple(
        EventType(
            name=event.__name__,
            wire_type=wire_type,
            producer=event.producer,
            topic=topic(event.producer),
            meaning=schema["description"],
            fields=tuple(fields_of(schema)),
            sample=text(sample(wire_type)),
        )
        for wire_type, event in catalogue().items()
        for schema in [whole(wire_type)]
    )


@cache
def headers() -> tuple[Field, ...]:
    """The headers that every record may carry."""
    return tuple(fields_of(whole(ENVELOPE)))


def whole(name: str) -> Schema:
    """A published schema with its references resolved."""
    return resolved(json.loads(SCHEMAS[name]))


def fields_of(schema: Schema, within: str = "") -> Iterator[Field]:
    """The fields that a resolved schema describes, each before those within it."""
    required = schema.get("required", [])
    for name, part in schema["properties"].items():
        yield Field(f"{within}{name}", kind_of(part), name in required, part.get("description", ""))
        if "properties" in (inner := part.get("items", {})):
            yield from fields_of(inner, f"{within}{name}[].")


def kind_of(part: Schema) -> str:
    """What a value is, in one line."""
    if "anyOf" in part:
        return " or ".join(kind_of(way) for way in part["anyOf"])
    kind = str(part["type"])
    if kind == "array":
        return f"array of {kind_of(part['items'])}"
    if "enum" in part or "const" in part:
        known = part.get("enum", [part.get("const")])
        return f"{kind}: {' | '.join(one if isinstance(one, str) else json.dumps(one) for one in known)}"
    kind += f" ({part['format']})" if "format" in part else ""
    kind += f" like {part['pattern']}" if "pattern" in part else ""
    low, high = part.get("minimum", part.get("minLength")), part.get("maximum", part.get("maxLength"))
    span = f"{low}–{high}" if high is not None else f"at least {low}" if low is not None else ""
    return f"{kind}, {span}{' characters' if 'Length' in ' '.join(part) else ''}" if span else kind


def shown_record(public_url: str) -> dict[str, str]:
    """The headers of one record as the relay would send it, the hash chain's among them."""
    data: dict[str, Any] = sample(SHOWN)
    event = catalogue()[SHOWN].model_validate(data)
    about = Circumstances(
        id=UUID("0198a3f0-9e40-7daa-851a-a2b3c4d5e6f7"),
        aggregate_type="item",
        aggregate_id=UUID(data["item"]),
        version=data["replaces"] + 1,
        recorded_at=datetime(2023, 6, 16, 2, 30, tzinfo=UTC),
        effective_on=date.fromisoformat(data["verified_on"]),
        actor="p-7f3a",
        unit=UUID(data["verifier"]),
        correlation="5f0c2b1e-1b7e-4c55-9d0f-3a2b1c0d9e8f",
    )
    told = headers_of(event, about, public_url=public_url)
    linked(hashlib.sha256(b"the event before").digest(), told, event.model_dump_json().encode())
    return told
