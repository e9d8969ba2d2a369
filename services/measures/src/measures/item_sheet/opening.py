"""A workbook is opened in a process of its own, within its memory: one that breaks the reader breaks nobody else.

The reader is native code, which ends its process where a file has it ask for more memory than there is. Run as
``python -m measures.item_sheet.opening``: the workbook comes in, and a line of JSON for each row goes out.
"""

import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
SECONDS_MAX: Final = 30
TOLD_BYTES_MAX: Final = 64 * 1024 * 1024
"""What the rows may come to: a text that stands in a workbook once may be meant by every cell."""


def opened(content: bytes) -> bytes | None:
    """The name of a workbook's first sheet and then its rows from the first one on, as lines of JSON.

    None where it cannot be opened, whatever the reason.
    """
    command = [sys.executable, "-I", "-m", "measures.item_sheet.opening"]
    try:
        told = subprocess.run(  # noqa: S603 - our own module
            command, input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS_MAX, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return told.stdout


def main() -> int:
    """Tell the rows of the workbook that comes in; the exit code is not 0 where there is more than may be told."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - in this process only

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())).get_sheet_by_index(0)
    left = [""] * (sheet.start or (0, 0))[1]  # what is empty above is told, what is to the left is not
    size = sys.stdout.write(json.dumps(sheet.name) + "\n")
    for row in sheet.iter_rows():
        size += sys.stdout.write(json.dumps(left + _plain(row)) + "\n")
        if size > TOLD_BYTES_MAX:
            return 1
    return 0


def _plain(cells: Iterable[Any]) -> list[Any]:
    """Cells as JSON can say them: a day as text, as it would stand in a CSV file."""
    return [_day(cell) if isinstance(cell, date) else cell if _is_plain(cell) else str(cell) for cell in cells]


def _day(cell: date) -> str:
    return (cell.date() if isinstance(cell, datetime) else cell).isoformat()


def _is_plain(cell: Any) -> bool:
    return isinstance(cell, str | bool | int) or (isinstance(cell, float) and abs(cell) < 1e15)


if __name__ == "__main__":
    sys.exit(main())
