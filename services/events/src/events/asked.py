"""What a reader may ask of every view: as of which day, by what was known when, and not before what was just done."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import asyncpg
from fastapi import Query
from pydantic import BaseModel

from common import clock
from common.database import Connection
from common.decision import Kind, Refusal
from common.http import Day
from common.telemetry import REFUSED_REQUESTS

WAIT_SECONDS_MAX: Final = 2.0
POLL_SECONDS: Final = 0.005
WAITING_MAX: Final = 64
"""Readers that wait at once: half of all that a process lets in, so that the others are answered meanwhile."""

NOT_THERE_YET = Refusal(
    "view.not-there-yet",
    zh="视图尚未包含 {position}，请稍后重试",
    en="The view does not contain {position} yet; try again",
    kind=Kind.UNAVAILABLE,
)
BAD_POSITION = Refusal(
    "view.bad-position",
    zh="min_position 应为命令答复中的 position，如 <id>@7",
    en="min_position takes the position of a command's reply, such as <id>@7",
    kind=Kind.INVALID,
)
BAD_INSTANT = Refusal(
    "view.bad-instant",
    zh="known_at 应为带时区的时刻或日期",
    en="known_at takes an instant with its offset, or a date",
    kind=Kind.INVALID,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's two clocks; ``current`` if neither was set, so that what is kept for now may answer."""

    as_of: date
    known_at: datetime
    current: bool
    present_policy: bool = False
    """Whether to rate by the policy of today, and not by the one that was in force on the day asked for."""


def asked(as_of: date | None, known_at: str | None, policy: str | None = None) -> Asked:
    """What was asked for: today in Shanghai and all that is known, where nothing else is said.

    :raises Refused: ``view.bad-instant``.
    """
    now = clock.now()
    return Asked(
        as_of=as_of or clock.business_date(now),
        known_at=instant_of(known_at) if known_at else now,
        current=as_of is None and known_at is None,
        present_policy=policy == "current",
    )


def instant_of(text: str) -> datetime:
    """An instant with its offset; a bare date means the last microsecond of that day in Shanghai.

    :raises Refused: ``view.bad-instant``.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            midnight = datetime.combine(date.fromisoformat(text), datetime.min.time(), clock.SHANGHAI)
            return (midnight + timedelta(days=1) - timedelta(microseconds=1)).astimezone(UTC)
        found = datetime.fromisoformat(text.replace(" ", "+"))
        if found.tzinfo is None:
            raise BAD_INSTANT(pointer="/query/known_at")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BAD_INSTANT(pointer="/query/known_at") from error


AsOf = Annotated[Day | None, Query(description="A day in Shanghai, inclusive: what was true then. Today by default.")]
KnownAt = Annotated[
    str | None,
    Query(max_length=40, description="An instant with its offset, or a date (its end): by what was known then."),
]
PolicyAsked = Annotated[
    Literal["current"] | None,
    Query(description="`current` rates by the policy of today; else by the one in force on the day asked for."),
]
MinPosition = Annotated[
    str | None, Query(max_length=80, description="`position` of a command's reply: wait until the view contains it.")
]


class Waiters:
    """The readers of one process that wait for a view; each asks the database 200 times a second."""

    def __init__(self) -> None:
        self._number = 0

    @contextmanager
    def one_more(self, position: str) -> Iterator[None]:
        """Count a reader in for as long as it waits.

        :raises Refused: ``view.not-there-yet``, if too many wait already.
        """
        if self._number >= WAITING_MAX:
            REFUSED_REQUESTS.labels("position").inc()
            raise NOT_THERE_YET(position=position)
        self._number += 1
        try:
            yield
        finally:
            self._number -= 1


async def wait_for(pool: asyncpg.Pool, projection: str, position: str | None, waiters: Waiters) -> None:
    """Return when the view contains ``<id>@<version>``; give up two seconds later, or at once if too many wait.

    :raises Refused: ``view.not-there-yet``, ``view.bad-position``.
    """
    if position is None:
        return
    aggregate, version = _position(position)
    if await _contains(pool, projection, aggregate, version):
        return
    with waiters.one_more(position):
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not await _contains(pool, projection, aggregate, version):
            if time.monotonic() > deadline:
                raise NOT_THERE_YET(position=position)
            await asyncio.sleep(POLL_SECONDS)


async def _contains(pool: asyncpg.Pool, projection: str, aggregate: UUID, version: int) -> bool:
    applied = await pool.fetchval(
        "SELECT version FROM projection_version WHERE projection = $1 AND aggregate_id = $2", projection, aggregate
    )
    return (applied or 0) >= version


def _position(text: str) -> tuple[UUID, int]:
    try:
        aggregate, version = text.split("@")
        return UUID(aggregate), int(version)
    except ValueError as error:
        raise BAD_POSITION(pointer="/query/min_position") from error


class Stamp(BaseModel):
    """What a figure rests on."""

    as_of: date
    known_at: datetime
    position: dict[str, int]
    """How far each partition was read: ``topic-partition`` to the offset that comes next."""
    lag_seconds: float | None
    """How long ago every partition was last seen read to its end; null if never."""
    projection_version: int
    policy_version: int
    """By which of the plan's scoring policies was rated; 0 until it adopts one."""


async def stamp(
    asking: asyncpg.Pool | Connection, projection: tuple[str, int], question: Asked, policy_version: int
) -> Stamp:
    """The stamp of an answer given now, by a projection (its name and version) and a policy."""
    name, projection_version = projection
    rows = await asking.fetch(
        "SELECT topic, partition, next_offset, extract(epoch FROM clock_timestamp() - caught_up_at)::float AS behind "
        "FROM projection_offset WHERE projection = $1 ORDER BY topic, partition",
        name,
    )
    behind = [row["behind"] for row in rows]
    return Stamp(
        as_of=question.as_of,
        known_at=question.known_at,
        position={f"{row['topic']}-{row['partition']}": row["next_offset"] for row in rows},
        lag_seconds=round(max(behind), 1) if behind and None not in behind else None,
        projection_version=projection_version,
        policy_version=policy_version,
    )
