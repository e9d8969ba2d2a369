"""What a measure's command needs beyond the measure: the units that it names, from the directory."""

from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.directory import Directory
from common.turns import by_the_row
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


async def accept(call: Call, directory: Directory, measure_id: UUID, request: Judgement) -> Response:
    """The measure is judged done.

    :raises Refused: ``unit.unknown``, and what ``Measure.accept`` refuses.
    """
    on = call.effective(request.effective_on)
    reviewers = [await directory.unit(code, pointer=f"/reviewers/{n}") for n, code in enumerate(request.reviewers)]
    return await measures.change_in_turn(
        call,
        measure_id,
        by_the_row(
            lambda measure: measure.accept(score=request.score, reviewers=tuple(reviewers), by=call.unit, on=on)
        ),
    )
