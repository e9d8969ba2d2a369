"""Sheets of items for tests, as an office would send them: CSV as text, XLSX as a workbook."""

import csv
import io
from typing import Any

import httpx
import xlsxwriter

IMPORT = "/api/v1/items/import"
FIRST = {
    "code": "A1-01",
    "measure": "A1",
    "title_zh": "改革事项",
    "title_en": "Reform item",
    "owner": "ORG",
    "co_units": "FIN",
    "responsible_post": "处长",
    "problem": "问题",
    "deliverable": "成果",
    "effect": "成效",
    "focus": "key-point",
    "planned_start_on": "2022-01-01",
    "due_on": "2022-12-31",
    "milestone": "1",
    "milestone_title_zh": "节点1",
    "milestone_title_en": "Milestone 1",
    "milestone_planned_on": "2022-06-30",
    "effective_on": "2022-01-05",
}
"""One line: an item with its first milestone."""
MORE = {name: FIRST[name] for name in FIRST if name == "code" or name.startswith("milestone")}
"""What a further line of an item says."""


def a_line(code: str = "A1-01", **changed: Any) -> dict[str, Any]:
    """A line that begins an item."""
    return FIRST | {"code": code} | changed


def a_milestone_line(number: int, code: str = "A1-01", **changed: Any) -> dict[str, Any]:
    """A line with a further milestone of an item."""
    named = {"milestone_title_zh": f"节点{number}", "milestone_title_en": f"Milestone {number}"}
    return MORE | {"code": code, "milestone": str(number)} | named | changed


def as_csv(*lines: dict[str, Any], header: list[str] | None = None, encoding: str = "utf-8") -> bytes:
    """The lines below a header, by default of all names that one of them has."""
    header = header or list(dict.fromkeys(name for line in lines for name in line)) or list(FIRST)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([line.get(name, "") for name in header] for line in lines)
    return written.getvalue().encode(encoding)


def as_xlsx(rows: list[list[Any]], *, name: str = "事项") -> bytes:
    """A workbook with one sheet of these rows; what begins with ``=`` is a formula, a pair one with its value."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(name)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, tuple):
                sheet.write_formula(row, column, cell[0], None, cell[1])
            else:
                sheet.write(row, column, cell)
    book.close()
    return written.getvalue()


async def sent(client: httpx.AsyncClient, content: bytes, **asked: Any) -> dict[str, Any]:
    """What is told of the import of a sheet: a run, unless it is asked otherwise."""
    token = asked.pop("token", None)
    headers = {"dry-run-token": token} if token else {}
    params: dict[str, Any] = {"plan": "PLAN-1", "dry_run": False} | asked
    reply = await client.post(IMPORT, content=content, params=params, headers=headers)
    assert reply.status_code == 200, reply.text
    report: dict[str, Any] = reply.json()
    return report


def told(report: dict[str, Any]) -> list[tuple[int, str, str, list[tuple[str, str]]]]:
    """Row, code, verdict and reasons of each item."""
    return [
        (row["row"], row["code"], row["verdict"], [(one["cell"], one["code"]) for one in row["reasons"]])
        for row in report["rows"]
    ]
