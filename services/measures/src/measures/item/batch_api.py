"""The door to many items at once, to judge or to remind: each row is a decision and has a verdict of its own."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from common.call import Call
from common.decision import Change, Refused
from common.door import Door, needs
from common.http import Body, Command, Number
from common.problems import language_of
from common.replies import KEY_REUSED, first_reply
from measures.item.domain import Item
from measures.item.reminder import remind_owner
from measures.item.store import items

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)
ROW_SHOWN: Final[dict[str, Any]] = {"item": "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f", "number": 2, "version": 7}


class Row(Body):
    """One item of a batch."""

    item: UUID
    version: Number | None = Field(default=None, ge=1)
    """The version of the item that the caller has seen, as ``If-Match`` would say it; left out, any will do."""


class MilestoneRow(Row):
    """One milestone to be verified."""

    number: Number = Field(ge=1, le=99)
    """The milestone's number within the item."""


class Batch(Command):
    """Milestones of any items, to be verified in this order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rows": [ROW_SHOWN], "effective_on": "2022-09-30"}]})

    rows: tuple[MilestoneRow, ...] = Field(min_length=1, max_length=100)


class Reminders(Command):
    """Items whose owners are to be reminded, in this order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rows": [{"item": ROW_SHOWN["item"]}], "effective_on": "2024-06-01"}]}
    )

    rows: tuple[Row, ...] = Field(min_length=1, max_length=100)


class Answer(BaseModel):
    """What became of one row."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    item: UUID
    position: str | None = Field(default=None, examples=["0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f@8"])
    """``<id>@<version>`` of the item: give it as ``min_position`` to a view."""
    code: str | None = Field(default=None, examples=["judge.not-independent"])
    """Why it was refused, if it was."""
    detail: str | None = None
    """The same for people, in the caller's language."""


class Verdict(Answer):
    """What became of one milestone."""

    number: int
    verified: bool = False
    """Whether the milestone is verified now, by this request or before it."""


class Verdicts(BaseModel):
    """The verdicts in the order of the rows."""

    rows: list[Verdict]


class Reminded(Answer):
    """What became of one reminder."""

    reminded: bool = False
    """Whether the owner was reminded on that day, by this request or before it."""


class AllReminded(BaseModel):
    """What became of the reminders, in the order of the rows."""

    rows: list[Reminded]


@router.post("/verify-batch", response_model=Verdicts, name="verify_milestones")
async def verify_milestones(
    call: Annotated[Call, needs("milestone.verify")], request: Request, batch: Batch
) -> Verdicts:
    """Verify many reported milestones; one that is refused stands in the way of no other."""
    on, by = call.effective(batch.effective_on), call.unit
    rows = [Verdict(item=row.item, number=row.number) for row in batch.rows]
    for place, (row, told) in enumerate(zip(batch.rows, rows, strict=True)):
        verify = partial(Item.verify_milestone, number=row.number, by=by, on=on)
        told.verified = await _decide(call, request, place, row, verify, told)
    return Verdicts(rows=rows)


@router.post("/remind-batch", response_model=AllReminded, name="remind_owners")
async def remind_owners(call: Annotated[Call, needs("item.remind")], request: Request, batch: Reminders) -> AllReminded:
    """Remind the owners of many items (催办); one that is refused stands in the way of no other."""
    on, by = call.effective(batch.effective_on), call.unit
    rows = [Reminded(item=row.item) for row in batch.rows]
    for place, (row, told) in enumerate(zip(batch.rows, rows, strict=True)):
        told.reminded = await _decide(call, request, place, row, partial(remind_owner, by=by, on=on), told)
    return AllReminded(rows=rows)


async def _decide(
    call: Call, request: Request, place: int, row: Row, decide: Callable[[Item], Change[Item]], told: Answer
) -> bool:
    """Whether one row's decision holds now; what it came to, or why it was refused, is put into ``told``."""
    own = replace(call, key=f"{call.key}/{place}" if call.key else None, expected_version=row.version)
    try:
        reply = await first_reply(own, lambda: items.change(own, row.item, decide))
    except Refused as refused:
        if refused.refusal is KEY_REUSED:
            raise  # the whole request is another than before
        language = language_of(request.headers.get("accept-language"))
        told.code, told.detail = refused.refusal.code, refused.say(language)
        return False
    told.position = orjson.loads(reply.body)["position"]
    return True
