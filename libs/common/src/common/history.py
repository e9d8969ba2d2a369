"""What happened to one aggregate, from its stored events, and whether the chain of their hashes holds."""

from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel

from common.cloudevents import first_break


class Happened(BaseModel):
    """One event of an aggregate's history."""

    version: int
    type: str
    effective_on: date
    recorded_at: datetime
    actor: str
    unit: UUID | None
    data: dict[str, Any] | None
    """What it told; null where the stored bytes are no JSON any more, which the chain then names."""
    hash: str

    @classmethod
    def of(cls, row: asyncpg.Record) -> "Happened":
        """From a row of ``event``."""
        return cls(
            version=row["aggregate_version"],
            type=row["type"],
            effective_on=row["effective_on"],
            recorded_at=row["recorded_at"],
            actor=row["actor"],
            unit=orjson.loads(row["headers"]).get("ce_unitid"),
            data=_told(row["payload"]),
            hash=row["hash"].hex(),
        )


def _told(payload: bytes) -> dict[str, Any] | None:
    with suppress(orjson.JSONDecodeError):
        told: dict[str, Any] = orjson.loads(payload)
        return told
    return None


class History(BaseModel):
    """What happened, oldest first; ``chain`` is ``ok``, or says where the hash chain breaks."""

    events: list[Happened]
    chain: str


async def history_of(pool: asyncpg.Pool, aggregate_type: str, aggregate_id: UUID) -> History:
    """All events of one aggregate in order."""
    rows = await pool.fetch(
        "SELECT * FROM event WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY aggregate_version",
        aggregate_type,
        aggregate_id,
    )
    broken = first_break((orjson.loads(row["headers"]), row["payload"]) for row in rows)
    return History(events=[Happened.of(row) for row in rows], chain=broken or "ok")
