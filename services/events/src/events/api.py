"""The door to the views: progress as JSON, and the stream of what changes."""

from typing import Annotated

from common.contracts import Code
from common.http import open_to_all
from fastapi import APIRouter, Depends, Header, Request, Response

from events.asked import Asked, AsOf, KnownAt, MinPosition, asked, wait_for
from events.stream import Broadcast, Channel, EventStream
from events.tables import PROJECTION
from events.views.plan import (
    AspectsAnswer,
    MeasureAnswer,
    MeasuresAnswer,
    PlanAnswer,
    PlanOverview,
    Stamped,
    look,
    measure_in,
)

router = APIRouter(dependencies=[Depends(open_to_all)])


async def _seen(
    request: Request, plan: str | None, as_of: AsOf, known_at: KnownAt, min_position: MinPosition
) -> tuple[PlanOverview, Stamped]:
    pool = request.app.state.pool
    question: Asked = asked(as_of, known_at)
    await wait_for(pool, PROJECTION, min_position)
    found, stamp = await look(pool, plan, question)
    return found, Stamped(stamp=stamp)


@router.get("/api/v1/progress/plans/{code}", tags=["progress"], name="read_plan_progress")
async def plan_progress(
    request: Request, code: Code, as_of: AsOf = None, known_at: KnownAt = None, min_position: MinPosition = None
) -> PlanAnswer:
    """A plan with its aspects and measures."""
    plan, stamped = await _seen(request, code, as_of, known_at, min_position)
    return PlanAnswer(plan=plan, stamp=stamped.stamp)


@router.get("/api/v1/progress/aspects", tags=["progress"], name="list_aspect_progress")
async def aspects_progress(
    request: Request,
    plan: Code | None = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> AspectsAnswer:
    """The aspects of a plan, each the mean of its measures."""
    found, stamped = await _seen(request, plan, as_of, known_at, min_position)
    return AspectsAnswer(plan=found.code, aspects=found.aspects, stamp=stamped.stamp)


@router.get("/api/v1/progress/measures", tags=["progress"], name="list_measure_progress")
async def measures_progress(
    request: Request,
    plan: Code | None = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> MeasuresAnswer:
    """The measures of a plan in its own order."""
    found, stamped = await _seen(request, plan, as_of, known_at, min_position)
    measures = [measure for aspect in found.aspects for measure in aspect.measures]
    return MeasuresAnswer(plan=found.code, measures=measures, stamp=stamped.stamp)


@router.get("/api/v1/progress/measures/{code}", tags=["progress"], name="read_measure_progress")
async def measure_progress(
    request: Request,
    code: Code,
    plan: Code | None = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> MeasureAnswer:
    """One measure."""
    found, stamped = await _seen(request, plan, as_of, known_at, min_position)
    return MeasureAnswer(plan=found.code, measure=measure_in(found, code), stamp=stamped.stamp)


@router.get(
    "/stream",
    tags=["stream"],
    name="stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events, without end"}},
)
async def stream(request: Request, last_event_id: Annotated[str | None, Header(max_length=40)] = None) -> EventStream:
    """Every change of a measure, as it is known; `Last-Event-ID` resumes, a `reset` says that too much was missed.

    Events: `measure` (the measure's whole row, and `positions` of the commands that moved it), `hello`, `reset`.
    """
    broadcast: Broadcast = request.app.state.broadcast
    channel: Channel = request.app.state.json_channel
    broadcast.admit()
    return EventStream(broadcast, channel, last_event_id)
