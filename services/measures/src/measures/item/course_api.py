"""The door to what befalls an item on its way: notes, a due date that moves, another end than to be struck off."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from common.call import Call
from common.door import Door, needs
from common.http import JUST_DO_IT, Command
from common.store import Decided
from common.turns import by_the_row
from measures.item import commands
from measures.item.ending import reopen_item
from measures.item.extension import grant_extension, refuse_extension, request_extension, reschedule_item
from measures.item.note import note_progress
from measures.item.reminder import remind_owner
from measures.item.requests import CarryOver, DueDate, Merger, Progress, Reason, ReasonWithAuthority
from measures.item.store import items

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)


@router.post("/{item_id}/note", response_model=Decided, name="note_item_progress")
async def note(call: Annotated[Call, needs("item.note")], item_id: UUID, said: Progress) -> Response:
    """The owner or a co-unit says how the work goes; no figure changes by it."""
    on, words = call.effective(said.effective_on), said.model_dump(exclude={"effective_on"})
    return await items.change(call, item_id, lambda item: note_progress(item, **words, by=call.unit, on=on))


@router.post("/{item_id}/remind", response_model=Decided, name="remind_owner")
async def remind(call: Annotated[Call, needs("item.remind")], item_id: UUID, command: Command = JUST_DO_IT) -> Response:
    """Remind the owner (催办) of the day by which the item is to be done; not more often than once a week."""
    on, by = call.effective(command.effective_on), call.unit
    return await items.change(call, item_id, lambda item: remind_owner(item, by=by, on=on))


@router.post("/{item_id}/extension/request", response_model=Decided, name="request_extension")
async def ask_for_extension(
    call: Annotated[Call, needs("extension.request")], item_id: UUID, asked: DueDate
) -> Response:
    """The owner asks for a later due date; until the office has decided, the item is due as before."""
    on = call.effective(asked.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: request_extension(item, due_on=asked.due_on, reason=asked.reason, by=call.unit, on=on),
    )


@router.post("/{item_id}/extension/grant", response_model=Decided, name="grant_extension")
async def grant(
    call: Annotated[Call, needs("extension.grant")], item_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """Grant the extension that was asked for; the due date before is kept as a baseline."""
    on = call.effective(command.effective_on)
    return await items.change(call, item_id, lambda item: grant_extension(item, by=call.caller_unit, on=on))


@router.post("/{item_id}/extension/refuse", response_model=Decided, name="refuse_extension")
async def refuse(call: Annotated[Call, needs("extension.refuse")], item_id: UUID, why: Reason) -> Response:
    """Refuse the extension that was asked for, with a reason; the item is due as before."""
    on = call.effective(why.effective_on)
    return await items.change(
        call, item_id, lambda item: refuse_extension(item, reason=why.reason, by=call.caller_unit, on=on)
    )


@router.post("/{item_id}/reschedule", response_model=Decided, name="reschedule_item")
async def reschedule(call: Annotated[Call, needs("item.reschedule")], item_id: UUID, moved: DueDate) -> Response:
    """Move the due date for a reason; the day before is kept as a baseline."""
    on = call.effective(moved.effective_on)
    return await items.change(
        call,
        item_id,
        lambda item: reschedule_item(item, due_on=moved.due_on, reason=moved.reason, by=call.caller_unit, on=on),
    )


@router.post("/{item_id}/cancel", response_model=Decided, name="cancel_item")
async def cancel(call: Annotated[Call, needs("item.cancel")], item_id: UUID, why: ReasonWithAuthority) -> Response:
    """Give the item up, by an authority: it leaves the denominators and stays listed."""
    return await commands.cancel(call, item_id, why)


@router.post("/{item_id}/merge", response_model=Decided, name="merge_item")
async def merge(call: Annotated[Call, needs("item.merge")], item_id: UUID, merger: Merger) -> Response:
    """Another item of the same plan does what this one promised: this one leaves the denominators and stays listed."""
    return await commands.merge(call, item_id, merger)


@router.post("/{item_id}/carry-over", response_model=Decided, name="carry_over_item")
async def carry_over(call: Annotated[Call, needs("item.carry-over")], item_id: UUID, onward: CarryOver) -> Response:
    """A successor plan goes on with the item, once its own plan is in final evaluation; here it stays unfinished."""
    return await commands.carry_over(call, item_id, onward)


@router.post("/{item_id}/reopen", response_model=Decided, name="reopen_item")
async def reopen(call: Annotated[Call, needs("item.reopen")], item_id: UUID, why: ReasonWithAuthority) -> Response:
    """The item was wrongly closed: work on it goes on."""
    on = call.effective(why.effective_on)
    return await items.change_in_turn(
        call,
        item_id,
        by_the_row(
            lambda item: reopen_item(item, reason=why.reason, authority=why.authority, by=call.caller_unit, on=on)
        ),
    )
