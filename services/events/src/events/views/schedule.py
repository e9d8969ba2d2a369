"""What should be attained by a day and what is overdue on it: from the facts, for any day and knowledge, not stored."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from common.database import Connection
from events.asked import Asked
from events.views.calculation import LEFT, LISTED, OUT, STATE, WORD, means, municipal

ENDED: Final = "('verified-closed', 'cancelled', 'merged', 'carried-over')"
"""From an item in one of these states nothing is due any more."""
BEGUN: Final = "('in-progress', 'reported-done', 'verified-closed')"
"""An item in one of these states shows that work on its measure has begun."""
CURVES: Final = ("expected", "by_baseline")

PLANNED: Final = f"""
WITH listed AS MATERIALIZED (SELECT {LISTED} FROM item i {STATE} WHERE i.plan = $3),
planned AS MATERIALIZED (
    SELECT i.item, m.number, m.weight, m.planned_on AS first_planned_on, word.status,
           coalesce(moved.planned_on, m.planned_on) AS planned_on
    FROM listed i
    JOIN milestone m ON m.item = i.item AND m.recorded_at <= $2 AND m.effective_on <= $1
    LEFT JOIN LATERAL (
        SELECT v.planned_on FROM milestone_move v
        WHERE v.item = m.item AND v.number = m.number AND v.recorded_at <= $2 AND v.effective_on <= $1
        ORDER BY v.effective_on DESC, v.version DESC LIMIT 1
    ) moved ON true
    {WORD}
    WHERE NOT {LEFT}
),
curve AS MATERIALIZED (
    SELECT i.*, share.expected, share.by_baseline
    FROM listed i
    LEFT JOIN (
        SELECT item, sum(CASE WHEN planned_on <= $1 THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS expected,
               sum(CASE WHEN first_planned_on <= $1 THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS by_baseline
        FROM planned GROUP BY item
    ) share USING (item)
),
running AS MATERIALIZED (
    SELECT i.* FROM listed i LEFT JOIN listed above ON above.item = i.parent
    WHERE i.state NOT IN {ENDED}
      AND (i.local_plan IS NULL OR above.progress_basis = 'local-items' AND above.state NOT IN {OUT})
),
overdue AS (
    SELECT i.measure, i.item, NULL::int AS number, due.due_on, i.state = 'reported-done' AS reported
    FROM running i
    JOIN item put_down ON put_down.id = i.item
    LEFT JOIN LATERAL (
        SELECT v.due_on FROM item_move v
        WHERE v.item = i.item AND v.recorded_at <= $2 AND v.effective_on <= $1
        ORDER BY v.effective_on DESC, v.version DESC LIMIT 1
    ) moved ON true
    CROSS JOIN LATERAL (SELECT coalesce(moved.due_on, put_down.due_on) AS due_on) due
    WHERE due.due_on < $1
    UNION ALL
    SELECT i.measure, i.item, m.number, m.planned_on, coalesce(m.status = 'reported', false)
    FROM running i JOIN planned m USING (item)
    WHERE i.progress_basis = 'milestones' AND m.status IS DISTINCT FROM 'verified' AND m.planned_on < $1
)
"""  # noqa: S608 - our own words
"""What the milestones that count are planned for, and what is overdue. $1 as_of, $2 known_at, $3 the plan.

The planned-value curve of an item: Σw of its milestones that are planned for a day until ``as_of``, that day included,
/ Σw, by the days as they stand and by those planned at first. Overdue is what has not ended, or is not verified, the
day after it was to be: items with their milestones, municipal ones and local ones that a municipal item counts.
"""

SCHEDULES: Final = f"""
{PLANNED}
SELECT measure, began.begun, mean.expected, mean.by_baseline, coalesce(late.overdue, 0) AS overdue, late.earliest
FROM (SELECT measure, bool_or(state IN {BEGUN}) AS begun FROM listed GROUP BY measure) began
LEFT JOIN (
    SELECT measure, {means(CURVES)}
    FROM {
    municipal(CURVES).format(
        source="curve", among="", weighed="AND plan = $3 AND effective_on <= $1 AND recorded_at <= $2"
    )
}
    GROUP BY measure
) mean USING (measure)
LEFT JOIN (
    SELECT measure, count(*)::int AS overdue, min(due_on) AS earliest FROM overdue GROUP BY measure
) late USING (measure)
"""  # noqa: S608 - our own words

LATE: Final = f"""
{PLANNED}
SELECT i.measure, i.code, i.title_zh, i.title_en, i.owner, overdue.number, overdue.due_on, overdue.reported
FROM overdue JOIN item i ON i.id = overdue.item
WHERE $4::text IS NULL OR i.measure = $4
ORDER BY overdue.due_on, i.code, overdue.number NULLS FIRST
LIMIT $5
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a measure should have attained, and what of it is late."""

    begun: bool
    """Whether work on one of its items, municipal or local, is under way or was verified and closed."""
    expected: Decimal | None
    by_baseline: Decimal | None
    overdue: int
    earliest: date | None
    """The day by which the first of what is overdue was to be done."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """An item that has not ended by its day, or a milestone of it that is not verified by its own."""

    measure: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    number: int | None
    """The milestone's number; none for the item itself."""
    due_on: date
    reported: bool
    """Whether its owner says that it is done: then it waits for the judges."""


async def schedules(connection: Connection, plan: str, question: Asked) -> dict[str, Schedule]:
    """The schedules of a plan's measures by code; one that lists nothing has none."""
    rows = await connection.fetch(SCHEDULES, question.as_of, question.known_at, plan)
    return {row["measure"]: Schedule(*list(row.values())[1:]) for row in rows}


async def overdue(
    connection: Connection, plan: str, question: Asked, *, measure: str | None, limit: int
) -> list[Overdue]:
    """What is overdue in a plan or one of its measures, the longest first."""
    rows = await connection.fetch(LATE, question.as_of, question.known_at, plan, measure, limit)
    return [Overdue(*row.values()) for row in rows]
