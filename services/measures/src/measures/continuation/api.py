"""The door by which a successor plan goes on with what was carried over."""

from typing import Annotated

from fastapi import APIRouter, Response

from common.call import Call
from common.door import Door, needs
from common.store import Decided
from measures.continuation import commands
from measures.continuation.requests import Continuation

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)


@router.post("/continuations", status_code=201, response_model=Decided, name="continue_item")
async def continue_(call: Annotated[Call, needs("item.add")], continuation: Continuation) -> Response:
    """Put an item that was carried over on the successor's list, with its unfinished milestones alone."""
    return await commands.continue_carried(call, continuation)
