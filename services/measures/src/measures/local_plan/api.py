"""The door to local plans."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.call import Call
from common.contracts import Code
from common.directory import Directory
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Limit, Page, page
from common.store import Decided
from measures.local_plan import commands
from measures.local_plan.requests import Filing, LocalPlanDraft, LocalReason, Redraft
from measures.local_plan.rules import LocalPlanState
from measures.local_plan.store import LocalPlanFilter, list_local_plans, local_plans

router = APIRouter(prefix="/api/v1/local-plans", tags=["local plans"], route_class=Door)


@router.post("", status_code=201, response_model=Decided, name="draft_local_plan")
async def draft(call: Annotated[Call, needs("local-plan.draft")], local_plan: LocalPlanDraft) -> Response:
    """Put down how the caller's unit carries measures of the municipal plan out."""
    return await commands.draft(call, local_plan)


@router.post("/{local_plan_id}/redraft", response_model=Decided, name="redraft_local_plan")
async def redraft(call: Annotated[Call, needs("local-plan.redraft")], local_plan_id: UUID, words: Redraft) -> Response:
    """Put a draft, or what was returned, in other words."""
    return await commands.redraft(call, local_plan_id, words)


@router.post("/{local_plan_id}/submit", response_model=Decided, name="submit_local_plan")
async def submit(
    call: Annotated[Call, needs("local-plan.submit")], local_plan_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """Give the plan to the reform office, to be filed."""
    on = call.effective(command.effective_on)
    return await local_plans.change(call, local_plan_id, lambda local: local.submit(by=call.unit, on=on))


@router.post("/{local_plan_id}/return", response_model=Decided, name="return_local_plan")
async def return_(call: Annotated[Call, needs("local-plan.return")], local_plan_id: UUID, why: LocalReason) -> Response:
    """Send the plan back to its unit, with a reason."""
    on = call.effective(why.effective_on)
    return await local_plans.change(
        call, local_plan_id, lambda local: local.return_to_unit(reason=why.reason, by=call.caller_unit, on=on)
    )


@router.post("/{local_plan_id}/file", response_model=Decided, name="file_local_plan")
async def file(call: Annotated[Call, needs("local-plan.file")], local_plan_id: UUID, filing: Filing) -> Response:
    """Put the plan on file (备案); from then on it takes items."""
    on = call.effective(filing.effective_on)
    return await local_plans.change(
        call, local_plan_id, lambda local: local.file(filing_number=filing.filing_number, by=call.caller_unit, on=on)
    )


@router.post("/{local_plan_id}/enter-into-force", response_model=Decided, name="enter_local_plan_into_force")
async def enter_into_force(
    call: Annotated[Call, needs("local-plan.enter-into-force")], local_plan_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """The unit carries its plan out from that day on."""
    on = call.effective(command.effective_on)
    return await local_plans.change(call, local_plan_id, lambda local: local.enter_into_force(by=call.unit, on=on))


@router.post("/{local_plan_id}/close", response_model=Decided, name="close_local_plan")
async def close(call: Annotated[Call, needs("local-plan.close")], local_plan_id: UUID, why: LocalReason) -> Response:
    """The plan is over, carried out or given up; none of its items is open."""
    return await commands.close(call, local_plan_id, why)


@router.get("", response_model=Page[local_plans.read_model], name="list_local_plans")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("local-plan.read")],
    request: Request,
    plan: Code | None = None,
    state: LocalPlanState | None = None,
    unit: Code | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Local plans by code: those that the caller may know of."""
    directory: Directory = request.app.state.directory
    of = await directory.unit(unit, pointer="/query/unit") if unit else None
    wanted = LocalPlanFilter(plan=plan, state=state, unit=of.id if of else None)
    found = await list_local_plans(call, wanted, after=cursor, limit=limit)
    return page(found, limit, key=lambda local: local.code, show=lambda local: local_plans.seen(call, local))


@router.get("/{local_plan_id}", response_model=local_plans.read_model, name="read_local_plan")
async def read(call: Annotated[Call, needs("local-plan.read")], local_plan_id: UUID) -> Response:
    """One local plan and what the caller may do next; its ETag is its version."""
    return await local_plans.read(call, local_plan_id)


@router.get("/{local_plan_id}/history", name="read_local_plan_history")
async def history(call: Annotated[Call, needs("local-plan.read")], local_plan_id: UUID) -> History:
    """All that happened to the local plan, with its hash chain checked."""
    return await local_plans.history(call, local_plan_id)
