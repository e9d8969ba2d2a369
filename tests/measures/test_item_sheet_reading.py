"""Sheets are read as offices send them, and what is none, or is meant to do harm, is never opened."""

import io
import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from common.contracts.measures import Focus
from measures.item.requests import ItemAddition
from measures.item_sheet.columns import COLUMNS, as_day, as_text, columns_of, letters
from measures.item_sheet.lines import Line, lines_of
from measures.item_sheet.package import place_of
from measures.item_sheet.reading import Sheet
from papers import PDF
from refusals import refused
from sheets import FIRST, a_line, a_milestone_line, as_csv, as_xlsx

HEADER = list(FIRST)
CELLS = list(FIRST.values())


def lines(content: bytes) -> list[Line]:
    return list(lines_of(Sheet(content)))


def faults(line: Line) -> list[tuple[str, str]]:
    return [(cell, refusal.refusal.code) for cell, refusal in line.faults]


def repacked(content: bytes, **parts: bytes) -> bytes:
    """A workbook with some of its parts replaced; names with ``__`` for slashes."""
    told = {name.replace("__", "/") + ".xml": part for name, part in parts.items()}
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, told.get(name, old.read(name)))
    return written.getvalue()


def a_sheet_part(cells: bytes) -> bytes:
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return b"<worksheet " + space + b"><sheetData>" + cells + b"</sheetData></worksheet>"


# ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("title", ["{zh}", "{en}", "{zh} {en}", "{zh}/{en}", "{zh}（{en}）", " {zh}* ", "{en} {zh}"])
def test_a_header_names_its_columns_in_either_language_or_both(title: str) -> None:
    header = [title.format(zh=column.zh, en=column.name) for column in COLUMNS]
    assert list(columns_of(header).values()) == list(COLUMNS)


def test_a_header_with_a_column_that_is_not_known_is_refused() -> None:
    with refused("sheet.unknown-columns"):
        columns_of([*HEADER, "备注二"])


def test_a_header_without_a_column_that_is_required_is_refused() -> None:
    with refused("sheet.missing-columns"):
        columns_of([name for name in HEADER if name != "owner"])


def test_a_header_with_a_column_twice_is_refused() -> None:
    with refused("sheet.column-twice"):
        columns_of([*HEADER, "事项代码"])


def test_a_place_without_a_title_is_no_column() -> None:
    assert len(columns_of(["", *HEADER, " "])) == len(HEADER)


@pytest.mark.parametrize(("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (702, "AAA")])
def test_columns_are_called_as_spreadsheets_call_them(place: int, name: str) -> None:
    assert (letters(place), place_of(name)) == (name, place)


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    ["2022-06-30", "2022/6/30", "2022.6.30", "2022年6月30日", 44742, 44742.0, "44742", date(2022, 6, 30),
     datetime(2022, 6, 30, 12, 0)],  # noqa: DTZ001 - a spreadsheet knows no zones
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(written: Any) -> None:
    assert str(as_day(written)) == "2022-06-30"


def test_what_is_no_day_stays_for_the_request_to_refuse() -> None:
    assert as_day("六月底") == "六月底"


@pytest.mark.parametrize(
    ("cell", "text"), [(2022.0, "2022"), (1.5, "1.5"), (" 甲 ", "甲"), ("'=1", "=1"), ("'quoted", "'quoted")]
)
def test_a_text_is_read_without_decimals_and_without_an_exports_apostrophe(cell: Any, text: str) -> None:
    assert as_text(cell) == text


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    (line,) = lines(as_csv(a_line(), encoding=encoding))
    assert line.words["title_zh"] == "改革事项"


@pytest.mark.parametrize("between", [";", "\t"])
def test_a_csv_file_may_have_another_delimiter(between: str) -> None:
    content = "\r\n".join(between.join(row) for row in (HEADER, CELLS)).encode()
    assert [line.code for line in lines(content)] == ["A1-01"]


def test_blank_rows_and_lines_within_cells_keep_the_numbers_of_a_spreadsheet() -> None:
    content = b"\r\n,\r\n" + as_csv(a_line(problem="一\n二"), {}, a_line("A1-02"))
    assert [(line.row, line.code) for line in lines(content)] == [(4, "A1-01"), (6, "A1-02")]


# ── one line an item, one more for each further milestone ────────────────────────────────────────────────────────────


def test_further_milestones_stand_in_further_lines_with_the_code_or_without_it() -> None:
    (line,) = lines(as_csv(a_line(), a_milestone_line(2), a_milestone_line(3, code="")))
    assert [milestone["number"] for milestone in line.words["milestones"]] == ["1", "2", "3"]
    assert line.milestone_rows == [2, 3, 4]
    assert line.cell_at(("milestones", 2, "planned_on")) == "Q4"
    assert line.cell_at(("milestones", 1, "number")) == "N3"
    assert line.cell_at(("co_units", 0)) == "F2"


def test_a_further_line_may_say_the_items_words_again_and_not_otherwise() -> None:
    same, other = a_line() | a_milestone_line(2), a_line(title_zh="另一事项") | a_milestone_line(3)
    (line,) = lines(as_csv(a_line(), same, other))
    assert faults(line) == [("C4", "sheet.contradiction")]


def test_a_key_that_stands_in_the_sheet_twice_is_wrong_both_times() -> None:
    first, between, again = lines(as_csv(a_line(), a_line("A1-02"), a_line()))
    assert (faults(first), faults(between)) == ([("A2", "sheet.key-twice")], [])
    assert faults(again) == [("A4", "sheet.key-twice")]


def test_a_key_twice_without_a_milestone_is_no_further_line() -> None:
    first, again = lines(as_csv(a_line(milestone=""), a_line(milestone="")))
    assert (faults(first), faults(again)) == ([("A2", "sheet.key-twice")], [("A3", "sheet.key-twice")])


def test_a_line_that_belongs_to_no_item_is_wrong() -> None:
    (line,) = lines(as_csv(a_milestone_line(1, code=""), header=HEADER))
    assert faults(line) == [("A2", "sheet.no-code")]


# ── XLSX ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_workbook_is_read_with_dates_as_dates_and_as_numbers() -> None:
    told = a_line(planned_start_on=date(2022, 1, 1), due_on=44926, milestone=1)
    (line,) = lines(as_xlsx([HEADER, list(told.values())]))
    assert str(line.words["planned_start_on"]) == "2022-01-01"
    assert str(line.words["due_on"]) == "2022-12-31"
    assert line.words["milestones"][0]["number"] == "1"


def test_a_sheet_that_begins_further_down_and_to_the_right_keeps_its_cells_names() -> None:
    (line,) = lines(as_xlsx([[], ["", "", *HEADER], [], ["", "", *CELLS]]))
    assert (line.row, line.code, line.cell_at(("code",))) == (4, "A1-01", "C4")


def test_the_value_of_a_formula_is_taken_and_its_cell_flagged() -> None:
    told = a_line(deliverable=('=CONCAT("成","果")', "成果"), effect=("=1/0", ""))
    (line,) = lines(as_xlsx([HEADER, list(told.values())]))
    assert line.words["deliverable"] == "成果"
    assert line.formulas == ["I2"]
    assert faults(line) == [("J2", "sheet.formula-without-value")]


@pytest.mark.parametrize(
    "content",
    [PDF, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), b"PK\x03\x04" + bytes(100), b"code\x00,measure",
     as_csv(a_line()) + b'"open', b"<html></html>", as_xlsx([HEADER])[:-40]],
    ids=["pdf", "xls", "zip", "null", "open-quote", "page", "cut-off"],
)  # fmt: skip
def test_what_is_no_sheet_is_refused_whatever_it_is_called(content: bytes) -> None:
    with refused("sheet.kind-not-taken"):
        lines(content)


def test_another_package_under_a_workbooks_name_is_refused() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    with refused("sheet.kind-not-taken"):
        Sheet(written.getvalue())


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n,,\r\n", as_xlsx([])])
def test_a_sheet_with_nothing_in_it_is_refused(content: bytes) -> None:
    with refused("sheet.empty"):
        Sheet(content)


# ── what is meant to do harm ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_part_that_becomes_far_larger_than_it_is_packed_is_not_opened() -> None:
    bomb = repacked(as_xlsx([HEADER, CELLS]), xl__styles=bytes(64 * 1024 * 1024))
    assert len(bomb) < 100_000
    with refused("sheet.unpacks-too-large"):
        Sheet(bomb)


def test_parts_that_are_too_much_together_are_not_opened() -> None:
    large = a_sheet_part(b"".join(b"<!-- %d -->" % (number * 7919) for number in range(2_500_000)))
    parts = {f"xl__worksheets__more{number}": large for number in range(5)}
    written = io.BytesIO(as_xlsx([HEADER, CELLS]))
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/"), part)
    with refused("sheet.unpacks-too-large"):
        Sheet(written.getvalue())


def test_an_archive_that_lies_about_the_size_of_a_part_is_not_opened() -> None:
    honest = repacked(as_xlsx([HEADER, CELLS]), xl__styles=bytes(900_000))
    assert honest.count((900_000).to_bytes(4, "little")) == 2
    with refused("sheet.unpacks-too-large"):
        Sheet(honest.replace((900_000).to_bytes(4, "little"), (900).to_bytes(4, "little")))


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "sheet.too-many-rows"),
        (b'<row r="1"><c r="XFD1"><v>1</v></c></row>', "sheet.too-wide"),
        (b'<row r="1"><c r="A0"><v>1</v></c></row>', "sheet.kind-not-taken"),
        (b'<row r="x"><c><v>1</v></c></row>', "sheet.kind-not-taken"),
    ],
)
def test_a_cell_far_off_is_found_before_all_between_is_made(cells: bytes, code: str) -> None:
    with refused(code):
        Sheet(repacked(as_xlsx([HEADER]), xl__worksheets__sheet1=a_sheet_part(cells)))


def test_a_workbook_that_has_its_reader_ask_for_all_memory_ends_nobody_else() -> None:
    whole = as_xlsx([HEADER, CELLS])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        strings = archive.read("xl/sharedStrings.xml")
    greedy = re.sub(rb'ount="\d+"', b'ount="999999999999"', strings)
    assert lines(repacked(whole, xl__sharedStrings=strings))
    with refused("sheet.kind-not-taken"):
        Sheet(repacked(whole, xl__sharedStrings=greedy))


def test_one_text_that_every_cell_means_is_not_told_for_every_cell() -> None:
    text = "长" * 32_000
    with refused("sheet.kind-not-taken"):
        Sheet(as_xlsx([HEADER, *[[text] * 100 for _ in range(300)]]))


def test_a_part_that_declares_entities_is_not_read() -> None:
    declared = b'<!DOCTYPE worksheet [<!ENTITY a "aaaa">]>' + a_sheet_part(b"<row><c><v>&a;</v></c></row>")
    with refused("sheet.kind-not-taken"):
        Sheet(repacked(as_xlsx([HEADER]), xl__worksheets__sheet1=declared))


def test_two_hundred_thousand_rows_are_refused_before_any_is_taken() -> None:
    content = as_csv(a_line()) + b"A1-01\r\n" * 200_000
    with refused("sheet.too-many-rows"):
        next(lines_of(Sheet(content)))


def test_a_million_blank_lines_are_no_sheet_either() -> None:
    with refused("sheet.too-many-rows"):
        list(lines_of(Sheet(as_csv(a_line()) + b"\r\n" * 1_000_000)))


def test_a_row_with_too_many_cells_is_refused() -> None:
    with refused("sheet.too-wide"):
        lines(as_csv(a_line()) + b"," * 101)


def test_the_documents_sample_is_a_sheet_without_fault() -> None:
    sample = Path(__file__).parents[2] / "docs/examples/items.csv"
    found = lines(sample.read_bytes())
    assert [(line.code, len(line.words["milestones"]), line.faults) for line in found] == [
        ("B2-91", 3, []),
        ("B2-92", 1, []),
    ]
    for line in found:
        assert ItemAddition.model_validate({"plan": "CQ-KX-2021-2025", **line.words}).focus in Focus


def test_the_documents_name_every_column() -> None:
    told = (Path(__file__).parents[2] / "docs/importing.md").read_text(encoding="utf-8")
    assert [column.name for column in COLUMNS if f"`{column.name}`" not in told or column.zh not in told] == []
