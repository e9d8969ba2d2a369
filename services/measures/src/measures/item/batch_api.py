"""The door to many judgements at once: each row is a decision of its own, with a verdict of its own."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from common.call import Call
from common.decision import Refused
from common.door import Door, needs
from common.http import Body, Command
from common.problems import language_of
from common.replies import KEY_REUSED
from measures.item.domain import Item
from measures.item.store import items

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)
ROW_SHOWN: Final[dict[str, Any]] = {"item": "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f", "number": 2, "version": 7}


class Row(Body):
    """One milestone to be verified."""

    item: UUID
    number: int = Field(ge=1, le=99)
    """The milestone's number within the item."""
    version: int | None = Field(default=None, ge=1)
    """The version of the item that the caller has seen, as ``If-Match`` would say it; left out, any will do."""


class Batch(Command):
    """Milestones of any items, to be verified in this order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rows": [ROW_SHOWN], "effective_on": "2022-09-30"}]})

    rows: tuple[Row, ...] = Field(min_length=1, max_length=100)


class Verdict(BaseModel):
    """What became of one row."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    item: UUID
    number: int
    verified: bool
    """Whether the milestone is verified now, by this request or before it."""
    position: str | None = Field(default=None, examples=["0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f@8"])
    """``<id>@<version>`` of the item: give it as ``min_position`` to a view."""
    code: str | None = Field(default=None, examples=["judge.not-independent"])
    """Why it was refused, if it was."""
    detail: str | None = None
    """The same for people, in the caller's language."""


class Verdicts(BaseModel):
    """The verdicts in the order of the rows."""

    rows: list[Verdict]


@router.post("/verify-batch", response_model=Verdicts, name="verify_milestones")
async def verify_milestones(
    call: Annotated[Call, needs("milestone.verify")], request: Request, batch: Batch
) -> Verdicts:
    """Verify many reported milestones; one that is refused stands in the way of no other."""
    on, by = call.effective(batch.effective_on), call.unit
    language = language_of(request.headers.get("accept-language"))
    rows: list[Verdict] = []
    for place, row in enumerate(batch.rows):
        own = replace(call, key=f"{call.key}/{place}" if call.key else None, expected_version=row.version)
        told = Verdict(item=row.item, number=row.number, verified=False)
        try:
            reply = await items.change(own, row.item, partial(Item.verify_milestone, number=row.number, by=by, on=on))
            told.verified, told.position = True, orjson.loads(reply.body)["position"]
        except Refused as refused:
            if refused.refusal is KEY_REUSED:
                raise  # the whole request is another than before
            told.code, told.detail = refused.refusal.code, refused.say(language)
        rows.append(told)
    return Verdicts(rows=rows)
