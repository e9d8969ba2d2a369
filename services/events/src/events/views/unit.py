"""What each association unit answers for and helps with in a plan, municipal items and local ones alike."""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, Field

from common.contracts.directory import UnitKind
from common.cursors import code_in
from common.database import Connection
from common.decision import Kind, Refusal
from events.asked import Asked, stamp
from events.tables import PROJECTION, PROJECTION_VERSION
from events.views.answers import PlanOverview, Stamped
from events.views.calculation import COUNTED, ITEMS, KINDS, means, of_own_or_below
from events.views.plan import STATES, overview, plan_in_force
from events.views.progress import Milestones, Progress
from events.views.rating import Expected, Overdue, Policy, Rated, Rating, expected, overdue, rated
from events.views.schedule import CURVES, SCHEDULED

NO_UNIT = Refusal(
    "unit.not-found", zh="没有单位 {code} 的数据", en="Nothing is known of a unit {code}", kind=Kind.ABSENT
)

UNITS: Final = """
SELECT unit.id, unit.code, unit.kind, name.name_zh, name.name_en, above.code AS parent
FROM unit
LEFT JOIN unit above ON above.id = unit.parent
CROSS JOIN LATERAL (
    SELECT n.name_zh, n.name_en FROM unit_name n
    WHERE n.unit = unit.id AND n.recorded_at <= $2 AND n.effective_on <= $1
    ORDER BY n.effective_on DESC, n.version DESC LIMIT 1
) name
WHERE unit.recorded_at <= $2 AND unit.effective_on <= $1
  AND ($3::text IS NULL OR unit.kind = $3) AND ($4::text IS NULL OR unit.code = $4) AND unit.code > $5
ORDER BY unit.code LIMIT $6
"""
"""Units as they were called. $1 as_of, $2 known_at, $3 kind and $4 code, or null for all, $5 after which code."""

SHARES: Final = (*KINDS, *CURVES)
PARTS: Final = f"""
WITH known AS MATERIALIZED ({ITEMS} WHERE i.plan = $3),
figures AS MATERIALIZED (
    SELECT known.*, due.overdue, due.earliest, due.expected, due.by_baseline, who.owner, who.co_units
    FROM known
    CROSS JOIN LATERAL ({SCHEDULED} WHERE i.id = known.item) due
    CROSS JOIN LATERAL (SELECT owner, co_units FROM item WHERE id = known.item) who
)
SELECT unit, owns, coalesce(sum(overdue), 0)::int AS overdue, min(earliest) AS earliest, {means(CURVES)}, {COUNTED}
FROM (
    SELECT owner, co_units, state, milestones, milestones_reported, milestones_verified, overdue, earliest,
           1::numeric AS weight, {", ".join(map(of_own_or_below, SHARES)).format(source="figures")}
    FROM figures i
) item
CROSS JOIN LATERAL (
    SELECT owner AS unit, true AS owns UNION ALL SELECT helps, false FROM unnest(co_units) helps
) part
WHERE unit = ANY($4)
GROUP BY unit, owns
"""  # noqa: S608 - our own words
"""The figures of what units own and help with. $1 as_of, $2 known_at, $3 the plan, $4 the units.

Each item counts once: weights say what siblings of one measure are to each other, and nothing between measures.
"""


class Part(BaseModel):
    """Items in which a unit has the same part, each counting once: how far they are, and their rating together."""

    items: int
    """How many are in the denominators: those that were cancelled or merged are listed by state only."""
    by_state: dict[str, int]
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    """Of all that was ever planned, with what was cancelled or merged since."""
    expected: Expected
    overdue: Overdue
    rated: Rated
    """By these figures, as a measure would be."""


class Led(BaseModel):
    """A measure that the unit leads."""

    code: str
    rating: Rating


class UnitProgress(BaseModel):
    """One unit in a plan, by the name that it bore on the day that is asked for."""

    code: str
    kind: Annotated[str, Field(examples=["district"])]
    name_zh: str
    name_en: str
    parent: str | None
    """The code of the unit that it belongs to."""
    owns: Part
    """What it answers for: municipal items and those of local plans."""
    helps: Part
    """What others answer for and it helps with."""
    leads: list[Led]


class UnitsAnswer(Stamped):
    """Units in a plan, by their codes."""

    plan: str
    units: list[UnitProgress]
    next: str | None
    """Where the next page begins; null at the end."""


class UnitAnswer(Stamped):
    """One unit in a plan."""

    plan: str
    unit: UnitProgress


async def look_at_units(
    pool: asyncpg.Pool, plan: str | None, question: Asked, *, kind: UnitKind | None, after: str | None, limit: int
) -> UnitsAnswer:
    """A page of the units of one kind, or of all, in a plan, or in the one in force if none is named.

    :raises Refused: ``plan.not-found``, ``request.cursor-invalid``.
    """
    wanted = (kind, None, code_in(after) if after is not None else "", limit + 1)
    code = plan or await plan_in_force(pool)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        whole, policy = await overview(connection, code, question)
        found = await _units(connection, whole, policy, question, wanted)
        told = await stamp(connection, (PROJECTION, PROJECTION_VERSION), question, policy.version)
    following = found[limit - 1].code if len(found) > limit else None
    return UnitsAnswer(plan=code, units=found[:limit], next=following, stamp=told)


async def look_at_unit(pool: asyncpg.Pool, plan: str | None, question: Asked, unit: str) -> UnitAnswer:
    """One unit in a plan, or in the one in force if none is named.

    :raises Refused: ``plan.not-found``, ``unit.not-found``.
    """
    code = plan or await plan_in_force(pool)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        whole, policy = await overview(connection, code, question)
        found = await _units(connection, whole, policy, question, (None, unit, "", 1))
        told = await stamp(connection, (PROJECTION, PROJECTION_VERSION), question, policy.version)
    if not found:
        raise NO_UNIT(code=unit)
    return UnitAnswer(plan=code, unit=found[0], stamp=told)


async def _units(
    connection: Connection, plan: PlanOverview, policy: Policy, question: Asked, wanted: tuple[Any, ...]
) -> list[UnitProgress]:
    units = await connection.fetch(UNITS, question.as_of, question.known_at, *wanted)
    ids = [unit["id"] for unit in units]
    rows = await connection.fetch(PARTS, question.as_of, question.known_at, plan.code, ids)
    parts = {(row["unit"], row["owns"]): _part(row, policy, question.as_of) for row in rows}
    none = _part(NOTHING, policy, question.as_of)
    return [
        UnitProgress(
            code=unit["code"],
            kind=unit["kind"],
            name_zh=unit["name_zh"],
            name_en=unit["name_en"],
            parent=unit["parent"],
            owns=parts.get((unit["id"], True), none),
            helps=parts.get((unit["id"], False), none),
            leads=_led(plan, unit["id"]),
        )
        for unit in units
    ]


NOTHING: Final[dict[str, Any]] = {
    "items": 0, "by_state": orjson.dumps(dict.fromkeys(STATES, 0)), "overdue": 0, "earliest": None,
    **dict.fromkeys(("milestones", "milestones_reported", "milestones_verified"), 0), **dict.fromkeys(SHARES),
}  # fmt: skip
"""The row of a unit that has no part in anything."""


def _part(row: Any, policy: Policy, on: date) -> Part:
    should = expected(row["expected"], row["by_baseline"], row["verified"])
    late = overdue(row["overdue"], row["earliest"], on)
    return Part(
        items=row["items"],
        by_state=orjson.loads(row["by_state"]),
        milestones=Milestones(
            counted=row["milestones"], reported=row["milestones_reported"], verified=row["milestones_verified"]
        ),
        progress=Progress(reported=row["reported"], verified=row["verified"]),
        original_scope=Progress(reported=row["reported_of_all"], verified=row["verified_of_all"]),
        expected=should,
        overdue=late,
        rated=rated("in-progress", should.gap, late, policy),
    )


def _led(plan: PlanOverview, unit: UUID) -> list[Led]:
    measures = [measure for aspect in plan.aspects for measure in aspect.measures]
    return [Led(code=one.code, rating=one.rated.rating) for one in measures if one.lead_unit == unit]
