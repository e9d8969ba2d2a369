"""What a sheet says of each item: one line an item, and one line more for each further milestone of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from common.decision import Refused
from measures.item_sheet.columns import NAMED, Of, as_text, letters
from measures.item_sheet.reading import Row, Sheet
from measures.item_sheet.rules import CONTRADICTION, KEY_TWICE, MILESTONE_TWICE, NO_CODE, NO_VALUE


@dataclass(slots=True)
class Line:
    """One item as the sheet says it: from its first line and from those that go on with it."""

    row: int
    """The number of its first line."""
    places: dict[str, int]
    """At which place of the sheet each column stands."""
    words: dict[str, Any] = field(default_factory=dict)
    """What is said of it, by the fields of ``ItemAddition``; what was left blank is not said."""
    reason: str | None = None
    """Why dates are moved, if any are."""
    milestone_rows: list[int] = field(default_factory=list)
    """In which line each of its milestones stands."""
    faults: list[tuple[str, Refused]] = field(default_factory=list)
    """What was wrong in the sheet itself, each with its cell."""
    formulas: list[str] = field(default_factory=list)
    """The cells whose value is that of a formula."""
    first: dict[str, Any] = field(default_factory=dict)
    """What its first line says: those that go on with it may say it again, and nothing else of the item."""

    @property
    def code(self) -> str | None:
        """The item's code: the key by which it is known again."""
        return self.words.get("code")

    def cell(self, column: str, row: int) -> str:
        """What a spreadsheet calls a cell; where the sheet has no such column, only the line."""
        return f"{letters(self.places[column])}{row}" if column in self.places else str(row)

    def cell_at(self, where: tuple[Any, ...]) -> str:
        """The cell that fills a field of the request, by the field's place there: ``("milestones", 1, "number")``."""
        name, *rest = where or ("code",)
        if name != "milestones" or not rest:
            return self.cell("milestone" if name == "milestones" else str(name), self.row)
        number, *part = rest
        row = self.milestone_rows[number] if isinstance(number, int) and number < len(self.milestone_rows) else self.row
        name = part[0] if part else "number"
        return self.cell("milestone" if name == "number" else f"milestone_{name}", row)

    def take(self, row: Row) -> None:
        """Take in one line of it."""
        given = {name: NAMED[name].read(cell) for name, cell in row.cells.items()}
        for name in sorted(row.formulas, key=self.places.__getitem__):
            if name in row.cells:
                self.formulas.append(self.cell(name, row.number))
            else:
                self.faults.append((self.cell(name, row.number), NO_VALUE()))
        self._take_words({name: value for name, value in given.items() if NAMED[name].of in (Of.ITEM, Of.LINE)}, row)
        milestone = {NAMED[name].field: value for name, value in given.items() if NAMED[name].of is Of.MILESTONE}
        if milestone:
            numbers = [one.get("number") for one in self.words.get("milestones", ())]
            if (number := milestone.get("number")) is not None and number in numbers:
                self.faults.append((self.cell("milestone", row.number), MILESTONE_TWICE(number=number)))
            self.words.setdefault("milestones", []).append(milestone)
            self.milestone_rows.append(row.number)

    def _take_words(self, told: dict[str, Any], row: Row) -> None:
        if row.number == self.row:
            self.first = told
            self.words |= {name: value for name, value in told.items() if name != "reason"}
            self.reason = told.get("reason")
            return
        for name, value in told.items():
            if self.first.get(name) != value:
                self.faults.append((self.cell(name, row.number), CONTRADICTION()))


def lines_of(sheet: Sheet) -> Iterator[Line]:
    """The items of a sheet in its order; the sheet is gone through once before, so that no key stands in it twice.

    :raises Refused: what is wrong with the sheet as a whole.
    """
    twice = _keys_that_stand_twice(sheet)
    line: Line | None = None
    for row in sheet.rows():
        if line is None or _begins(row, line):
            if line is not None:
                yield line
            line = Line(row.number, sheet.places)
            if "code" not in row.cells:
                line.faults.append((line.cell("code", row.number), NO_CODE()))
            elif rows := twice.get(as_text(row.cells["code"])):
                code = as_text(row.cells["code"])
                line.faults.append((line.cell("code", row.number), KEY_TWICE(code=code, first=rows[0], other=rows[1])))
        line.take(row)
    if line is not None:
        yield line


def parents_in(sheet: Sheet) -> frozenset[str]:
    """The codes of what a sheet's items are part of."""
    return frozenset(as_text(row.cells["parent"]) for row in sheet.rows() if "parent" in row.cells)


def _begins(row: Row, line: Line) -> bool:
    """Whether a row begins another item; one without a code goes on with that above it."""
    if "code" not in row.cells:
        return False
    return as_text(row.cells["code"]) != line.code or "milestone" not in row.cells


def _keys_that_stand_twice(sheet: Sheet) -> dict[str, list[int]]:
    begun: dict[str, list[int]] = {}
    before: str | None = None
    for row in sheet.rows():
        if "code" not in row.cells:
            continue
        code = as_text(row.cells["code"])
        if code != before or "milestone" not in row.cells:
            begun.setdefault(code, []).append(row.number)
        before = code
    return {code: rows for code, rows in begun.items() if len(rows) > 1}
