"""The door to risks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.call import Call
from common.contracts import Code
from common.door import Door, needs
from common.history import History
from common.http import Cursor, Limit, Page, page
from common.store import Decided
from measures.plan.store import plan_in_force
from measures.risk import commands
from measures.risk.domain import RiskState
from measures.risk.requests import Mitigation, Outcome, Reassessment, RiskGiven
from measures.risk.store import list_risks, risks
from measures.running import directory_of

router = APIRouter(prefix="/api/v1/risks", tags=["risks"], route_class=Door)


@router.post("", status_code=201, response_model=Decided, name="raise_risk")
async def raise_(call: Annotated[Call, needs("risk.raise")], request: Request, risk: RiskGiven) -> Response:
    """Put a risk to a measure or an item on record, with the unit that answers for it."""
    return await commands.raise_(call, directory_of(request), risk)


@router.post("/{risk_id}/reassess", response_model=Decided, name="reassess_risk")
async def reassess(call: Annotated[Call, needs("risk.reassess")], risk_id: UUID, seen: Reassessment) -> Response:
    """Say anew how likely it is and what it would do."""
    on, by = call.effective(seen.effective_on), call.unit
    told = seen.model_dump(exclude={"effective_on"})
    return await risks.change(call, risk_id, lambda risk: risk.reassess(by=by, on=on, **told))


@router.post("/{risk_id}/mitigate", response_model=Decided, name="mitigate_risk")
async def mitigate(call: Annotated[Call, needs("risk.mitigate")], risk_id: UUID, done: Mitigation) -> Response:
    """Say what is done about it."""
    on, by = call.effective(done.effective_on), call.unit
    return await risks.change(call, risk_id, lambda risk: risk.mitigate(response=done.response, by=by, on=on))


@router.post("/{risk_id}/close", response_model=Decided, name="close_risk")
async def close(call: Annotated[Call, needs("risk.close")], risk_id: UUID, end: Outcome) -> Response:
    """It is over, and what was feared did not happen."""
    on, by = call.effective(end.effective_on), call.unit
    return await risks.change(call, risk_id, lambda risk: risk.close(outcome=end.outcome, by=by, on=on))


@router.post("/{risk_id}/materialise", response_model=Decided, name="materialise_risk")
async def materialise(call: Annotated[Call, needs("risk.materialise")], risk_id: UUID, end: Outcome) -> Response:
    """What was feared has happened."""
    on, by = call.effective(end.effective_on), call.unit
    return await risks.change(call, risk_id, lambda risk: risk.materialise(outcome=end.outcome, by=by, on=on))


@router.get("", response_model=Page[risks.read_model], name="list_risks")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("risk.read")],
    plan: Code | None = None,
    subject: Code | None = None,
    state: RiskState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Risks of a plan (by default the one in force) by code: those that the caller may know of."""
    found = await list_risks(
        call, plan=plan or await plan_in_force(call), subject=subject, state=state, after=cursor, limit=limit
    )
    return page(found, limit, key=lambda risk: risk.code, show=lambda risk: risks.seen(call, risk))


@router.get("/{risk_id}", response_model=risks.read_model, name="read_risk")
async def read(call: Annotated[Call, needs("risk.read")], risk_id: UUID) -> Response:
    """One risk and what the caller may do next; its ETag is its version."""
    return await risks.read(call, risk_id)


@router.get("/{risk_id}/history", name="read_risk_history")
async def history(call: Annotated[Call, needs("risk.read")], risk_id: UUID) -> History:
    """All that happened to the risk, with its hash chain checked."""
    return await risks.history(call, risk_id)
