"""How far the measures are, reported and verified apart: one calculation from the facts, for any day and knowledge."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, PlainSerializer
from sqlalchemy import Column, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.cloudevents import Recorded
from common.database import Connection
from events.asked import Asked
from events.tables import Base

EVER: Final = (date.max, datetime.max.replace(tzinfo=UTC))
"""Both clocks at the end of time: all that is known, for nothing holds from a day in the future."""

Key: TypeAlias = tuple[str, str]
"""Plan and measure, by their codes."""


class MeasureProgress(Base, table=True):
    """The present progress of one measure, kept for speed; it equals what ``PROGRESS`` computes."""

    __tablename__ = "measure_progress"

    plan: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    items: int = 0
    by_state: str = Field(default="{}", sa_column=Column(JSONB, nullable=False, server_default="{}"))
    milestones: int = 0
    milestones_reported: int = 0
    milestones_verified: int = 0
    reported: Decimal | None = Field(default=None, sa_type=Numeric)
    verified: Decimal | None = Field(default=None, sa_type=Numeric)


PROGRESS: Final = """
WITH listed AS (
    SELECT i.id, i.plan, i.measure, step.state
    FROM item i
    CROSS JOIN LATERAL (
        SELECT s.state FROM item_step s
        WHERE s.item = i.id AND s.recorded_at <= $2 AND s.effective_on <= $1
        ORDER BY s.effective_on DESC, s.version DESC LIMIT 1
    ) step
    WHERE $3::text[] IS NULL OR (i.plan, i.measure) IN (SELECT * FROM unnest($3::text[], $4::text[]))
), counted AS (
    SELECT m.item, m.number, m.weight, word.status
    FROM listed JOIN milestone m ON m.item = listed.id
    LEFT JOIN LATERAL (
        SELECT w.status FROM milestone_word w
        WHERE w.item = m.item AND w.number = m.number AND w.recorded_at <= $2 AND w.effective_on <= $1
          AND NOT EXISTS (
              SELECT FROM milestone_word later
              WHERE later.item = w.item AND later.number = w.number
                AND later.replaces = w.version AND later.recorded_at <= $2
          )
        ORDER BY w.effective_on DESC, w.version DESC LIMIT 1
    ) word ON true
    WHERE m.recorded_at <= $2 AND m.effective_on <= $1
      AND NOT EXISTS (
          SELECT FROM milestone_end e
          WHERE e.item = m.item AND e.number = m.number AND e.recorded_at <= $2 AND e.effective_on <= $1
      )
), item_progress AS (
    SELECT item,
           count(*) AS milestones,
           count(*) FILTER (WHERE status IN ('reported', 'verified')) AS reported_count,
           count(*) FILTER (WHERE status = 'verified') AS verified_count,
           sum(CASE WHEN status IN ('reported', 'verified') THEN weight ELSE 0 END)
               / nullif(sum(weight), 0) AS reported,
           sum(CASE WHEN status = 'verified' THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS verified
    FROM counted GROUP BY item
)
SELECT plan, measure,
       count(*)::int AS items,
       jsonb_build_object(
           'draft', count(*) FILTER (WHERE state = 'draft'),
           'assigned', count(*) FILTER (WHERE state = 'assigned'),
           'acknowledged', count(*) FILTER (WHERE state = 'acknowledged'),
           'in-progress', count(*) FILTER (WHERE state = 'in-progress'),
           'reported-done', count(*) FILTER (WHERE state = 'reported-done'),
           'verified-closed', count(*) FILTER (WHERE state = 'verified-closed')
       ) AS by_state,
       coalesce(sum(milestones), 0)::int AS milestones,
       coalesce(sum(reported_count), 0)::int AS milestones_reported,
       coalesce(sum(verified_count), 0)::int AS milestones_verified,
       round(avg(reported), 15) AS reported,
       round(avg(verified), 15) AS verified
FROM listed LEFT JOIN item_progress ON item_progress.item = listed.id
GROUP BY plan, measure
"""
"""Progress by measure. $1 as_of, $2 known_at, $3 and $4 the plans and measures asked for, or null for all.

With w the weight of a milestone that counts, and c 1 if it is attained and else 0: item = Σw·c / Σw; measure = the
mean of its items. Where Σw is 0 or nothing is there, the value is null: no data, which is not the same as 0.
"""

KEEP: Final = f"""
UPDATE measure_progress kept
SET items = now.items, by_state = now.by_state, milestones = now.milestones,
    milestones_reported = now.milestones_reported, milestones_verified = now.milestones_verified,
    reported = now.reported, verified = now.verified
FROM ({PROGRESS}) now
WHERE kept.plan = now.plan AND kept.measure = now.measure
RETURNING kept.*
"""  # noqa: S608 - one constant within another

ENTER: Final = """
INSERT INTO measure_progress (plan, measure, items, by_state, milestones, milestones_reported, milestones_verified)
SELECT key.*, 0, '{}', 0, 0, 0 FROM unnest($1::text[], $2::text[]) AS key (plan, measure)
WHERE NOT EXISTS (SELECT FROM measure_progress m WHERE m.plan = key.plan AND m.measure = key.measure)
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""

LOCK: Final = """
SELECT FROM measure_progress
WHERE (plan, measure) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY plan, measure FOR UPDATE
"""
"""Two partitions may touch one measure at once: who computes first holds the row until its facts are committed, and
the other computes in its next statement, which sees them. In one statement with the lock it would not."""


CONCERNED: Final = """
SELECT id, plan, measure FROM item WHERE id = ANY($1)
UNION ALL
SELECT p.id, p.code, part.code FROM plan p JOIN plan_part part ON part.plan = p.code AND part.kind = 'measure'
WHERE p.id = ANY($1)
"""
"""An item concerns its measure, a plan all of its measures: an aggregate's own rows, and no other's."""


async def refresh(connection: Connection, records: Sequence[Recorded]) -> list[tuple["MeasureFigures", list[str]]]:
    """Compute anew the measures that these events touch; what each of them is now, with the positions that moved it."""
    moved = await _touched(connection, records)
    if not moved:
        return []
    plans, measures = zip(*sorted(moved), strict=True)
    await connection.execute(ENTER, plans, measures)
    await connection.execute(LOCK, plans, measures)
    rows = await connection.fetch(KEEP, EVER[0], EVER[1], plans, measures)
    return [(figures_of(row), moved[row["plan"], row["measure"]]) for row in rows]


async def _touched(connection: Connection, records: Sequence[Recorded]) -> dict[Key, list[str]]:
    """The measures that these events concern, each with the ``<id>@<version>`` of those events."""
    touched: dict[Key, list[str]] = {}
    about: dict[UUID, list[str]] = {}
    for record in records:
        about.setdefault(record.aggregate_id, []).append(position_of(record))
    for row in await connection.fetch(CONCERNED, list(about)):
        touched.setdefault((row["plan"], row["measure"]), []).extend(about[row["id"]])
    return touched


def position_of(record: Recorded) -> str:
    """``<id>@<version>``, as in the reply to the command."""
    return f"{record.aggregate_id}@{record.version}"


class Milestones(BaseModel):
    """How many milestones count, and of how many it was said, or judged, that they are attained."""

    counted: int
    reported: int
    verified: int


def to_six_places(share: Decimal) -> str:
    """A share as it is shown; it is computed with more, so that sums of shares do not gather errors."""
    return str(share.quantize(Decimal("0.000001"), ROUND_HALF_UP))


Share = Annotated[Decimal, PlainSerializer(to_six_places, when_used="json-unless-none")]


class Progress(BaseModel):
    """Shares between 0 and 1 as decimal strings to six places; null is no data, which is not the same as 0."""

    reported: Share | None
    verified: Share | None


class MeasureFigures(BaseModel):
    """One measure: its items by state, its milestones, its progress."""

    plan: str
    measure: str
    items: int
    by_state: dict[str, int]
    milestones: Milestones
    progress: Progress


def figures_of(row: asyncpg.Record) -> MeasureFigures:
    """The figures in a row of ``PROGRESS`` or ``measure_progress``."""
    return MeasureFigures(
        plan=row["plan"],
        measure=row["measure"],
        items=row["items"],
        by_state=orjson.loads(row["by_state"]),
        milestones=Milestones(
            counted=row["milestones"], reported=row["milestones_reported"], verified=row["milestones_verified"]
        ),
        progress=Progress(reported=row["reported"], verified=row["verified"]),
    )


async def figures(connection: Connection, plan: str, question: Asked) -> dict[str, MeasureFigures]:
    """The figures of a plan's measures by code, as asked; a measure without items is not among them."""
    if question.current:
        rows = await connection.fetch("SELECT * FROM measure_progress WHERE plan = $1 AND items > 0", plan)
    else:
        measures = await connection.fetch("SELECT code FROM plan_part WHERE plan = $1 AND kind = 'measure'", plan)
        codes = [row["code"] for row in measures]
        rows = await connection.fetch(PROGRESS, question.as_of, question.known_at, [plan] * len(codes), codes)
    return {row["measure"]: figures_of(row) for row in rows}


def mean(shares: Iterable[Decimal | None]) -> Decimal | None:
    """The mean of what is known; None where nothing is."""
    known = [share for share in shares if share is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def mean_progress(parts: Iterable[Progress]) -> Progress:
    """The progress of a whole: the mean of its parts' shares, reported and verified each for itself."""
    parts = list(parts)
    return Progress(reported=mean(p.reported for p in parts), verified=mean(p.verified for p in parts))
