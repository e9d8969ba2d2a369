"""A workbook is looked at before it is opened: its size unpacked, how far its sheet reaches, where formulas are."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from common.contracts.measures import MediaType
from measures.evidence.content import Look
from measures.item_sheet.rules import (
    COLUMNS_MAX,
    KIND_NOT_TAKEN,
    RATIO_MAX,
    ROWS_MAX,
    TOO_MANY_ROWS,
    TOO_WIDE,
    UNPACKED_BYTES_MAX,
    UNPACKS_TOO_LARGE,
)

PARTS_MAX: Final = 1000
CHUNK_BYTES: Final = 256 * 1024
SMALL_BYTES: Final = 1024 * 1024
"""A part no larger than this may be as repetitive as it likes."""
HEADROOM_ROWS: Final = 100
"""What may stand above the header, or be blank, beside the lines that count."""
_CELL: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    OSError,
)
Cell = tuple[int, int]
"""Row and column of a cell, 1 and 0 first."""


def look_into(content: bytes) -> frozenset[Cell]:
    """Where formulas stand on the first sheet of a workbook that is safe to be opened.

    Nothing is believed that the archive says of itself: each part is unpacked once, piece by piece, and counted.

    :raises Refused: ``sheet.kind-not-taken``, ``sheet.unpacks-too-large``, ``sheet.too-many-rows``, ``sheet.too-wide``.
    """
    look = Look(MediaType.XLSX)
    look.at(content)
    if not look.fits():
        raise KIND_NOT_TAKEN()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _require_small(archive)
            scan = Scan()
            _unpack(archive, _first_sheet(archive), scan.read)
            return frozenset(scan.formulas)
    except (*_BROKEN, expat.ExpatError):
        raise KIND_NOT_TAKEN() from None


def _require_small(archive: zipfile.ZipFile) -> None:
    """First by what the directory says, which costs nothing, then by what is there."""
    parts = archive.infolist()
    if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        raise UNPACKS_TOO_LARGE()
    if any(part.file_size > max(SMALL_BYTES, RATIO_MAX * part.compress_size) for part in parts):
        raise UNPACKS_TOO_LARGE()
    for part in parts:
        said, part.file_size = part.file_size, UNPACKED_BYTES_MAX  # else no more would be read than is said
        there = 0
        with archive.open(part) as opened:
            while piece := opened.read(CHUNK_BYTES):
                there += len(piece)
                if there > said:
                    raise UNPACKS_TOO_LARGE()
        part.file_size = said


def _unpack(archive: zipfile.ZipFile, name: str, read: Callable[[bytes, bool], Any]) -> None:
    with archive.open(name) as opened:
        while piece := opened.read(CHUNK_BYTES):
            read(piece, False)
    read(b"", True)


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The name of the part in which the first sheet of the workbook stands."""
    sheets = _elements(archive, "xl/workbook.xml", "sheet")
    targets = {one["Id"]: one["Target"] for one in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")}
    target = targets[sheets[0]["id"]] if sheets else ""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _elements(archive: zipfile.ZipFile, name: str, element: str) -> list[dict[str, str]]:
    """The attributes of all elements of that name, by their names without a namespace."""
    found: list[dict[str, str]] = []

    def begins(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == element:
            found.append({_local(name): value for name, value in attributes.items()})

    parser = _parser()
    parser.StartElementHandler = begins
    _unpack(archive, name, parser.Parse)
    return found


def _parser() -> Any:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_: Any) -> None:
    """No workbook has one (ECMA-376), and entities could be declared in it."""
    raise KIND_NOT_TAKEN()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class Scan:
    """Reads a sheet's part as it is unpacked, for its formulas and its reach: a cell far off would cost all between."""

    def __init__(self) -> None:
        self.formulas: set[Cell] = set()
        self._row, self._column = 0, -1
        self._parser = _parser()
        self._parser.StartElementHandler = self._begins
        self.read: Callable[[bytes, bool], Any] = self._parser.Parse

    def _begins(self, tag: str, attributes: dict[str, str]) -> None:
        match _local(tag):
            case "row":
                self._row, self._column = int(attributes.get("r", self._row + 1)), -1
            case "c":
                self._cell(attributes.get("r"))
            case "f":
                self.formulas.add((self._row, self._column))

    def _cell(self, address: str | None) -> None:
        self._column += 1
        if address is not None:
            told = _CELL.fullmatch(address)
            if told is None:
                raise KIND_NOT_TAKEN()
            self._row, self._column = int(told[2]), place_of(told[1])
        if self._row > ROWS_MAX + HEADROOM_ROWS:
            raise TOO_MANY_ROWS(most=ROWS_MAX)
        if self._column >= COLUMNS_MAX:
            raise TOO_WIDE(most=COLUMNS_MAX)


def place_of(letters: str) -> int:
    """The place of the column that a spreadsheet calls so, A is 0."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1
