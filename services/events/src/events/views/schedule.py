"""What should be attained by a day and what is overdue on it: from the facts, for any day and knowledge, not stored."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from common.cursors import CURSOR_INVALID, code_in
from common.database import Connection
from events.asked import Asked
from events.views.calculation import LEFT, LISTED, OUT, STATE, WORD, means, municipal

ENDED: Final = "('verified-closed', 'cancelled', 'merged', 'carried-over')"
"""From an item in one of these states nothing is due any more."""
BEGUN: Final = "('in-progress', 'reported-done', 'verified-closed')"
"""An item in one of these states shows that work on its measure has begun."""
NUMBER: Final = TypeAdapter[int](Annotated[int, Field(ge=0, le=10_000)])
"""A milestone's number in a cursor; 0 is the item itself."""
CURVES: Final = ("expected", "by_baseline")
MUNICIPAL: Final = municipal(CURVES).format(
    source="listed", among="", weighed="AND plan = $3 AND effective_on <= $1 AND recorded_at <= $2"
)

MILESTONES: Final = f"""(
    SELECT m.item, m.number, m.weight, m.planned_on AS first_planned_on,
           coalesce(moved.planned_on, m.planned_on) AS day,
           i.progress_basis = 'milestones' AND step.state NOT IN {ENDED}
           AND coalesce(moved.planned_on, m.planned_on) < $1 AND word.status IS DISTINCT FROM 'verified' AS late,
           word.status IS NOT DISTINCT FROM 'reported' AS reported
    FROM milestone m
    LEFT JOIN LATERAL {WORD} word ON true
    LEFT JOIN LATERAL (
        SELECT v.planned_on FROM milestone_move v
        WHERE v.item = m.item AND v.number = m.number AND v.recorded_at <= $2 AND v.effective_on <= $1
        ORDER BY v.effective_on DESC, v.version DESC LIMIT 1
    ) moved ON true
    WHERE m.item = i.id AND m.recorded_at <= $2 AND m.effective_on <= $1 AND NOT {LEFT}
)"""  # noqa: S608 - our own words
"""The milestones of item ``i`` that count, the days that they are and were planned for, and whether they are late.

One is late the day after it was to be verified and is not, as long as its item has not ended.
"""

DUE: Final = f"""
FROM item i
{STATE}
LEFT JOIN LATERAL (
    SELECT v.due_on FROM item_move v
    WHERE v.item = i.id AND v.recorded_at <= $2 AND v.effective_on <= $1
    ORDER BY v.effective_on DESC, v.version DESC LIMIT 1
) put_off ON true
CROSS JOIN LATERAL (
    SELECT coalesce(put_off.due_on, i.due_on) AS due_on,
           step.state NOT IN {ENDED} AND coalesce(put_off.due_on, i.due_on) < $1 AS late
) own
"""  # noqa: S608 - our own words
"""Item ``i`` with the day by which it is due, and whether it is late. $1 as_of, $2 known_at."""

COUNTING: Final = f"""
(local_plan IS NULL OR parent IN (
    SELECT above.item FROM listed above WHERE above.progress_basis = 'local-items' AND above.state NOT IN {OUT}
))
"""  # noqa: S608 - our own words
"""Whether an item counts: it is municipal, or local and its part of a municipal one that is measured by such items."""

SCHEDULED: Final = f"""
    SELECT {LISTED}, own.late::int + curve.late AS overdue,
           least(CASE WHEN own.late THEN own.due_on END, curve.earliest) AS earliest, curve.expected, curve.by_baseline
    {DUE}
    CROSS JOIN LATERAL (
        SELECT sum(CASE WHEN day <= $1 THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS expected,
               sum(CASE WHEN first_planned_on <= $1 THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS by_baseline,
               (count(*) FILTER (WHERE late))::int AS late, min(day) FILTER (WHERE late) AS earliest
        FROM {MILESTONES} planned
    ) curve
"""  # noqa: S608 - our own words
"""What is expected of each item, and what of it is late. $1 as_of, $2 known_at."""

SCHEDULES: Final = f"""
WITH listed AS MATERIALIZED ({SCHEDULED} WHERE i.plan = $3)
SELECT measure, late.begun, mean.expected, mean.by_baseline, late.overdue, late.earliest
FROM (
    SELECT measure, bool_or(state IN {BEGUN}) AS begun,
           (sum(CASE WHEN {COUNTING} THEN overdue ELSE 0 END))::int AS overdue,
           min(CASE WHEN {COUNTING} THEN earliest END) AS earliest
    FROM listed GROUP BY measure
) late
LEFT JOIN (SELECT measure, {means(CURVES)} FROM {MUNICIPAL} GROUP BY measure) mean USING (measure)
"""  # noqa: S608 - our own words
"""What is expected of each measure, and what of it is late. $1 as_of, $2 known_at, $3 the plan.

The planned-value curve of an item: Σw of its milestones that are planned for a day until ``as_of``, that day included,
/ Σw, by the days as they stand and by those planned at first. Late is what has not ended, or is not verified, the day
after it was to be: items with their milestones, municipal ones and local ones that a municipal item counts.
"""

LATE: Final = f"""
WITH listed AS MATERIALIZED (
    SELECT {LISTED}, own.due_on, own.late
    {DUE}
    WHERE i.plan = $3
), late AS (
    SELECT item, NULL::int AS number, due_on, state = 'reported-done' AS reported FROM listed WHERE late
    UNION ALL
    SELECT i.id, m.number, m.day, m.reported
    FROM item i {STATE} CROSS JOIN LATERAL {MILESTONES} m
    WHERE i.plan = $3 AND m.late
)
SELECT measure, code, late.number, late.due_on, late.reported
FROM late JOIN listed USING (item)
WHERE ($4::text IS NULL OR measure = $4) AND {COUNTING}
  AND ($6::date IS NULL OR (late.due_on, code, coalesce(late.number, 0)) > ($6, $7::text, $8::int))
ORDER BY late.due_on, code, coalesce(late.number, 0)
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
class Late:
    """An item that has not ended by its day, or a milestone of it that is not verified by its own."""

    measure: str
    code: str
    number: int | None
    """The milestone's number; none for the item itself."""
    due_on: date
    reported: bool
    """Whether its owner says that it is done: then it waits for the judges."""

    @property
    def place(self) -> str:
        """Where it stands in the list: the next page begins after it."""
        return f"{self.due_on}/{self.code}/{self.number or 0}"


async def schedules(connection: Connection, plan: str, question: Asked) -> dict[str, Schedule]:
    """The schedules of a plan's measures by code; one that lists nothing has none."""
    rows = await connection.fetch(SCHEDULES, question.as_of, question.known_at, plan)
    return {row["measure"]: Schedule(*list(row.values())[1:]) for row in rows}


async def late_of(
    connection: Connection, plan: str, question: Asked, *, measure: str | None = None, after: str | None, limit: int
) -> list[Late]:
    """What is overdue in a plan or in one of its measures, that for the longest first, from a place in the list on.

    :raises Refused: ``request.cursor-invalid``.
    """
    place = _placed(after) if after is not None else (None, None, None)
    rows = await connection.fetch(LATE, question.as_of, question.known_at, plan, measure, limit, *place)
    return [Late(*row.values()) for row in rows]


def _placed(after: str) -> tuple[date, str, int]:
    try:
        day, code, number = after.split("/")
        place = date.fromisoformat(day), code_in(code), NUMBER.validate_python(number)
    except ValueError:
        raise CURSOR_INVALID(pointer="/query/cursor") from None
    if "/".join(map(str, place)) != after:  # said in another way than a page says it
        raise CURSOR_INVALID(pointer="/query/cursor")
    return place
