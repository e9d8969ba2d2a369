"""The door to measures."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.call import Call
from common.contracts import Code
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Page, page
from common.store import Decided
from common.turns import by_the_row
from measures.measure import commands
from measures.measure.requests import Judgement, LeadGiven, TagsGiven, WhyReturned, WhySuspended
from measures.measure.store import list_measures, measures
from measures.plan.store import plan_in_force

router = APIRouter(prefix="/api/v1/measures", tags=["measures"], route_class=Door)


@router.get("", response_model=Page[measures.read_model], name="list_measures")  # type: ignore[name-defined]
async def list_(call: Annotated[Call, needs("measure.read")], plan: Code | None = None) -> Response:
    """All measures of a plan (by default the one in force) by code, on one page: also those that were not launched."""
    found = await list_measures(call, plan or await plan_in_force(call))
    return page(found, len(found), key=lambda measure: measure.code, show=lambda measure: measures.seen(call, measure))


@router.get("/{measure_id}", response_model=measures.read_model, name="read_measure")
async def read(call: Annotated[Call, needs("measure.read")], measure_id: UUID) -> Response:
    """One measure; its ETag is its version, 0 before its first command."""
    return await measures.read(call, measure_id)


@router.get("/{measure_id}/history", name="read_measure_history")
async def history(call: Annotated[Call, needs("measure.read")], measure_id: UUID) -> History:
    """All that happened to the measure, with its hash chain checked."""
    return await measures.history(call, measure_id)


@router.post("/{measure_id}/launch", response_model=Decided, name="launch_measure")
async def launch(
    call: Annotated[Call, needs("measure.launch")], measure_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """Open the work on a measure of an adopted plan."""
    on = call.effective(command.effective_on)
    return await measures.change(call, measure_id, lambda measure: measure.launch(by=call.caller_unit, on=on))


@router.post("/{measure_id}/lead", response_model=Decided, name="assign_measure_lead")
async def assign_lead(
    call: Annotated[Call, needs("measure.assign-lead")], request: Request, measure_id: UUID, lead: LeadGiven
) -> Response:
    """Name the unit that leads from this day on (牵头单位), and those that help; it judges none of the items then."""
    return await commands.assign_lead(call, request.app.state.directory, measure_id, lead)


@router.post("/{measure_id}/tags", response_model=Decided, name="tag_measure")
async def tag(call: Annotated[Call, needs("measure.tag")], measure_id: UUID, tags: TagsGiven) -> Response:
    """Say what the measure is for; these tags take the place of all before."""
    on = call.effective(tags.effective_on)
    return await measures.change(
        call, measure_id, lambda measure: measure.tag(tags.as_tags(), by=call.caller_unit, on=on)
    )


@router.post("/{measure_id}/suspend", response_model=Decided, name="suspend_measure")
async def suspend(call: Annotated[Call, needs("measure.suspend")], measure_id: UUID, why: WhySuspended) -> Response:
    """Hold the measure up: it stays in the denominators, and no date of its items moves."""
    on = call.effective(why.effective_on)
    return await measures.change(
        call, measure_id, lambda measure: measure.suspend(reason=why.reason, by=call.caller_unit, on=on)
    )


@router.post("/{measure_id}/resume", response_model=Decided, name="resume_measure")
async def resume(
    call: Annotated[Call, needs("measure.resume")], measure_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """Let the measure go on where it stood."""
    on = call.effective(command.effective_on)
    return await measures.change(call, measure_id, lambda measure: measure.resume(by=call.caller_unit, on=on))


@router.post("/{measure_id}/submit", response_model=Decided, name="submit_measure")
async def submit(
    call: Annotated[Call, needs("measure.submit")], measure_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """The lead puts the measure before the judges (报请验收): all its items have ended."""
    on = call.effective(command.effective_on)
    return await measures.change_in_turn(
        call, measure_id, by_the_row(lambda measure: measure.submit(by=call.unit, on=on))
    )


@router.post("/{measure_id}/accept", response_model=Decided, name="accept_measure")
async def accept(
    call: Annotated[Call, needs("measure.accept")], request: Request, measure_id: UUID, judgement: Judgement
) -> Response:
    """Judge the measure done (验收); whoever took part in it neither judges nor reviews."""
    return await commands.accept(call, request.app.state.directory, measure_id, judgement)


@router.post("/{measure_id}/return", response_model=Decided, name="return_measure")
async def return_(call: Annotated[Call, needs("measure.return")], measure_id: UUID, why: WhyReturned) -> Response:
    """Send the measure back, with a reason; work on it goes on."""
    on = call.effective(why.effective_on)
    return await measures.change(
        call, measure_id, lambda measure: measure.return_to_lead(reason=why.reason, by=call.unit, on=on)
    )
