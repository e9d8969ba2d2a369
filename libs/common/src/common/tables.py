"""The tables that more than one service has, declared for migrations: whoever only reads rows needs none of this."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

NAMING: Final = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


def metadata() -> MetaData:
    """The tables of one service: apart from every other's, with constraints named by one convention."""
    return MetaData(naming_convention=NAMING)


def journal(metadata: MetaData) -> None:
    """Declare what every deciding service keeps beside its aggregates.

    ``event`` is history, audit and the source of a republish in one; the runtime role may insert and read it, nothing
    else. ``outbox`` names what the broker has not acknowledged yet. ``idempotency`` keeps the reply of a keyed command.
    """
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
        Column("headers", JSON, nullable=False, comment="CloudEvents headers, exactly as published"),
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


def projection_tables(metadata: MetaData) -> None:
    """Declare what every projection keeps: offsets with their witness, versions received, records parked."""
    instant = DateTime(timezone=True)
    Table(
        "projection_offset",
        metadata,
        Column("projection", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False, server_default="0"),
        Column("witness_offset", BigInteger, comment="offset of the last record taken in"),
        Column("witness_id", Text, comment="its ce_id: tells a refilled topic from the one that was read"),
        Column("caught_up_at", instant, comment="when the end of the partition was last reached"),
    )
    Table(
        "projection_version",
        metadata,
        Column("projection", Text, primary_key=True),
        Column("aggregate_id", Uuid, primary_key=True),
        Column("version", BigInteger, nullable=False),
    )
    Table(
        "parked",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("projection", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("record_offset", BigInteger, nullable=False),
        Column("record_key", LargeBinary),
        Column("value", LargeBinary),
        Column("headers", JSONB, nullable=False, comment="pairs of name and Latin-1 text, one character a byte"),
        Column("aggregate_id", Uuid, comment="the aggregate that the record claims, if it can be read"),
        Column("version", BigInteger, comment="the version that it claims"),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("parked_at", instant, nullable=False, server_default=func.now()),
        Column(
            "copied", Boolean, nullable=False, server_default="false", comment="whether the quarantine topic has it"
        ),
        UniqueConstraint("projection", "topic", "partition", "record_offset"),
        Index(None, "projection", "aggregate_id", "version"),
    )


def directory_table(metadata: MetaData) -> None:
    """Declare the copy: one row for each unit, by our own stable code."""
    Table(
        "directory_unit",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("code", Text, nullable=False, unique=True),
        Column("kind", Text, nullable=False),
        Column("parent", Uuid),
        Column("name_zh", Text, nullable=False),
        Column("name_en", Text, nullable=False),
        Column("named_from", Date, nullable=False),
        Column("established_on", Date, nullable=False),
    )
