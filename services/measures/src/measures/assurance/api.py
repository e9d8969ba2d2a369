"""The door to independent ratings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from common.call import Call
from common.contracts import Code
from common.cursors import id_in
from common.door import Door, needs
from common.history import History
from common.http import Cursor, Limit, Page, page
from common.store import Decided
from measures.assurance import commands
from measures.assurance.domain import AssuranceState
from measures.assurance.requests import AssuranceGiving, RatingGiven, Withdrawal
from measures.assurance.store import assurances, list_assurances
from measures.plan.store import plan_in_force

router = APIRouter(prefix="/api/v1/assurances", tags=["assurances"], route_class=Door)


@router.post("", status_code=201, response_model=Decided, name="give_assurance")
async def give(call: Annotated[Call, needs("assurance.give")], giving: AssuranceGiving) -> Response:
    """Rate a measure or an item for the first time; nobody rates their own work."""
    return await commands.give(call, giving)


@router.post("/{assurance_id}/give", response_model=Decided, name="give_assurance_anew")
async def give_anew(call: Annotated[Call, needs("assurance.give")], assurance_id: UUID, given: RatingGiven) -> Response:
    """Rate it anew; the rating that held until then holds no longer."""
    on, by = call.effective(given.effective_on), call.unit
    told = given.model_dump(exclude={"effective_on"})
    return await assurances.change(call, assurance_id, lambda assurance: assurance.give(by=by, on=on, **told))


@router.post("/{assurance_id}/withdraw", response_model=Decided, name="withdraw_assurance")
async def withdraw(call: Annotated[Call, needs("assurance.withdraw")], assurance_id: UUID, why: Withdrawal) -> Response:
    """Take the rating back, with a reason; nothing holds in its place."""
    on, by = call.effective(why.effective_on), call.unit
    return await assurances.change(
        call, assurance_id, lambda assurance: assurance.withdraw(reason=why.reason, by=by, on=on)
    )


@router.get("", response_model=Page[assurances.read_model], name="list_assurances")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("assurance.read")],
    plan: Code | None = None,
    subject: Code | None = None,
    state: AssuranceState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Ratings in a plan (by default the one in force), the oldest first: those that the caller may know of."""
    found = await list_assurances(
        call, plan=plan or await plan_in_force(call), subject=subject, state=state, after=id_in(cursor), limit=limit
    )
    return page(found, limit, key=lambda one: str(one.id), show=lambda one: assurances.seen(call, one))


@router.get("/{assurance_id}", response_model=assurances.read_model, name="read_assurance")
async def read(call: Annotated[Call, needs("assurance.read")], assurance_id: UUID) -> Response:
    """One assurance and what the caller may do next; its ETag is its version."""
    return await assurances.read(call, assurance_id)


@router.get("/{assurance_id}/history", name="read_assurance_history")
async def history(call: Annotated[Call, needs("assurance.read")], assurance_id: UUID) -> History:
    """All ratings that were ever given, with the hash chain checked."""
    return await assurances.history(call, assurance_id)
