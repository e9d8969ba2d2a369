"""The rows of a sheet, whatever it is called: XLSX or CSV is told by its bytes, and nothing oversized is opened."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from measures.evidence.content import NO_TEXT
from measures.item_sheet.columns import Column, columns_of
from measures.item_sheet.opening import opened
from measures.item_sheet.package import HEADROOM_ROWS, look_into
from measures.item_sheet.rules import COLUMNS_MAX, EMPTY, KIND_NOT_TAKEN, ROWS_MAX, TOO_MANY_ROWS, TOO_WIDE

_ZIP: Final = b"PK\x03\x04"
_OTHER: Final = ("%PDF-", "<", "{")
"""How texts begin that are documents of another kind: web pages are often called sheets."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: its number in the sheet and what stands in the columns that are known."""

    number: int
    cells: dict[str, Any]
    """By the names of the columns; what is blank is left out."""
    formulas: frozenset[str]
    """In which columns a formula stands, with its value in ``cells`` if it has one."""


class Sheet:
    """A sheet with its header read; its rows may be gone through several times, and are never held all at once."""

    def __init__(self, content: bytes) -> None:
        """Read the header.

        :raises Refused: why the sheet as a whole is not taken: a code that begins with ``sheet.``.
        """
        self._text, self._told, self._formulas = "", b"", frozenset[tuple[int, int]]()
        self.name: str | None = None
        """The name of the sheet in its workbook; a CSV file has none."""
        if content.startswith(_ZIP):
            self._formulas = look_into(content)
            if (told := opened(content)) is None:
                raise KIND_NOT_TAKEN()
            name, _, self._told = told.partition(b"\n")
            self.name = orjson.loads(name)
        else:
            self._text = _text_of(content)
        header = next(((number, cells) for number, cells in self._all() if _any(cells)), None)
        if header is None:
            raise EMPTY()
        self._header_at = header[0]
        self.columns: dict[int, Column] = columns_of(header[1])
        """Which column stands where."""
        self.places = {column.name: place for place, column in self.columns.items()}

    def rows(self) -> Iterator[Row]:
        """The rows below the header; blank ones are passed over.

        :raises Refused: ``sheet.too-many-rows``, ``sheet.too-wide``, ``sheet.kind-not-taken``.
        """
        count = 0
        for number, cells in self._all():
            if number <= self._header_at or not _any(cells):
                continue
            count += 1
            if count > ROWS_MAX:
                raise TOO_MANY_ROWS(most=ROWS_MAX)
            yield self._row(number, cells)

    def _row(self, number: int, cells: list[Any]) -> Row:
        known = {column.name: cells[place] for place, column in self.columns.items() if place < len(cells)}
        formulas = (column.name for place, column in self.columns.items() if (number, place) in self._formulas)
        return Row(number, {name: cell for name, cell in known.items() if not _blank(cell)}, frozenset(formulas))

    def _all(self) -> Iterator[tuple[int, list[Any]]]:
        if self.name is not None:
            yield from enumerate(map(orjson.loads, io.BytesIO(self._told)), 1)
            return
        reader = csv.reader(io.StringIO(self._text, newline=""), _dialect(self._text), strict=True)
        try:
            for number, cells in enumerate(reader, 1):
                if number > ROWS_MAX + HEADROOM_ROWS:
                    raise TOO_MANY_ROWS(most=ROWS_MAX)
                if len(cells) > COLUMNS_MAX:
                    raise TOO_WIDE(most=COLUMNS_MAX)
                yield number, list(cells)
        except csv.Error:
            raise KIND_NOT_TAKEN() from None


def _text_of(content: bytes) -> str:
    """The text of a CSV file, in the two encodings in which spreadsheets write Chinese."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if NO_TEXT.search(text) or text.startswith(_OTHER):
            break
        return text
    raise KIND_NOT_TAKEN()


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, or what stands more often in the first line: some spreadsheets write semicolons or tabs."""

    class Written(csv.excel):
        first, _, _ = text.partition("\n")
        delimiter = max(",;\t", key=first.count)

    return Written


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _any(cells: list[Any]) -> bool:
    return not all(map(_blank, cells))
