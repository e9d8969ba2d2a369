"""How far the measures are, reported and verified apart: one calculation from the facts, for any day and knowledge."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, PlainSerializer
from sqlalchemy import Column, Index, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.cloudevents import Recorded
from common.database import Connection
from events.tables import Base
from events.views.calculation import ITEMS, MEASURES

if TYPE_CHECKING:
    from events.asked import Asked  # the web framework comes with it, which the projector does without

EVER: Final = (date.max, datetime.max.replace(tzinfo=UTC))
"""Both clocks at the end of time: all that is known, for nothing holds from a day in the future."""

Key: TypeAlias = tuple[str, str]
"""Plan and measure, by their codes."""


class ItemProgress(Base, table=True):
    """The present progress of one item, kept so that a measure need not look at all its facts again."""

    __tablename__ = "item_progress"
    __table_args__ = (Index(None, "plan", "measure"),)

    item: UUID = Field(primary_key=True)
    plan: str
    measure: str
    code: str
    local_plan: str | None = None
    parent: UUID | None = Field(default=None, index=True)
    progress_basis: str
    state: str
    milestones: int
    milestones_reported: int
    milestones_verified: int
    reported: Decimal | None = Field(default=None, sa_type=Numeric)
    verified: Decimal | None = Field(default=None, sa_type=Numeric)
    reported_of_all: Decimal | None = Field(default=None, sa_type=Numeric)
    """Of all milestones that were ever planned, those that were cancelled among them."""
    verified_of_all: Decimal | None = Field(default=None, sa_type=Numeric)


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
    reported_of_all: Decimal | None = Field(default=None, sa_type=Numeric)
    """In its original scope: of all items that were ever listed, with all their milestones."""
    verified_of_all: Decimal | None = Field(default=None, sa_type=Numeric)


WEIGHED_BY_THEN: Final = "AND effective_on <= $1 AND recorded_at <= $2"
PROGRESS: Final = f"""
WITH now AS MATERIALIZED (
    {ITEMS} WHERE $3::text[] IS NULL OR (i.plan, i.measure) IN (SELECT * FROM unnest($3, $4::text[]))
)
{MEASURES.format(source="now", among="", weighed=WEIGHED_BY_THEN)}
"""  # noqa: S608 - one constant within another
"""Progress by measure, from the facts. $1 as_of, $2 known_at, $3 and $4 the plans and measures, or null for all."""

KEEP_ITEMS: Final = f"""
INSERT INTO item_progress AS kept
    (item, plan, measure, code, local_plan, parent, progress_basis, state, milestones, milestones_reported,
     milestones_verified, reported, verified, reported_of_all, verified_of_all)
{ITEMS} WHERE i.id = ANY($3)
ON CONFLICT (item) DO UPDATE
SET state = excluded.state, milestones = excluded.milestones, milestones_reported = excluded.milestones_reported,
    milestones_verified = excluded.milestones_verified, reported = excluded.reported, verified = excluded.verified,
    reported_of_all = excluded.reported_of_all, verified_of_all = excluded.verified_of_all
RETURNING kept.item AS aggregate, kept.plan, kept.measure
"""
"""The same for some items, kept. Nobody else writes their facts: an item is one aggregate, in one partition."""

WEIGHED_OF_THEM: Final = "AND (plan, parent) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
KEPT_OF_THEM: Final = "AND (plan, measure) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
KEEP: Final = f"""
UPDATE measure_progress kept
SET items = now.items, by_state = now.by_state, milestones = now.milestones,
    milestones_reported = now.milestones_reported, milestones_verified = now.milestones_verified,
    reported = now.reported, verified = now.verified,
    reported_of_all = now.reported_of_all, verified_of_all = now.verified_of_all
FROM ({MEASURES.format(source="item_progress", among=KEPT_OF_THEM, weighed=WEIGHED_OF_THEM)}) now
WHERE kept.plan = now.plan AND kept.measure = now.measure
RETURNING kept.*
"""  # noqa: S608 - one constant within another
"""The same for some measures, kept: computed from what is kept of their items."""

ENTER: Final = """
INSERT INTO measure_progress (plan, measure, items, by_state, milestones, milestones_reported, milestones_verified)
SELECT key.*, 0, '{}', 0, 0, 0 FROM unnest($1::text[], $2::text[]) AS key (plan, measure)
WHERE NOT EXISTS (SELECT FROM measure_progress m WHERE m.plan = key.plan AND m.measure = key.measure)
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""

PARTS_OF_PLANS: Final = """
SELECT p.id AS aggregate, p.code AS plan, part.code AS measure
FROM plan p JOIN plan_part part ON part.plan = p.code AND part.kind = 'measure'
WHERE p.id = ANY($1)
"""
"""A plan concerns all of its measures."""


def _subject_of(table: str) -> str:
    return f"""SELECT s.id AS aggregate, s.plan, coalesce(i.measure, s.subject) AS measure
FROM {table} s LEFT JOIN item i ON s.subject_kind = 'item' AND i.plan = s.plan AND i.code = s.subject
WHERE s.id = ANY($1) AND (s.subject_kind = 'measure' OR i.measure IS NOT NULL)"""  # noqa: S608 - our own words


MEASURES_OF: Final = {"plan": PARTS_OF_PLANS, "assurance": _subject_of("assurance"), "risk": _subject_of("risk")}
"""Which measures something concerns: a rating or a risk that of its subject, if that is known already."""

WITHOUT_ITEMS: Final = """
SELECT * FROM measure_progress
WHERE (plan, measure) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND by_state = '{}'
"""


async def refresh(connection: Connection, records: Sequence[Recorded]) -> list[tuple["MeasureFigures", list[str]]]:
    """Compute anew the measures that these events touch; what each of them is now, with the positions that moved it."""
    moved = await _touched(connection, records)
    if not moved:
        return []
    plans, measures = zip(*sorted(moved), strict=True)
    if await locked(connection, plans, measures) < len(plans):
        await connection.execute(ENTER, plans, measures)
        await locked(connection, plans, measures)
    rows = await connection.fetch(KEEP, plans, measures)
    if len(rows) < len(plans):
        rows += await connection.fetch(WITHOUT_ITEMS, plans, measures)
    return [(figures_of(row), moved[row["plan"], row["measure"]]) for row in rows]


async def locked(connection: Connection, plans: Sequence[str], measures: Sequence[str]) -> int:
    """Lock the rows of some measures until the transaction ends; how many of them there are.

    Two partitions may touch one measure at once: who computes first holds the row until its facts are committed, and
    the other computes in its next statement, which sees them. In one statement with the lock it would not.
    """
    rows = await connection.fetch(
        """
        SELECT FROM measure_progress
        WHERE (plan, measure) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        ORDER BY plan, measure FOR UPDATE
        """,
        plans,
        measures,
    )
    return len(rows)


async def _touched(connection: Connection, records: Sequence[Recorded]) -> dict[Key, list[str]]:
    """Keep the items anew; the measures concerned, each with the ``<id>@<version>`` of the events that concern it."""
    about: dict[str, dict[UUID, list[int]]] = {kind: {} for kind in ("item", *MEASURES_OF)}
    touched: dict[Key, list[str]] = {}
    for record in records:
        if (same := about.get(record.aggregate_type)) is not None:
            same.setdefault(record.aggregate_id, []).append(record.version)
        elif record.aggregate_type == "measure":
            event: Any = record.event  # every event of a measure names its plan and code
            touched.setdefault((event.plan, event.code), []).append(f"{record.aggregate_id}@{record.version}")
    for kind, versions in about.items():
        if not versions:
            continue
        asked = (KEEP_ITEMS, *EVER) if kind == "item" else (MEASURES_OF[kind],)
        for aggregate, plan, measure in await connection.fetch(*asked, list(versions)):
            positions = [f"{aggregate}@{version}" for version in versions[aggregate]]
            touched.setdefault((plan, measure), []).extend(positions)
    return touched


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
    """One measure: its municipal items by state, its milestones, its progress."""

    plan: str
    measure: str
    items: int
    """How many are in the denominators: those that were cancelled or merged are listed by state only."""
    by_state: dict[str, int]
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    """Of all items and milestones that were ever planned, with what was cancelled or merged since."""


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
        original_scope=Progress(reported=row["reported_of_all"], verified=row["verified_of_all"]),
    )


async def figures(connection: Connection, plan: str, question: "Asked") -> dict[str, MeasureFigures]:
    """The figures of a plan's measures by code, as asked; a measure without items is not among them."""
    if question.current:
        rows = await connection.fetch("SELECT * FROM measure_progress WHERE plan = $1 AND by_state <> '{}'", plan)
    else:
        measures = await connection.fetch("SELECT code FROM plan_part WHERE plan = $1 AND kind = 'measure'", plan)
        codes = [row["code"] for row in measures]
        rows = await connection.fetch(PROGRESS, question.as_of, question.known_at, [plan] * len(codes), codes)
    return {row["measure"]: figures_of(row) for row in rows}


async def weights(connection: Connection, plan: str, question: "Asked") -> dict[Key, Decimal]:
    """What a plan's aspects and measures weigh, as asked, by ``aspects`` or ``measures`` and code; all others, 1."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (siblings, code) siblings, code, weight FROM sibling_weight "
        "WHERE plan = $1 AND siblings <> 'items' AND effective_on <= $2 AND recorded_at <= $3 "
        "ORDER BY siblings, code, effective_on DESC, version DESC",
        plan,
        question.as_of,
        question.known_at,
    )
    return {(row["siblings"], row["code"]): row["weight"] for row in rows}


def mean(shares: Iterable[tuple[Decimal | None, Decimal]]) -> Decimal | None:
    """The mean of what is known, each with its weight: Σw·s / Σw; None where nothing is known or Σw is 0."""
    known = [(share, weight) for share, weight in shares if share is not None]
    total = sum((weight for _, weight in known), Decimal(0))
    return sum((share * weight for share, weight in known), Decimal(0)) / total if total else None


def mean_progress(parts: Iterable[tuple[Progress, Decimal]]) -> Progress:
    """The progress of a whole: the weighted mean of its parts' shares, reported and verified each for itself."""
    parts = list(parts)
    return Progress(reported=mean((p.reported, w) for p, w in parts), verified=mean((p.verified, w) for p, w in parts))
