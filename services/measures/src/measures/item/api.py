"""The door to reform items and their milestones."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from common.call import Call
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Limit, Page, page
from common.store import Decided
from measures.item import commands
from measures.item.asked import ItemsAsked
from measures.item.lists import ItemOrder, find_items, place
from measures.item.requests import (
    Attainment,
    Claim,
    ItemAddition,
    MilestonePlan,
    NewDate,
    Reason,
    ReasonWithAuthority,
)
from measures.item.store import items
from measures.running import directory_of

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)
Number = Annotated[int, Path(ge=1, le=99, description="The milestone's number within the item")]


@router.post("", status_code=201, response_model=Decided, name="add_item")
async def add(call: Annotated[Call, needs("item.add")], request: Request, item: ItemAddition) -> Response:
    """Put an item on the list of one measure of an adopted plan."""
    return await commands.add(call, directory_of(request), item)


@router.get("", response_model=Page[items.read_model], name="list_items")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("item.read")],
    request: Request,
    asked: Annotated[ItemsAsked, Depends()],
    sort: ItemOrder = ItemOrder.CODE,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Items of a plan (by default the one in force) by code or due date: those that the caller may know of."""
    wanted = await asked.wanted(call, directory_of(request))
    found = await find_items(call, wanted, order=sort, after=cursor, limit=limit)
    return page(found, limit, key=lambda row: place(row, sort), show=lambda row: items.shown(call, row))


@router.get("/{item_id}", response_model=items.read_model, name="read_item")
async def read(call: Annotated[Call, needs("item.read")], item_id: UUID) -> Response:
    """One item with its milestones and what the caller may do next; its ETag is its version."""
    return await items.read(call, item_id)


@router.get("/{item_id}/history", name="read_item_history")
async def history(call: Annotated[Call, needs("item.read")], item_id: UUID) -> History:
    """All that happened to the item: who, when, effective when, what; with its hash chain checked."""
    return await items.history(call, item_id)


@router.post("/{item_id}/assign", response_model=Decided, name="assign_item")
async def assign(call: Annotated[Call, needs("item.assign")], item_id: UUID, command: Command = JUST_DO_IT) -> Response:
    """Hand the item to its owner."""
    on = call.effective(command.effective_on)
    return await items.change(call, item_id, lambda item: item.assign(by=call.caller_unit, on=on))


@router.post("/{item_id}/acknowledge", response_model=Decided, name="acknowledge_item")
async def acknowledge(
    call: Annotated[Call, needs("item.acknowledge")], item_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """The owner has received the item (签收)."""
    on = call.effective(command.effective_on)
    return await items.change(call, item_id, lambda item: item.acknowledge(by=call.unit, on=on))


@router.post("/{item_id}/start", response_model=Decided, name="start_item")
async def start(call: Annotated[Call, needs("item.start")], item_id: UUID, command: Command = JUST_DO_IT) -> Response:
    """Work has begun."""
    on = call.effective(command.effective_on)
    return await items.change(call, item_id, lambda item: item.start(by=call.unit, on=on))


@router.post("/{item_id}/report-done", response_model=Decided, name="report_item_done")
async def report_done(call: Annotated[Call, needs("item.report-done")], item_id: UUID, done: Claim) -> Response:
    """The owner says that the item is done."""
    on = call.effective(done.effective_on)
    return await items.change(call, item_id, lambda item: item.report_done(claim=done.claim, by=call.unit, on=on))


@router.post("/{item_id}/return", response_model=Decided, name="return_item")
async def return_(call: Annotated[Call, needs("item.return")], item_id: UUID, why: Reason) -> Response:
    """Send the claim that the item is done back, with a reason."""
    on = call.effective(why.effective_on)
    return await items.change(call, item_id, lambda item: item.return_to_owner(reason=why.reason, by=call.unit, on=on))


@router.post("/{item_id}/close", response_model=Decided, name="close_item")
async def close(call: Annotated[Call, needs("item.close")], item_id: UUID, command: Command = JUST_DO_IT) -> Response:
    """Judge the item done and strike it off (销号)."""
    return await commands.close(call, item_id, command)


@router.post("/{item_id}/milestones", response_model=Decided, name="plan_milestone")
async def plan_milestone(
    call: Annotated[Call, needs("milestone.plan")], item_id: UUID, milestone: MilestonePlan
) -> Response:
    """Put a further milestone into the item."""
    on = call.effective(milestone.effective_on)
    return await items.change(call, item_id, lambda item: item.plan_milestone(milestone.as_planned(), on=on))


@router.post("/{item_id}/milestones/{number}/report", response_model=Decided, name="report_milestone")
async def report_milestone(
    call: Annotated[Call, needs("milestone.report")], item_id: UUID, number: Number, attained: Attainment
) -> Response:
    """The owner says on which day the milestone was attained."""
    on = call.effective(attained.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: item.report_milestone(
            number, attained_on=attained.attained_on, note=attained.note, by=call.unit, on=on
        ),
    )


@router.post("/{item_id}/milestones/{number}/verify", response_model=Decided, name="verify_milestone")
async def verify_milestone(
    call: Annotated[Call, needs("milestone.verify")], item_id: UUID, number: Number, command: Command = JUST_DO_IT
) -> Response:
    """A reported milestone counts, from the day it was attained; nobody judges their own work."""
    on = call.effective(command.effective_on)
    return await items.change(call, item_id, lambda item: item.verify_milestone(number, by=call.unit, on=on))


@router.post("/{item_id}/milestones/{number}/return", response_model=Decided, name="return_milestone")
async def return_milestone(
    call: Annotated[Call, needs("milestone.return")], item_id: UUID, number: Number, why: Reason
) -> Response:
    """Send the report about a milestone back, with a reason."""
    on = call.effective(why.effective_on)
    return await items.change(
        call, item_id, lambda item: item.return_milestone(number, reason=why.reason, by=call.unit, on=on)
    )


@router.post("/{item_id}/milestones/{number}/revoke", response_model=Decided, name="revoke_verification")
async def revoke_verification(
    call: Annotated[Call, needs("milestone.revoke")], item_id: UUID, number: Number, why: ReasonWithAuthority
) -> Response:
    """A milestone was wrongly verified: it no longer counts and must be reported anew."""
    on = call.effective(why.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: item.revoke_verification(number, reason=why.reason, authority=why.authority, by=call.unit, on=on),
    )


@router.post("/{item_id}/milestones/{number}/reschedule", response_model=Decided, name="reschedule_milestone")
async def reschedule_milestone(
    call: Annotated[Call, needs("milestone.reschedule")], item_id: UUID, number: Number, moved: NewDate
) -> Response:
    """Plan a milestone for another day; the day before is kept as its baseline."""
    on = call.effective(moved.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: item.reschedule_milestone(number, planned_on=moved.planned_on, reason=moved.reason, on=on),
    )


@router.post("/{item_id}/milestones/{number}/cancel", response_model=Decided, name="cancel_milestone")
async def cancel_milestone(
    call: Annotated[Call, needs("milestone.cancel")], item_id: UUID, number: Number, why: ReasonWithAuthority
) -> Response:
    """A milestone leaves the denominators, by an authority, and stays listed."""
    on = call.effective(why.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: item.cancel_milestone(number, reason=why.reason, authority=why.authority, on=on),
    )
