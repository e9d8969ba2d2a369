"""The plan as a whole: its aspects and measures with their progress, the phase it is in, the days that are left."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import asyncpg
from pydantic import BaseModel, Field

from common.database import Connection
from common.decision import Kind, Refusal
from events.asked import Asked, Stamp, stamp
from events.tables import PROJECTION, PROJECTION_VERSION
from events.views.progress import MeasureFigures, Milestones, Progress, figures, mean_progress, weights

NO_PLAN = Refusal("plan.not-found", zh="没有这一方案的数据", en="Nothing is known of such a plan", kind=Kind.ABSENT)
NO_MEASURE = Refusal(
    "measure.not-found", zh="方案没有举措 {code}", en="The plan has no measure {code}", kind=Kind.ABSENT
)
STATES = (
    "draft", "assigned", "acknowledged", "in-progress", "reported-done", "verified-closed", "cancelled", "merged",
    "carried-over",
)  # fmt: skip

Part: TypeAlias = dict[str, Any]
"""A row of an aspect, a measure or a phase, with the names that it bears."""
ONE: Final = Decimal(1)
NOTHING_KNOWN = Progress(reported=None, verified=None)


class MeasureProgress(BaseModel):
    """One measure: its items by state, its milestones, its progress."""

    code: str
    aspect: str
    name_zh: str
    name_en: str
    weight: Decimal
    """What it weighs among the measures of its aspect."""
    items: int
    by_state: dict[str, int]
    milestones: Milestones
    progress: Progress
    original_scope: Progress


class AspectProgress(BaseModel):
    """One aspect: the mean of its measures by their weights, and what is under it."""

    code: str
    name_zh: str
    name_en: str
    weight: Decimal
    """What it weighs among the aspects of its plan."""
    items: int
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    measures: list[MeasureProgress]


class PhaseNow(BaseModel):
    """The phase that the plan had entered by the day that is asked for."""

    code: str
    name_zh: str
    name_en: str
    mode: str
    starts_on: date
    ends_on: date


class PlanOverview(BaseModel):
    """The plan on the day that is asked for."""

    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    state: Annotated[str, Field(examples=["in-force"])]
    phase: PhaseNow | None
    days_left: int
    """Days from the day asked for to the plan's last; negative once it has ended."""
    items: int
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    """Of all that was ever planned, with what was cancelled or merged since."""
    aspects: list[AspectProgress]


class Stamped(BaseModel):
    """Every answer says what it rests on."""

    stamp: Stamp


class PlanAnswer(Stamped):
    """A plan's overview."""

    plan: PlanOverview


class AspectsAnswer(Stamped):
    """A plan's aspects."""

    plan: str
    aspects: list[AspectProgress]


class MeasuresAnswer(Stamped):
    """A plan's measures in its own order."""

    plan: str
    measures: list[MeasureProgress]


class MeasureAnswer(Stamped):
    """One measure."""

    plan: str
    measure: MeasureProgress


async def plan_in_force(pool: asyncpg.Pool) -> str:
    """The code of the latest plan that has entered into force, one that goes on before one that is closed; else of any.

    :raises Refused: ``plan.not-found``.
    """
    code: str | None = await pool.fetchval(
        "SELECT code FROM plan ORDER BY "
        "EXISTS (SELECT FROM plan_step s WHERE s.plan = plan.id AND s.state = 'in-force') DESC, "
        "EXISTS (SELECT FROM plan_step s WHERE s.plan = plan.id AND s.state = 'closed'), starts_on DESC, code LIMIT 1"
    )
    if code is None:
        raise NO_PLAN()
    return code


async def look(pool: asyncpg.Pool, code: str | None, question: Asked) -> tuple[PlanOverview, Stamp]:
    """A plan, or the one in force if none is named, and what its figures rest on, both at one moment of the database.

    :raises Refused: ``plan.not-found``.
    """
    code = code or await plan_in_force(pool)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        found = await overview(connection, code, question)
        return found, await stamp(connection, PROJECTION, PROJECTION_VERSION, question)


async def overview(connection: Connection, code: str, question: Asked) -> PlanOverview:
    """The plan with everything under it.

    :raises Refused: ``plan.not-found``, also where it was not known by then.
    """
    plan = await connection.fetchrow(
        "SELECT * FROM plan WHERE code = $1 AND recorded_at <= $2", code, question.known_at
    )
    if plan is None:
        raise NO_PLAN()
    step = await connection.fetchrow(
        "SELECT state, phase FROM plan_step WHERE plan = $1 AND recorded_at <= $2 AND effective_on <= $3 "
        "ORDER BY effective_on DESC, version DESC LIMIT 1",
        plan["id"],
        question.known_at,
        question.as_of,
    )
    parts, titles = await _parts(connection, code, question)
    found, weigh = await figures(connection, code, question), await weights(connection, code, question)
    measures = [
        _measure(part, weigh.get(("measures", part["code"]), ONE), found.get(part["code"]))
        for part in parts
        if part["kind"] == "measure"
    ]
    aspects = [
        _aspect(part, weigh.get(("aspects", part["code"]), ONE), measures) for part in parts if part["kind"] == "aspect"
    ]
    entered = step and next((p for p in parts if (p["kind"], p["code"]) == ("phase", step["phase"])), None)
    return PlanOverview(
        code=code,
        title_zh=titles.get("name_zh", plan["title_zh"]),
        title_en=titles.get("name_en", plan["title_en"]),
        starts_on=plan["starts_on"],
        ends_on=plan["ends_on"],
        state=step["state"] if step else "not-yet",
        phase=PhaseNow.model_validate(entered) if entered else None,
        days_left=(plan["ends_on"] - question.as_of).days,
        items=sum(aspect.items for aspect in aspects),
        milestones=_sum(aspect.milestones for aspect in aspects),
        progress=mean_progress((aspect.progress, aspect.weight) for aspect in aspects),
        original_scope=mean_progress((aspect.original_scope, aspect.weight) for aspect in aspects),
        aspects=aspects,
    )


def measure_in(plan: PlanOverview, code: str) -> MeasureProgress:
    """One measure of a plan.

    :raises Refused: ``measure.not-found``.
    """
    for aspect in plan.aspects:
        for measure in aspect.measures:
            if measure.code == code:
                return measure
    raise NO_MEASURE(code=code)


async def _parts(connection: Connection, plan: str, question: Asked) -> tuple[list[Part], Part]:
    """The parts that a plan had on that day, by kind and in its own order, as they were called then; and its titles."""
    now = (plan, question.as_of, question.known_at)
    parts = await connection.fetch(
        "SELECT * FROM plan_part "
        "WHERE plan = $1 AND (effective_on IS NULL OR effective_on <= $2 AND recorded_at <= $3) "
        "ORDER BY kind, position",
        *now,
    )
    named: dict[tuple[str, str], Part] = {}
    for row in await connection.fetch(
        "SELECT * FROM plan_name WHERE plan = $1 AND effective_on <= $2 AND recorded_at <= $3 "
        "ORDER BY effective_on, version",
        *now,
    ):
        names = {name: row[name] for name in ("name_zh", "name_en") if row[name]}
        named[row["kind"], row["code"]] = named.get((row["kind"], row["code"]), {}) | names
    return [dict(part) | named.get((part["kind"], part["code"]), {}) for part in parts], named.get(("plan", plan), {})


def _measure(part: Part, weight: Decimal, known: MeasureFigures | None) -> MeasureProgress:
    return MeasureProgress(
        code=part["code"],
        aspect=part["aspect"],
        name_zh=part["name_zh"],
        name_en=part["name_en"],
        weight=weight,
        items=known.items if known else 0,
        by_state=known.by_state if known else dict.fromkeys(STATES, 0),
        milestones=known.milestones if known else Milestones(counted=0, reported=0, verified=0),
        progress=known.progress if known else NOTHING_KNOWN,
        original_scope=known.original_scope if known else NOTHING_KNOWN,
    )


def _aspect(part: Part, weight: Decimal, measures: list[MeasureProgress]) -> AspectProgress:
    under = [measure for measure in measures if measure.aspect == part["code"]]
    return AspectProgress(
        code=part["code"],
        name_zh=part["name_zh"],
        name_en=part["name_en"],
        weight=weight,
        items=sum(measure.items for measure in under),
        milestones=_sum(measure.milestones for measure in under),
        progress=mean_progress((measure.progress, measure.weight) for measure in under),
        original_scope=mean_progress((measure.original_scope, measure.weight) for measure in under),
        measures=under,
    )


def _sum(parts: Iterable[Milestones]) -> Milestones:
    parts = list(parts)
    return Milestones(
        counted=sum(p.counted for p in parts),
        reported=sum(p.reported for p in parts),
        verified=sum(p.verified for p in parts),
    )
