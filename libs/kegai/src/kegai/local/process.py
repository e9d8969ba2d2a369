"""A background process of the local stack is always known by its record, and nothing else is ever taken for it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kegai.language import StackError
from kegai.local.accounts import group_of

# The child notes its own pid before it becomes the program, so that no moment exists in which it runs without a record,
# even if whoever starts it is killed just then. The record is its standard input, which another account may write, too.
_NOTE_PID_THEN_RUN = 'echo $$ >&0 && exec "$@" </dev/null'
_CLOCK_SLACK_SECONDS = 2.0


@dataclass
class Process:
    """One process of the stack, called `name`: its record is `home/run/<name>.pid`, its log `home/logs/<name>.log`."""

    name: str
    home: Path
    stop_signal: signal.Signals = signal.SIGTERM
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def record(self) -> Path:
        """The file that holds the pid; its time of writing is when the process was started."""
        return self.home / "run" / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        """The file that takes standard output and standard error."""
        return self.home / "logs" / f"{self.name}.log"

    def start(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start `command` in a session of its own; it outlives the caller. `environment` is added to the caller's.

        When this returns, the record is written.
        """
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.record.open("wb") as record, self.log.open("wb") as log:
            self._child = subprocess.Popen(
                ["/bin/sh", "-c", _NOTE_PID_THEN_RUN, self.name, *command],
                stdin=record,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
                user=account,
                group=group_of(account) if account else None,
                extra_groups=[] if account else None,
            )
        with suppress(FileNotFoundError):  # somebody else was quick to end it
            while self.record.stat().st_size == 0 and self._child.poll() is None:
                time.sleep(0.001)  # until the note is written, nobody else could find the process

    def running(self) -> psutil.Process | None:
        """The live process of this record, or None.

        A pid comes round again: a process that was born after the record was written is somebody else's.
        """
        if self._child is not None:
            return psutil.Process(self._child.pid) if self._child.poll() is None else None
        try:
            process = psutil.Process(int(self.record.read_text()))
            born_in_time = process.create_time() <= self.record.stat().st_mtime + _CLOCK_SLACK_SECONDS
            return process if born_in_time and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when `ready()` holds; raise NotStartedError as soon as the process has ended, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.running() is None:
                code = self._child.returncode if self._child is not None else "?"
                raise NotStartedError(self, f"已退出（代码 {code}）", f"ended ({code})")
            if time.monotonic() > deadline:
                raise NotStartedError(self, f"{seconds:.0f} 秒内未就绪", f"was not ready within {seconds:.0f} s")
            time.sleep(0.02)

    def wait_for_success(self, *, seconds: float) -> None:
        """Return when the process has ended with 0, taking its record along; raise NotStartedError otherwise."""
        child = self._child
        if child is None:
            raise RuntimeError("started by another process: its exit code cannot be known")
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise NotStartedError(self, f"{seconds:.0f} 秒内未结束", f"did not end within {seconds:.0f} s") from None
        if child.returncode != 0:
            raise NotStartedError(self, f"失败（代码 {child.returncode}）", f"failed ({child.returncode})")
        self.record.unlink(missing_ok=True)

    def stop(self, *, patience_seconds: float = 15.0) -> bool:
        """End the process, by force after `patience_seconds`; False if it was not running."""
        process = self.running()
        if process is not None:
            try:
                process.send_signal(self.stop_signal)
                process.wait(patience_seconds)
            except psutil.NoSuchProcess:
                pass
            except psutil.TimeoutExpired:
                process.kill()
                process.wait()
        if self._child is not None:
            self._child.wait()
            self._child = None
        self.record.unlink(missing_ok=True)
        return process is not None

    def last_lines(self, count: int = 15) -> str:
        """The end of the log, `count` lines at most."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


class NotStartedError(StackError):
    """A process ended or hung before it was ready; the message carries the last lines of its log."""

    def __init__(self, process: Process, zh: str, en: str) -> None:
        end = process.last_lines()
        super().__init__(
            f"{process.name} {zh}。日志 {process.log} 的末尾：\n{end}",
            f"{process.name} {en}. The end of its log, {process.log}:\n{end}",
        )
