"""The topics and their records as AsyncAPI 3.0, made from the contracts: ``python -m events.reference.asyncapi FILE``.

Schemas stand in it with their references resolved, in keywords that AsyncAPI's own schema dialect shares with
JSON Schema 2020-12, so that the document needs nothing but itself.
"""

import sys
from pathlib import Path
from typing import Any, Final

from common.contracts.publication import ENVELOPE, text
from common.contracts.schema import Schema
from common.settings import Settings
from events.reference.contracts import EventType, event_types, whole

Document = dict[str, Any]

VERSION: Final = "1"
"""Of the topics: every event type carries its own major version in its name."""
OWN_DIALECT: Final = frozenset({"$schema", "$id"})
ABOUT: Final = (
    "Facts about the reform, as CloudEvents 1.0 in Kafka's binary mode. A record's key is its aggregate's id; of one "
    "aggregate every version comes at least once and in order, so take `ce_sequence` = last + 1 and drop repeats. "
    "Read with isolation.level=read_committed. Unknown fields and unknown types are to be passed over."
)


def asyncapi(public_url: str) -> Document:
    """The document, with the pages of this installation linked."""
    topics = {one.topic: one.producer for one in event_types()}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:cqast:events",
        "info": {
            "title": "科改通 Kegai · events",
            "version": VERSION,
            "description": ABOUT,
            "externalDocs": {"description": "Event reference", "url": f"{public_url}/events/docs"},
        },
        "defaultContentType": "application/json",
        "servers": {"development": {"host": "localhost:9092", "protocol": "kafka", "description": "`make up`"}},
        "channels": {producer: _channel(name, producer) for name, producer in topics.items()},
        "operations": {f"tell-{producer}": _operation(producer) for producer in topics.values()},
        "components": {
            "messages": {one.wire_type: _message(one, public_url) for one in event_types()},
            "schemas": {ENVELOPE: _schema(ENVELOPE)} | {one.wire_type: _schema(one.wire_type) for one in event_types()},
        },
    }


def _channel(address: str, producer: str) -> Document:
    told = [one.wire_type for one in event_types() if one.producer == producer]
    return {
        "address": address,
        "summary": f"All that {producer} tells, kept without limit.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in told},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1}}},
    }


def _operation(producer: str) -> Document:
    return {
        "action": "send",
        "summary": f"{producer} tells what happened.",
        "channel": {"$ref": f"#/channels/{producer}"},
    }


def _message(one: EventType, public_url: str) -> Document:
    schema = whole(one.wire_type)
    return {
        "name": one.wire_type,
        "title": one.name,
        "summary": one.meaning,
        "contentType": "application/json",
        "headers": {"$ref": f"#/components/schemas/{ENVELOPE}"},
        "payload": {"$ref": f"#/components/schemas/{one.wire_type}"},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}}},
        "externalDocs": {
            "description": "JSON Schema 2020-12",
            "url": f"{public_url}/events/schemas/{one.wire_type}.json",
        },
        "examples": [{"name": "sample", "payload": schema["examples"][0]}],
    }


def _schema(name: str) -> Schema:
    return {keyword: part for keyword, part in whole(name).items() if keyword not in OWN_DIALECT}


if __name__ == "__main__":
    usual = Settings.model_fields["public_url"].default
    Path(sys.argv[1]).write_text(text(asyncapi(usual)), encoding="utf-8")
