"""What a measure's command needs beyond the measure: the units that it names, from the directory."""

from collections.abc import Callable
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.decision import Change
from common.directory import Directory
from common.http import Command
from measures.measure.domain import Measure
from measures.measure.requests import Judgement, LeadGiven
from measures.measure.store import measures


async def assign_lead(call: Call, directory: Directory, measure_id: UUID, request: LeadGiven) -> Response:
    """A unit leads the measure from that day on, and others help.

    :raises Refused: ``unit.unknown``, and what ``Measure.assign_lead`` refuses.
    """
    on = call.effective(request.effective_on)
    lead = await directory.unit(request.lead_unit, pointer="/lead_unit")
    co_units = [(await directory.unit(code, pointer=f"/co_units/{n}")).id for n, code in enumerate(request.co_units)]
    return await measures.change(
        call,
        measure_id,
        lambda measure: measure.assign_lead(lead=lead.id, co_units=tuple(co_units), by=call.caller_unit, on=on),
    )


async def submit(call: Call, measure_id: UUID, request: Command) -> Response:
    """The lead puts the measure before the judges; its items, read beside it, stay as they are meanwhile.

    :raises Refused: what ``Measure.submit`` refuses.
    """
    on = call.effective(request.effective_on)

    async def look(_own: Call) -> Callable[[Measure], Change[Measure]]:
        return lambda measure: measure.submit(by=call.unit, on=on)

    return await measures.change_in_turn(call, measure_id, look)


async def accept(call: Call, directory: Directory, measure_id: UUID, request: Judgement) -> Response:
    """The measure is judged done.

    :raises Refused: ``unit.unknown``, and what ``Measure.accept`` refuses.
    """
    on = call.effective(request.effective_on)
    reviewers = [await directory.unit(code, pointer=f"/reviewers/{n}") for n, code in enumerate(request.reviewers)]

    async def look(_own: Call) -> Callable[[Measure], Change[Measure]]:
        return lambda measure: measure.accept(score=request.score, reviewers=tuple(reviewers), by=call.unit, on=on)

    return await measures.change_in_turn(call, measure_id, look)
