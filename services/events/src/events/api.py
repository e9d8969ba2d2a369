"""The door to the views: progress as JSON, and the stream of what changes."""

from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from common.contracts import Code
from common.contracts.directory import UnitKind
from common.door import Door, open_to_all
from common.http import Cursor
from events.asked import Asked, AsOf, KnownAt, MinPosition, PolicyAsked, Stamp, asked, wait_for
from events.stream import Broadcast, Channel, EventStream
from events.tables import PROJECTION
from events.views.answers import AspectsAnswer, MeasureAnswer, MeasuresAnswer, OverdueAnswer, PlanAnswer, PlanOverview
from events.views.plan import look, look_closer, measure_in
from events.views.unit import UnitAnswer, UnitsAnswer, look_at_unit, look_at_units

router = APIRouter(dependencies=[Depends(open_to_all)], route_class=Door)


@dataclass(frozen=True, slots=True)
class Looking:
    """A reader's question, before any plan is named."""

    pool: asyncpg.Pool
    question: Asked

    async def at(self, plan: str | None) -> tuple[PlanOverview, Stamp]:
        """A plan, by default the one in force, and what its figures rest on."""
        return await look(self.pool, plan, self.question)


async def looking(
    request: Request,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    policy: PolicyAsked = None,
    min_position: MinPosition = None,
) -> Looking:
    """What is asked for; it returns once the view contains ``min_position``."""
    question = asked(as_of, known_at, policy)
    await wait_for(request.app.state.pool, PROJECTION, min_position, request.app.state.waiters)
    return Looking(request.app.state.pool, question)


Reader = Annotated[Looking, Depends(looking)]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


@router.get("/api/v1/progress/plans/{code}", tags=["progress"], name="read_plan_progress")
async def plan_progress(reader: Reader, code: Code) -> PlanAnswer:
    """A plan with its aspects and measures."""
    plan, stamp = await reader.at(code)
    return PlanAnswer(plan=plan, stamp=stamp)


@router.get("/api/v1/progress/aspects", tags=["progress"], name="list_aspect_progress")
async def aspects_progress(reader: Reader, plan: Code | None = None) -> AspectsAnswer:
    """The aspects of a plan, each the mean of its measures."""
    found, stamp = await reader.at(plan)
    return AspectsAnswer(plan=found.code, aspects=found.aspects, stamp=stamp)


@router.get("/api/v1/progress/measures", tags=["progress"], name="list_measure_progress")
async def measures_progress(reader: Reader, plan: Code | None = None) -> MeasuresAnswer:
    """The measures of a plan in its own order."""
    found, stamp = await reader.at(plan)
    measures = [measure for aspect in found.aspects for measure in aspect.measures]
    return MeasuresAnswer(plan=found.code, measures=measures, stamp=stamp)


@router.get("/api/v1/progress/measures/{code}", tags=["progress"], name="read_measure_progress")
async def measure_progress(reader: Reader, code: Code, plan: Code | None = None) -> MeasureAnswer:
    """One measure."""
    found, stamp = await reader.at(plan)
    return MeasureAnswer(plan=found.code, measure=measure_in(found, code), stamp=stamp)


@router.get("/api/v1/progress/overdue", tags=["progress"], name="list_overdue")
async def list_overdue(
    reader: Reader, plan: Code | None = None, measure: Code | None = None, limit: Limit = 50, cursor: Cursor = None
) -> OverdueAnswer:
    """What of a plan or one of its measures is overdue on the day asked for, that for the longest first.

    How many there are stands in the plan's and the measure's progress.
    """
    _, found = await look_closer(reader.pool, plan, reader.question, measure=measure, after=cursor, limit=limit)
    return found


@router.get("/api/v1/progress/units", tags=["progress"], name="list_unit_progress")
async def units_progress(
    reader: Reader, kind: UnitKind | None = None, plan: Code | None = None, limit: Limit = 50, cursor: Cursor = None
) -> UnitsAnswer:
    """What each association unit answers for, helps with and leads in a plan, by the units' codes."""
    return await look_at_units(reader.pool, plan, reader.question, kind=kind, after=cursor, limit=limit)


@router.get("/api/v1/progress/units/{code}", tags=["progress"], name="read_unit_progress")
async def unit_progress(reader: Reader, code: Code, plan: Code | None = None) -> UnitAnswer:
    """One association unit in a plan."""
    return await look_at_unit(reader.pool, plan, reader.question, code)


@router.get(
    "/stream",
    tags=["stream"],
    name="stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events, without end"}},
)
async def stream(request: Request, last_event_id: Annotated[str | None, Header(max_length=40)] = None) -> EventStream:
    """Every change of a measure, as it is known; `Last-Event-ID` resumes, a `reset` says that too much was missed.

    Events: `measure` (its whole row, rated as of now, and `positions` of the commands that moved it), `hello`, `reset`.
    """
    broadcast: Broadcast = request.app.state.broadcast
    channel: Channel = request.app.state.json_channel
    broadcast.admit()
    return EventStream(broadcast, channel, last_event_id)
