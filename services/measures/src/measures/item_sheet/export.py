"""What is listed, given out as a sheet or as JSON, page by page: the sheet is taken in again as the same."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson

from common.call import Call
from common.clock import business_date
from common.directory import Directory
from measures.item.domain import Item
from measures.item.lists import ItemFilter, ItemOrder, find_items, place
from measures.item.store import items
from measures.item_sheet.columns import COLUMNS, Of, escaped

PAGE_ITEMS: Final = 200
WRITTEN: Final = tuple(column for column in COLUMNS if column.of is not Of.LINE)
"""The columns of an export: all but those that say from when and why something is to be changed."""
Page = list[dict[str, Any]]
"""Items as ``_told`` tells them."""
BOM: Final = "\ufeff"
"""Without it spreadsheets take UTF-8 for something else."""


class Form(StrEnum):
    """In which form items are given out."""

    CSV = "csv"
    JSON = "json"


async def export(call: Call, directory: Directory, wanted: ItemFilter, form: Form) -> AsyncIterator[bytes]:
    """The items that are asked for, by code, only those that the caller may know of; never more than a page at once.

    The first page is read before anything is given out: what fails, fails while there is a reply to say so.
    """
    pages = _pages(call, directory, wanted)
    first = await anext(pages, None)
    return (_as_csv if form is Form.CSV else _as_json)(_from(first, pages))


async def _from(first: Page | None, pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    if first is not None:
        yield first
    async for page in pages:
        yield page


async def _pages(call: Call, directory: Directory, wanted: ItemFilter) -> AsyncIterator[Page]:
    after: str | None = None
    codes = {unit.id: code for code, unit in (await directory.units()).items()}
    today = business_date(call.now)
    while found := await find_items(call, wanted, order=ItemOrder.CODE, after=after, limit=PAGE_ITEMS):
        rows = found[:PAGE_ITEMS]
        parents = await _codes_of(call, {row["parent"] for row in rows if row["parent"]})
        yield [_told(items.codec.state_of(row), codes | parents, today) for row in rows]
        if len(found) <= PAGE_ITEMS:
            return
        after = place(rows[-1], ItemOrder.CODE)


async def _codes_of(call: Call, parents: Iterable[UUID]) -> dict[UUID, str]:
    asked = list(parents)
    rows = await call.service.pool.fetch("SELECT id, code FROM item WHERE id = ANY($1)", asked) if asked else ()
    return {row["id"]: row["code"] for row in rows}


def _told(item: Item, codes: Mapping[UUID, str], today: date) -> dict[str, Any]:
    """An item as ``ItemAddition`` would say it, with its state, those of its milestones, and how late it is today."""
    names = [column.name for column in WRITTEN if column.of is Of.ITEM] + ["plan", "state"]
    told = {name: getattr(item, name) for name in names}
    told["owner"], told["co_units"] = codes.get(item.owner), [codes.get(unit) for unit in item.co_units]
    told["days_late"] = item.as_of(today).days_late
    told["parent"] = codes.get(item.parent) if item.parent else None
    told["milestones"] = [
        milestone.words() | {"weight": f"{milestone.weight.normalize():f}", "state": milestone.state}
        for milestone in item.milestones
    ]
    return told


async def _as_json(pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    before = b"["
    async for page in pages:
        yield before + b",\n".join(map(orjson.dumps, page))
        before = b",\n"
    yield b"[]\n" if before == b"[" else b"]\n"


async def _as_csv(pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    yield (BOM + _lines([[column.title for column in WRITTEN]])).encode()
    async for page in pages:
        yield _lines(line for item in page for line in _cells(item)).encode()


def _cells(item: dict[str, Any]) -> Iterable[list[str]]:
    """One line with its first milestone, and one more for each further one, which has the item's code and no other."""
    first, *more = item["milestones"] or [{}]
    yield [_cell(_value(column.name, column.field, item, first)) for column in WRITTEN]
    for milestone in more:
        yield [_cell(_value(column.name, column.field, {"code": item["code"]}, milestone)) for column in WRITTEN]


def _value(name: str, field: str, item: dict[str, Any], milestone: dict[str, Any]) -> Any:
    return milestone.get(field) if name.startswith("milestone") else item.get(name)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else escaped(str(value))


def _lines(rows: Iterable[list[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()
