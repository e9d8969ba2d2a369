"""What happened to one aggregate, from its stored events, and whether the chain of their hashes holds."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel

from common.cloudevents import first_break, stored_headers


class Happened(BaseModel):
    """One event of an aggregate's history."""

    version: int
    type: str
    effective_on: date
    recorded_at: datetime
    actor: str
    unit: UUID | None
    data: dict[str, Any] | None
    """What it told; null, as the unit is, where what is stored cannot be read any more: the chain then says so."""
    hash: str

    @classmethod
    def of(cls, row: asyncpg.Record, headers: Mapping[str, str]) -> "Happened":
        """From a row of ``event`` and what its headers are read as."""
        return cls(
            version=row["aggregate_version"],
            type=row["type"],
            effective_on=row["effective_on"],
            recorded_at=row["recorded_at"],
            actor=row["actor"],
            unit=_unit(headers.get("ce_unitid", "")),
            data=_told(row["payload"]),
            hash=row["hash"].hex(),
        )


def _told(payload: bytes) -> dict[str, Any] | None:
    with suppress(orjson.JSONDecodeError):
        told = orjson.loads(payload)
        return told if isinstance(told, dict) else None
    return None


def _unit(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
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
    headers = [stored_headers(row["headers"]) for row in rows]
    broken = first_break((told, row["payload"]) for told, row in zip(headers, rows, strict=True))
    events = [Happened.of(row, told or {}) for told, row in zip(headers, rows, strict=True)]
    return History(events=events, chain=broken or "ok")
