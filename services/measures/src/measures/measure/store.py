"""Where measures are kept from their first command on, and how all that a plan puts down are read."""

from datetime import date
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter
from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.roles import NOBODY, Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.item.rules import TERMINAL, ItemState
from measures.measure.domain import Measure, measure_id, planned
from measures.measure.lead import MeasureAbove, led_on
from measures.measure.rules import MeasureState
from measures.measure.surroundings import PutDown, Work
from measures.plan.rules import PlanState
from measures.plan.store import stands_in_plan
from measures.tables import Base


class MeasureRow(Base, AggregateRow, table=True):
    """One measure of a plan."""

    __tablename__ = "measure"
    __table_args__ = (UniqueConstraint("plan", "code"), one_of("state", MeasureState))

    plan: str
    code: str
    state: str
    since: date
    leads: str = Field(sa_column=Column(JSONB, nullable=False))
    tags: str = Field(sa_column=Column(JSONB, nullable=False))
    tagged_on: date | None
    suspended_for: str | None
    suspensions: str = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    acceptance: str = Field(sa_column=Column(JSONB, nullable=False))
    returned_on: date | None


def _concerns(measure: Measure) -> Concerned:
    """A measure concerns who leads it now, and who helps."""
    lead = led_on(measure.leads, None)
    return Concerned(units=(lead.unit, *lead.co_units), leads=(lead.unit,)) if lead else NOBODY


def _quoted(*states: str) -> str:
    return ", ".join(f"'{state}'" for state in states)


STARTED: Final = (ItemState.IN_PROGRESS, ItemState.REPORTED_DONE, ItemState.VERIFIED_CLOSED)
"""In these states an item shows that work on its measure has begun."""
PUT_DOWN: Final = f"""
SELECT jsonb_build_object(
    'aspect', one->>'aspect', 'name_zh', one->>'name_zh', 'name_en', one->>'name_en', 'starts_on', plan.starts_on,
    'adopted_on', plan.adopted_on, 'added_on', (
        SELECT it->>'since' FROM jsonb_array_elements(plan.added) it
        WHERE it->>'part' = 'measure' AND it->>'code' = found.code), 'closed', plan.state = '{PlanState.CLOSED}')
FROM plan, jsonb_array_elements(plan.measures) one WHERE plan.code = found.plan AND one->>'code' = found.code
"""  # noqa: S608 - names and states of our own
_WORK: Final = f"""
WITH parts AS MATERIALIZED (
    SELECT measure, owner, co_units, count(*) AS items,
        count(*) FILTER (WHERE state IN ({_quoted(*STARTED)})) AS started,
        count(*) FILTER (WHERE state NOT IN ({_quoted(*TERMINAL)})) AS unfinished, max(since) AS since
    FROM item WHERE {{which}} GROUP BY measure, owner, co_units)
SELECT measure, jsonb_build_object(
    'items', sum(items), 'started', sum(started) > 0, 'unfinished', sum(unfinished), 'since', max(since),
    'units', (
        SELECT jsonb_agg(DISTINCT unit ORDER BY unit) FROM parts took, unnest(took.owner || took.co_units) unit
        WHERE took.measure = parts.measure)) AS work
FROM parts GROUP BY measure
"""  # noqa: S608
"""What the items of measures amount to, gone through once; {{which}} items."""
NO_WORK: Final = """'{"items": 0, "started": false, "unfinished": 0}'::jsonb"""
_OWN: Final = _WORK.format(which="plan = found.plan AND measure = found.code")
WORK: Final = f"SELECT coalesce((SELECT work FROM ({_OWN}) own), {NO_WORK})"  # noqa: S608
UNFINISHED: Final = f"""
EXISTS (SELECT FROM item WHERE item.plan = found.plan AND item.measure = found.code
        AND item.state NOT IN ({_quoted(*TERMINAL)}))
"""
"""Whether an item of a row of ``measure`` has not ended."""
LISTED: Final = """
(SELECT plan.code AS plan, plan.id AS plan_id, one->>'code' AS code
 FROM plan, jsonb_array_elements(plan.measures) one) listed
"""
"""What all plans put down."""
ABOVE: Final = """
SELECT jsonb_build_object(
    'state', coalesce(measure.state, 'planned'), 'leads', coalesce(measure.leads, '[]'),
    'suspensions', coalesce(measure.suspensions, '[]'),
    'plan_in_final_evaluation', plan.state = 'final-evaluation', 'plan_closed', plan.state = 'closed',
    'local_plan_closed', coalesce(local_plan.state = 'closed', false), 'returned_on', measure.returned_on,
    'whole', coalesce((SELECT array_to_json(array_prepend(owner, co_units)) FROM item WHERE id = found.parent), '[]'))
FROM plan LEFT JOIN measure ON measure.plan = plan.code AND measure.code = found.measure
LEFT JOIN local_plan ON local_plan.code = found.local_plan WHERE plan.code = found.plan
"""
"""The measure above a row of ``item``, as ``MeasureAbove``: to be read beside it."""
LED_BY: Final = """
(found.plan, found.measure) IN (SELECT plan, code FROM measure WHERE (leads->-1->>'unit')::uuid = ANY({}::uuid[]))
"""
"""Whether one of these units leads the measure above a row of ``item`` now."""


async def _not_begun(call: Call, aggregate_id: UUID) -> Measure | None:
    """The measure with this id as its plan puts it down, though it may begin this moment; None if no plan does."""
    for row in await call.service.pool.fetch(f"SELECT plan, plan_id, code FROM {LISTED}"):  # noqa: S608
        if measure_id(row["plan_id"], row["code"]) == aggregate_id:
            return next(map(_planned, await _rows(call, row["plan"], row["code"])), None)
    return None


measures = Aggregates(
    MeasureRow, Measure, of="measure", at="/api/v1/measures", concerns=_concerns,
    reads={"put_down": PUT_DOWN, "work": WORK}, begins=_not_begun, ground=stands_in_plan("measure"),
)  # fmt: skip


async def measure_above(call: Call, plan: str, code: str) -> MeasureAbove:
    """What an item of this measure is to know of it before the item has a row."""
    item = "SELECT $1::text AS plan, $2::text AS measure, NULL AS local_plan, NULL::uuid AS parent"
    told = await call.service.pool.fetchval(
        f"SELECT ({ABOVE}) FROM ({item}) found",  # noqa: S608
        plan,
        code,
    )
    return TypeAdapter(MeasureAbove).validate_json(told) if told else MeasureAbove()


async def list_measures(call: Call, plan: str) -> list[Measure]:
    """All that a plan puts down, by code: also those without a command yet."""
    rows = await _rows(call, plan, None)
    return [measures.codec.state_of(row) if row["id"] else _planned(row) for row in rows]


async def _rows(call: Call, plan: str, code: str | None) -> list[asyncpg.Record]:
    """The rows of a plan's measures, or of one; the items of all of them are gone through once."""
    work = _WORK.format(which="plan = $1 AND measure = $2" if code else "plan = $1")
    return await call.service.pool.fetch(
        f"SELECT found.*, ({PUT_DOWN}) AS put_down, coalesce(amount.work, {NO_WORK}) AS work "  # noqa: S608
        f"FROM (SELECT * FROM {LISTED} LEFT JOIN measure USING (plan, code)) found "
        f"LEFT JOIN ({work}) amount ON amount.measure = found.code "
        "WHERE found.plan = $1 AND ($2::text IS NULL OR found.code = $2) ORDER BY found.code",
        plan,
        code,
    )


def _planned(row: asyncpg.Record) -> Measure:
    return planned(
        id=measure_id(row["plan_id"], row["code"]),
        plan=row["plan"],
        code=row["code"],
        put_down=TypeAdapter(PutDown).validate_json(row["put_down"]),
        work=TypeAdapter(Work).validate_json(row["work"]),
    )
