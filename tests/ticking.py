"""A worker's clock on any day, what comes due for it, and what it has done."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from builders import JUDGE, PUBLIC_URL, call_of
from common.call import Service
from common.clock import SHANGHAI
from common.contracts.measures import Rating, SubjectKind
from common.due import Clock, WhatIsDue
from common.store import Decided
from keeping import keep_an_item
from measures.assurance.domain import give_assurance
from measures.assurance.store import assurances
from measures.item.store import items
from measures.subject.partakers import Partakers
from measures.worker import DUE


def noon(day: date) -> datetime:
    """Noon of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI).astimezone(UTC)


def clock_on(pool: asyncpg.Pool, day: date, kinds: Mapping[str, WhatIsDue] = DUE) -> Clock:
    """The clock of a worker that takes this day for today."""
    return Clock(Service("measures", pool, PUBLIC_URL), kinds, now=lambda: noon(day))


async def rate(pool: asyncpg.Pool, subject: str, *, expires_on: date, on: date = date(2026, 9, 1)) -> UUID:
    """An assurance that was given on that day."""
    told: dict[str, Any] = {"plan": "PLAN-1", "subject_kind": SubjectKind.ITEM, "subject": subject}
    told |= {"partakers": Partakers(), "rating": Rating.GREEN, "reason": "理由", "by": JUDGE, "on": on}
    reply = await assurances.create(
        call_of(pool), lambda new_id: give_assurance(id=new_id, expires_on=expires_on, **told)
    )
    return Decided.model_validate_json(bytes(reply.body)).id


async def hand_out(pool: asyncpg.Pool, code: str, *, due_on: date) -> UUID:
    """An item that waits for its owner since 2022-01-10."""
    item = await keep_an_item(pool, code=code, due_on=due_on)
    await items.change(call_of(pool), item, lambda item: item.assign(by=None, on=date(2022, 1, 10)))
    return item


async def happened(pool: asyncpg.Pool) -> list[tuple[date, str, UUID]]:
    """What the clock has done, in the order in which it was recorded: the day, what, to which aggregate."""
    rows = await pool.fetch("SELECT * FROM event WHERE actor = 'clock' ORDER BY position")
    return [(row["effective_on"], row["type"].split(".")[-2], row["aggregate_id"]) for row in rows]
