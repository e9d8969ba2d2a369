"""The plan as a whole: its aspects and measures with their progress and ratings, its phase, the days that are left."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

import asyncpg

from common.database import Connection
from common.decision import Kind, Refusal
from events.asked import Asked, Stamp, stamp
from events.tables import PROJECTION, PROJECTION_VERSION
from events.views.answers import AspectProgress, Lateness, MeasureProgress, OverdueAnswer, PhaseNow, PlanOverview
from events.views.progress import Key, MeasureFigures, Milestones, Progress, figures, mean, mean_progress, weights
from events.views.rating import Policy, Rating, expected, overdue, overdue_together, policy_of, rated, scored
from events.views.schedule import Late, Schedule, late_of, schedules
from events.views.standing import Standing, standings

NO_PLAN = Refusal("plan.not-found", zh="没有这一方案的数据", en="Nothing is known of such a plan", kind=Kind.ABSENT)
NO_MEASURE = Refusal(
    "measure.not-found", zh="方案 {plan} 没有举措 {code}", en="Plan {plan} has no measure {code}", kind=Kind.ABSENT
)
STATES = (
    "draft", "assigned", "acknowledged", "in-progress", "reported-done", "verified-closed", "cancelled", "merged",
    "carried-over",
)  # fmt: skip

Part: TypeAlias = dict[str, Any]
"""A row of an aspect, a measure or a phase, with the names that it bears."""
ONE: Final = Decimal(1)
NOTHING_KNOWN = Progress(reported=None, verified=None)
NOTHING_DUE = Schedule(begun=False, expected=None, by_baseline=None, overdue=0, earliest=None)


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
        found, policy = await overview(connection, code, question)
        return found, await stamp(connection, (PROJECTION, PROJECTION_VERSION), question, policy.version)


async def overview(connection: Connection, code: str, question: Asked) -> tuple[PlanOverview, Policy]:
    """The plan with everything under it, and the policy by which it is rated.

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
    state, phase = step or ("not-yet", None)
    parts, titles = await _parts(connection, code, question)
    known = await _known(connection, plan, state == "closed", question)
    measures = [_measure(part, known, question) for part in parts if part["kind"] == "measure"]
    aspects = [_aspect(part, known, measures) for part in parts if part["kind"] == "aspect"]
    entered = phase and next((p for p in parts if (p["kind"], p["code"]) == ("phase", phase)), None)
    return PlanOverview(
        code=code,
        title_zh=titles.get("name_zh", plan["title_zh"]),
        title_en=titles.get("name_en", plan["title_en"]),
        starts_on=plan["starts_on"],
        ends_on=plan["ends_on"],
        state=state,
        phase=PhaseNow.model_validate(entered) if entered else None,
        days_left=(plan["ends_on"] - question.as_of).days,
        aspects=aspects,
        **_together(aspects),
    ), known.policy


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of a plan's measures by their codes, and by what they are rated."""

    figures: dict[str, MeasureFigures]
    weights: dict[Key, Decimal]
    schedules: dict[str, Schedule]
    standings: dict[str, Standing]
    policy: Policy
    plan_closed: bool


async def _known(connection: Connection, plan: asyncpg.Record, closed: bool, question: Asked) -> _Known:
    code = plan["code"]
    return _Known(
        figures=await figures(connection, code, question),
        weights=await weights(connection, code, question),
        schedules=await schedules(connection, code, question),
        standings=await standings(connection, code, question),
        policy=await policy_of(connection, plan["id"], question),
        plan_closed=closed,
    )


async def look_closer(
    pool: asyncpg.Pool,
    code: str | None,
    question: Asked,
    *,
    measure: str | None = None,
    after: str | None = None,
    limit: int,
) -> tuple[PlanOverview, OverdueAnswer]:
    """A plan, or the one in force if none is named, and a page of what of it or of one of its measures is overdue.

    :raises Refused: ``plan.not-found``, ``measure.not-found``, ``request.cursor-invalid``.
    """
    code = code or await plan_in_force(pool)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        plan, policy = await overview(connection, code, question)
        if measure is not None:
            measure_in(plan, measure)
        found = await late_of(connection, code, question, measure=measure, after=after, limit=limit + 1)
        told = await stamp(connection, (PROJECTION, PROJECTION_VERSION), question, policy.version)
    page, following = found[:limit], found[limit - 1].place if len(found) > limit else None
    listed = [lateness(one, question) for one in page]
    return plan, OverdueAnswer(plan=code, overdue=listed, next=following, stamp=told)


def lateness(late: Late, question: Asked) -> Lateness:
    """Something overdue, with the days by which it is on the day that is asked for."""
    return Lateness(
        measure=late.measure, item=late.code, milestone=late.number, due_on=late.due_on,
        days=(question.as_of - late.due_on).days, reported=late.reported,
    )  # fmt: skip


def measure_in(plan: PlanOverview, code: str) -> MeasureProgress:
    """One measure of a plan.

    :raises Refused: ``measure.not-found``.
    """
    for aspect in plan.aspects:
        for measure in aspect.measures:
            if measure.code == code:
                return measure
    raise NO_MEASURE(plan=plan.code, code=code)


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


def _measure(part: Part, known: _Known, question: Asked) -> MeasureProgress:
    code = part["code"]
    own, due, stands = known.figures.get(code), known.schedules.get(code, NOTHING_DUE), known.standings[code]
    progress = own.progress if own else NOTHING_KNOWN
    should = expected(due.expected, due.by_baseline, progress.verified)
    late = overdue(due.overdue, due.earliest, question.as_of)
    return MeasureProgress(
        code=code,
        aspect=part["aspect"],
        name_zh=part["name_zh"],
        name_en=part["name_en"],
        state=_state(stands.state, due.begun, known.plan_closed),
        lead_unit=stands.lead_unit,
        co_units=stands.co_units,
        tags=stands.tags,
        weight=known.weights.get(("measures", code), ONE),
        items=own.items if own else 0,
        by_state=own.by_state if own else dict.fromkeys(STATES, 0),
        milestones=own.milestones if own else Milestones(counted=0, reported=0, verified=0),
        progress=progress,
        original_scope=own.original_scope if own else NOTHING_KNOWN,
        expected=should,
        overdue=late,
        rated=rated(stands.state, should.gap, late, known.policy),
        assured=stands.assured,
        score=scored(progress.verified, known.policy),
        risks_open=stands.risks_open,
    )


def _state(told: str, begun: bool, plan_closed: bool) -> str:
    """What was told of a measure, and what follows: work on an item has begun, or the plan is closed."""
    if plan_closed:
        return "closed"
    return "in-progress" if told == "launched" and begun else told


def _aspect(part: Part, known: _Known, measures: list[MeasureProgress]) -> AspectProgress:
    under = [measure for measure in measures if measure.aspect == part["code"]]
    return AspectProgress(
        code=part["code"],
        name_zh=part["name_zh"],
        name_en=part["name_en"],
        weight=known.weights.get(("aspects", part["code"]), ONE),
        measures=under,
        **_together(under),
    )


def _together(parts: Sequence[MeasureProgress] | Sequence[AspectProgress]) -> dict[str, Any]:
    """The figures of a whole: the weighted means of its parts' shares, and the sums of what is counted."""
    progress = mean_progress((part.progress, part.weight) for part in parts)
    return {
        "items": sum(part.items for part in parts),
        "milestones": _sum(part.milestones for part in parts),
        "progress": progress,
        "original_scope": mean_progress((part.original_scope, part.weight) for part in parts),
        "expected": expected(
            mean((part.expected.now, part.weight) for part in parts),
            mean((part.expected.by_baseline, part.weight) for part in parts),
            progress.verified,
        ),
        "overdue": overdue_together(part.overdue for part in parts),
        "ratings": _ratings(parts),
    }


def _ratings(parts: Sequence[MeasureProgress] | Sequence[AspectProgress]) -> dict[Rating, int]:
    """How many measures are rated how."""
    found: Counter[Rating] = Counter()
    for part in parts:
        found.update([part.rated.rating] if isinstance(part, MeasureProgress) else part.ratings)
    return {rating: found[rating] for rating in Rating}


def _sum(parts: Iterable[Milestones]) -> Milestones:
    parts = list(parts)
    return Milestones(
        counted=sum(p.counted for p in parts),
        reported=sum(p.reported for p in parts),
        verified=sum(p.verified for p in parts),
    )
