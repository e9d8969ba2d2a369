"""The door to the inbox: what waits for whoever asks."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from common.call import Call
from common.cursors import CURSOR_INVALID
from common.door import Door, needs
from common.http import Cursor, Page
from measures.inbox.store import Place, waiting_for
from measures.inbox.waiting import Noun

router = APIRouter(prefix="/api/v1/inbox", tags=["inbox"], route_class=Door)


class EntryShown(BaseModel):
    """Something that waits for the caller."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    noun: Noun
    id: UUID
    code: str | None = Field(examples=["B2-03"])
    """Of evidence the number of the document, if it has one."""
    title_zh: str
    title_en: str
    """Of evidence as in Chinese: a document has one title."""
    waits: tuple[str, ...] = Field(examples=[["milestones/2/verify", "milestones/2/return"]])
    """The steps that the caller may take now, as paths relative to the link."""
    since: date
    """Since which day it waits."""
    due_on: date | None
    """When the item is due; nothing else has such a day."""
    link: str = Field(examples=["/api/v1/items/0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f"])


@router.get("", name="read_inbox")
async def read(
    call: Annotated[Call, needs("inbox.open")],
    limit: Annotated[int, Query(ge=1, le=50)] = 50,
    cursor: Cursor = None,
) -> Page[EntryShown]:
    """What waits for the caller, oldest due first; what has no due date is taken by the day since which it waits.

    A page may hold fewer than ``limit``, even none: the list is at its end only where ``next`` is absent.
    """
    entries, after = await waiting_for(call, after=_placed(cursor), limit=limit)
    return Page(items=[EntryShown.model_validate(entry) for entry in entries], next=_told(after))


def _placed(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    day, _, id_ = cursor.partition("/")
    try:
        return Place(date.fromisoformat(day), UUID(id_))
    except ValueError:
        raise CURSOR_INVALID(pointer="/query/cursor") from None


def _told(place: Place | None) -> str | None:
    return f"{place.day}/{place.id}" if place else None
