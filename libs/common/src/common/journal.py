"""The three tables that every deciding service keeps beside its aggregates: event, outbox, idempotency.

``event`` is history, audit and the source of a republish in one; the runtime role may insert and read it, nothing
else. ``outbox`` names what the broker has not acknowledged yet. ``idempotency`` keeps the reply of each keyed command.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

KEY_KEPT_HOURS: Final = 24
"""How long the reply to an Idempotency-Key is kept."""


def journal(metadata: MetaData) -> None:
    """Declare the three tables among a service's own."""
    instant = DateTime(timezone=True)
    Table(
        "event",
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False, unique=True),
        Column("aggregate_type", Text, nullable=False),
        Column("aggregate_id", Uuid, nullable=False),
        Column("aggregate_version", BigInteger, nullable=False),
        Column("type", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False, comment="JSON bytes, exactly as published"),
        Column("headers", JSONB, nullable=False, comment="CloudEvents headers, exactly as published"),
        Column("effective_on", Date, nullable=False, comment="when it holds, a day in Shanghai"),
        Column("recorded_at", instant, nullable=False, comment="when it became known"),
        Column("actor", Text, nullable=False),
        Column("correlation", Text),
        Column("causation", Text),
        Column("prev_hash", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        CheckConstraint("aggregate_version > 0", name="version_from_one"),
        UniqueConstraint("aggregate_type", "aggregate_id", "aggregate_version"),
    )
    Table(
        "outbox",
        metadata,
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("slice", SmallInteger, nullable=False),
        Index(None, "slice", "position"),
    )
    Table(
        "idempotency",
        metadata,
        Column("key", Text, primary_key=True),
        Column("principal", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("expires_at", instant, nullable=False, index=True),
    )
