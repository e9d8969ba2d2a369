"""The columns of a sheet of items: each known by its name in either language, and how what stands in it is read."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from measures.item_sheet.rules import COLUMN_TWICE, MISSING_COLUMNS, UNKNOWN_COLUMNS

_RUN: Final = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
"""A text that begins so is run as a formula by spreadsheets (CWE-1236), also with the signs in their full width: it is
written with an apostrophe before it, and with one more if it has one of its own."""
EXCEL_BEGINS: Final = date(1899, 12, 30)
"""The day 0 of a spreadsheet's day numbers, for all after February 1900."""
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_DAY_NUMBER: Final = re.compile(r"[2-7]\d{4}(\.0*)?")
_BETWEEN_CODES: Final = re.compile(r"[\s,;，；、]+")
_WORDS: Final = {
    "重点": "key-point", "抓重点": "key-point", "短板": "shortcoming", "补短板": "shortcoming", "弱项": "weak-item",
    "强弱项": "weak-item", "定性": "qualitative", "定量": "quantitative", "节点": "milestones",
    "地方事项": "local-items", "是": "true", "否": "false",
}  # fmt: skip


class Of(StrEnum):
    """What a column tells of."""

    ITEM = "item"
    MILESTONE = "milestone"
    LINE = "line"
    """Of the line itself: from when it holds, and why."""
    NOTHING = "nothing"
    """Told by an export, and never taken in."""


def as_text(value: Any) -> str:
    """A cell as text: a whole number without its decimals, and without the apostrophe of an export."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = text.strip()
    return text[1:] if text.startswith("'") and _RUN.match(text) else text


def escaped(text: str) -> str:
    """A text as a cell that no spreadsheet runs as a formula; ``as_text`` reads it as it was."""
    return f"'{text}" if _RUN.match(text) else text


def as_day(value: Any) -> Any:
    """A cell as a day, be it one already, a spreadsheet's number of one, or a text; what is none stays as it is."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = as_text(value)
    if told := _DAY.fullmatch(text):
        return f"{told[1]}-{int(told[2]):02}-{int(told[3]):02}"
    if _DAY_NUMBER.fullmatch(text):
        return EXCEL_BEGINS + timedelta(days=int(float(text)))
    return text


def as_codes(value: Any) -> list[str]:
    """A cell as codes, with spaces or commas between them."""
    return [code for code in _BETWEEN_CODES.split(as_text(value)) if code]


def as_word(value: Any) -> Any:
    """A cell as one of the words that a field knows, in either language."""
    text = as_text(value)
    return _WORDS.get(text, text.lower())


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    """Its English name: that of the field, for a milestone with ``milestone_`` before it."""
    zh: str
    of: Of = Of.ITEM
    read: Callable[[Any], Any] = as_text
    required: bool = False

    @property
    def field(self) -> str:
        """The field that it fills."""
        return "number" if self.name == "milestone" else self.name.removeprefix("milestone_")

    @property
    def title(self) -> str:
        """What an export writes above it."""
        return f"{self.zh} {self.name}"


COLUMNS: Final = (
    Column("code", "事项代码", required=True),
    Column("measure", "举措", required=True),
    Column("title_zh", "事项名称", required=True),
    Column("title_en", "英文名称", required=True),
    Column("owner", "责任单位", required=True),
    Column("co_units", "协同单位", read=as_codes),
    Column("responsible_post", "责任岗位"),
    Column("problem", "存在问题", required=True),
    Column("deliverable", "成果形式", required=True),
    Column("effect", "预期成效", required=True),
    Column("focus", "类别", read=as_word, required=True),
    Column("planned_start_on", "计划开始", read=as_day, required=True),
    Column("due_on", "完成时限", read=as_day, required=True),
    Column("local_plan", "地方方案"),
    Column("parent", "上级事项"),
    Column("progress_basis", "进度口径", read=as_word),
    Column("tags", "标签", read=as_codes),
    Column("milestone", "节点序号", Of.MILESTONE),
    Column("milestone_title_zh", "节点名称", Of.MILESTONE),
    Column("milestone_title_en", "节点英文名称", Of.MILESTONE),
    Column("milestone_kind", "节点类型", Of.MILESTONE, as_word),
    Column("milestone_required", "必备节点", Of.MILESTONE, as_word),
    Column("milestone_weight", "节点权重", Of.MILESTONE),
    Column("milestone_planned_on", "节点计划日期", Of.MILESTONE, as_day),
    Column("effective_on", "生效日期", Of.LINE, as_day),
    Column("reason", "调整原因", Of.LINE),
    Column("state", "状态", Of.NOTHING),
    Column("days_late", "逾期天数", Of.NOTHING),
    Column("milestone_state", "节点状态", Of.NOTHING),
)
NAMED: Final = {column.name: column for column in COLUMNS}


def _plain(title: str) -> str:
    return re.sub(r"[\s*/()（）:：]+", "", title).casefold()


_KNOWN: Final = {
    _plain(title): column
    for column in COLUMNS
    for title in (column.name, column.zh, column.zh + column.name, column.name + column.zh)
}


def columns_of(header: Sequence[Any]) -> dict[int, Column]:
    """Which column stands where, by the sheet's header; a place without a title is left out.

    :raises Refused: ``sheet.unknown-columns``, ``sheet.column-twice``, ``sheet.missing-columns``.
    """
    titles = {place: as_text(title) for place, title in enumerate(header) if as_text(title)}
    found = {place: _KNOWN.get(_plain(title)) for place, title in titles.items()}
    if unknown := [titles[place][:40] for place, column in found.items() if column is None]:
        raise UNKNOWN_COLUMNS(columns="、".join(unknown[:10]))
    columns = {place: column for place, column in found.items() if column is not None}
    names = [column.name for column in columns.values()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise COLUMN_TWICE(columns=", ".join(twice))
    if missing := [column.title for column in COLUMNS if column.required and column.name not in names]:
        raise MISSING_COLUMNS(columns="、".join(missing))
    return columns


def letters(place: int) -> str:
    """What a spreadsheet calls the column at this place, 0 first: A, …, Z, AA."""
    place, last = divmod(place, 26)
    return (letters(place - 1) if place else "") + chr(65 + last)
