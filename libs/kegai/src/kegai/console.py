"""What a long command does is seen line by line: each step with its sign, its name, its seconds and its finding."""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from unicodedata import east_asian_width

_NAME_WIDTH = 16


class Console:
    """Steps on standard output; on a terminal the step that is being waited for stands on the last line."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()

    def say(self, line: str = "") -> None:
        """A line of its own."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def done(self, name: str, seconds: float, finding: str = "") -> None:
        """A step that succeeded."""
        self.say(f"{self._start()} ✓ {padded(name, _NAME_WIDTH)}{seconds:5.1f} s   {finding}".rstrip())

    def failed(self, name: str) -> None:
        """The step that failed; the reason follows on its own lines."""
        self.say(f"{self._start()} ✗ {name}")

    def wait(self, name: str, step: "Step") -> str:
        """Show `name` until the step has ended, then its line; what it found is returned, what it raised is raised."""
        if self._live:
            sys.stdout.write(f"\r … {name}")
            sys.stdout.flush()
        try:
            seconds, finding = step.result()
        except BaseException:
            self.failed(name)
            raise
        self.done(name, seconds, finding)
        return finding

    def _start(self) -> str:
        return "\r\033[K" if self._live else ""


Step = Future[tuple[float, str]]


def begin(pool: ThreadPoolExecutor, action: Callable[[], str]) -> Step:
    """Start a step in the pool: `action` returns its finding; the step knows how many seconds that took."""

    def timed() -> tuple[float, str]:
        started = monotonic()
        finding = action()
        return monotonic() - started, finding

    return pool.submit(timed)


def padded(text: str, width: int) -> str:
    """`text` filled up to `width` columns; a Chinese letter takes two."""
    taken = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * (width - taken)
