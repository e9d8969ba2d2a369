"""The logs of the stack's processes, their ends first and, if wanted, each new line as it comes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kegai.language import StackError

_LOOK_SECONDS = 0.2


def find(home: Path, name: str | None) -> list[Path]:
    """The log of that name, or all of them.

    Raises:
        StackError: there is none; the message lists those that there are.
    """
    logs = sorted((home / "logs").glob("*.log"))
    wanted = [log for log in logs if name is None or log.stem == name]
    if not wanted:
        names = ", ".join(log.stem for log in logs)
        raise StackError(
            f"没有日志 {name or ''}。现有：{names or '无'}", f"No log {name or ''}. There are: {names or 'none'}"
        )
    return wanted


def tail(logs: list[Path], count: int, *, follow: bool) -> Iterator[str]:
    """The last `count` lines of each, then all that is added if `follow`; with several, a line says whose it is."""
    names = {log: f"{log.stem} | " if len(logs) > 1 else "" for log in logs}
    opened = {log: log.open("rb") for log in logs}
    for log, file in opened.items():
        lines = _lines(file)
        yield from (names[log] + line for line in lines[max(0, len(lines) - count) :])
    while follow:
        time.sleep(_LOOK_SECONDS)
        for log, file in opened.items():
            if log.stat().st_size < file.tell():
                file.seek(0)  # started anew
            yield from (names[log] + line for line in _lines(file))


def _lines(file: BinaryIO) -> list[str]:
    """All whole lines from here on; half a line waits for its end."""
    content = file.read()
    whole = content.rfind(b"\n") + 1
    file.seek(whole - len(content), 1)
    return content[:whole].decode(errors="replace").splitlines()
