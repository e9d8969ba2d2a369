"""The lists of items that an office works with: filtered, in one order, page by page along an index."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from common.call import Call
from common.clock import business_date
from common.contracts.measures import ItemTag
from common.cursors import CURSOR_INVALID, code_in
from common.roles import Scope
from measures.asking import Asking
from measures.evidence.store import PARTAKEN
from measures.item.rules import TERMINAL, ItemState
from measures.item.store import items
from measures.measure.store import LED_BY


class ItemOrder(StrEnum):
    """In which order a list is read: by code, or what is due first."""

    CODE = "code"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items of a plan are asked for; what is None does not matter."""

    plan: str
    measure: str | None = None
    state: ItemState | None = None
    owner: UUID | None = None
    local_plan: str | None = None
    tag: ItemTag | None = None
    due_from: date | None = None
    due_to: date | None = None
    """The last day of the range, itself within it."""
    late: bool | None = None
    """Whether it is past its due date and has not ended: that follows from the day of the question alone."""
    text: str | None = None
    """What its code or one of its titles contains."""


async def find_items(
    call: Call, wanted: ItemFilter, *, order: ItemOrder, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """The rows of items in an order, only those that the caller may know of, one more than ``limit`` if there are more.

    :param after: what ``place`` says of the last row of the page before.
    :raises Refused: ``request.cursor-invalid``.
    """
    asking = Asking()
    asking.where("plan = {}", wanted.plan)
    _ask_what(asking, wanted, today=business_date(call.now))
    _ask_whose(asking, call)
    if after is not None:
        _ask_after(asking, order, after)
    return await call.service.pool.fetch(
        f"SELECT {items.selection} FROM item found WHERE {asking} "  # noqa: S608 - our own words
        f"ORDER BY {'due_on, code' if order is ItemOrder.DUE else 'code'} LIMIT {limit + 1:d}",
        *asking.parameters,
    )


def theirs(scope: Scope) -> tuple[str, *tuple[Any, ...]]:
    """The condition on rows of items, with its values, for who may know only of those of some units, or led by some.

    Where nobody leads, it does not ask of it: what is left goes along the indexes of owners and of co-units.
    """
    if not scope.leads:
        return f"({PARTAKEN})", scope.units
    return f"({PARTAKEN} OR {LED_BY.format('{1}')})", scope.units, scope.leads


def place(row: asyncpg.Record, order: ItemOrder) -> str:
    """Where an item stands in an order: the next page begins after it."""
    return f"{row['due_on']}/{row['code']}" if order is ItemOrder.DUE else str(row["code"])


def _ask_what(asking: Asking, wanted: ItemFilter, *, today: date) -> None:
    for column in ("measure", "state", "owner", "local_plan"):
        if (value := getattr(wanted, column)) is not None:
            asking.where(column + " = {}", value)
    if wanted.tag is not None:
        asking.where("{} = ANY(tags)", wanted.tag)
    if wanted.due_from is not None:
        asking.where("due_on >= {}", wanted.due_from)
    if wanted.due_to is not None:
        asking.where("due_on <= {}", wanted.due_to)
    if wanted.late is not None:
        late = "(due_on < {} AND state <> ALL({}::text[]))"
        asking.where(late if wanted.late else f"NOT {late}", today, list(TERMINAL))
    if wanted.text is not None:
        within = "strpos(lower(code || ' ' || title_zh || ' ' || title_en), lower({})) > 0"
        asking.where(within, wanted.text)


def _ask_whose(asking: Asking, call: Call) -> None:
    scope = items.scope(call)
    if not scope.everything:
        asking.where(*theirs(scope))


def _ask_after(asking: Asking, order: ItemOrder, after: str) -> None:
    if order is ItemOrder.CODE:
        asking.where("code > {}", code_in(after))
        return
    try:
        day, code = after.split("/")
        asking.where("(due_on, code) > ({}, {})", date.fromisoformat(day), code_in(code))
    except ValueError:
        raise CURSOR_INVALID(pointer="/query/cursor") from None
