"""What every record carries beside its event: CloudEvents 1.0 in Kafka's binary mode, our extensions among them."""

import re
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from common.contracts import PREFIX

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Envelope(BaseModel):
    """The headers of a record, each a text in UTF-8; its value is the event's data as JSON, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    ce_specversion: Literal["1.0"]
    """The version of CloudEvents."""
    ce_id: UUID
    """The event's own id, a UUIDv7: the same however often it is sent."""
    ce_source: str = Field(pattern=r"^urn:cqast:[a-z]+$")
    """Who tells it."""
    ce_type: str = Field(pattern=rf"^{re.escape(PREFIX)}\.[a-z]+\.[a-z-]+\.v[1-9][0-9]*$")
    """What happened, and the major version in which it is told."""
    ce_subject: UUID
    """The aggregate that it happened to: the record's key, too."""
    ce_time: datetime
    """When it was recorded, in UTC; within an aggregate it never runs backwards."""
    ce_dataschema: str = Field(pattern=r"^https?://.+/events/schemas/[^/]+\.json$")
    """Where the JSON Schema of the data is served."""
    ce_partitionkey: UUID
    """The record's key: the aggregate."""
    ce_effectiveat: date
    """The day in Shanghai on which it took effect, perhaps long before it was recorded."""
    ce_sequence: str = Field(pattern=r"^[0-9]{20}$")
    """The aggregate's version: 1 for its first event, then without gap; padded, so that it sorts as text."""
    ce_aggregatetype: str = Field(pattern=r"^[a-z][a-z-]*$")
    """What kind of thing it happened to."""
    ce_actor: str = Field(min_length=1)
    """Who caused it: an opaque id, never a name."""
    ce_dataclass: Literal["public", "internal"]
    """Who may see the data."""
    ce_hash: Hash
    """SHA-256 over the hash before it, these headers and the data."""
    ce_prevhash: Hash
    """The hash of the aggregate's event before this one; 64 zeros before the first."""
    content_type: Literal["application/json"] = Field(alias="content-type")
    """What the value is."""
    ce_unitid: UUID | SkipJsonSchema[None] = None
    """The unit in whose name it was done."""
    ce_correlationid: str | SkipJsonSchema[None] = None
    """Ties together all that one request caused."""
    ce_causationid: str | SkipJsonSchema[None] = None
    """The event that this one follows from."""
    ce_traceparent: str | SkipJsonSchema[None] = None
    """W3C Trace Context of the request, as a CloudEvents extension."""
    traceparent: str | SkipJsonSchema[None] = None
    """The same, where Kafka's own instruments look for it."""
