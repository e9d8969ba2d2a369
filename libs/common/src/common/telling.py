"""How a change is told: its events in order, each linked to the one before, ready for the journal."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from uuid_utils.compat import uuid7

from common.call import Call
from common.cloudevents import Circumstances, headers_of, linked
from common.decision import Change
from common.saving import Told
from common.showing import Aggregate


def told_of(call: Call, of: str, change: Change[Any], previous: bytes, recorded_at: datetime) -> list[Told]:
    """The events of a change; recorded time never runs backwards within an aggregate.

    :param previous: the hash of the event before them.
    :param recorded_at: when that one was recorded.
    """
    after: Aggregate = change.state
    told = list[Told]()
    for version, event in enumerate(change.events, after.version - len(change.events) + 1):
        recorded_at = max(call.now, recorded_at + timedelta(microseconds=1))
        about = Circumstances(
            id=uuid7(),
            aggregate_type=of,
            aggregate_id=after.id,
            version=version,
            recorded_at=recorded_at,
            effective_on=change.effective_on,
            actor=call.principal,
            unit=call.caller_unit.id if call.caller_unit else None,
            correlation=call.correlation,
            causation=call.causation,
            traceparent=call.traceparent,
        )
        headers = headers_of(event, about, public_url=call.service.public_url)
        payload = event.model_dump_json().encode()
        digest = linked(previous, headers, payload)
        text = orjson.dumps(headers).decode()
        told.append(Told(about.id, version, event.type, payload, text, recorded_at, previous, digest))
        previous = digest
    return told
