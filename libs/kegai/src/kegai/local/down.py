"""After `down` nothing of the stack runs and all data are there; after `reset` the data are gone as well."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kegai.console import Console
from kegai.language import say
from kegai.local.process import Process
from kegai.local.stack import Stack

_STORES = {"postgres", "kafka"}
_CONTENTS = ("postgres", "kafka", "files", "keys", "logs", "run", "envoy.yaml", "stack.json")


@contextmanager
def exclusive(home: Path, console: Console) -> Iterator[None]:
    """Let one command at a time change the stack in `home`; the lock of a killed one is free at once."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            other = lock.read().strip()
            console.say(
                say(
                    f"另一个 kegai 命令（pid {other}）正在操作，等待其结束……",
                    f"waiting for another kegai (pid {other}) …",
                )
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def stop_everything(stack: Stack) -> list[str]:
    """Stop every process of the stack that runs, the stores last; returns the names of those that did."""
    stack.finished.unlink(missing_ok=True)
    processes = stack.processes()
    clients = [process for process in processes if process.name not in _STORES]
    stores = [process for process in processes if process.name in _STORES]
    return _stop(clients) + _stop(stores)


def wipe(stack: Stack) -> None:
    """Remove all that the stack has: data, passwords, keys, logs. Only what `up` makes, should the folder hold more."""
    stack.postgres.wipe()
    for name in _CONTENTS:
        path = stack.home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _stop(processes: list[Process]) -> list[str]:
    if not processes:
        return []
    with ThreadPoolExecutor(len(processes)) as pool:
        ended = pool.map(Process.stop, processes)
        return [process.name for process, was_running in zip(processes, ended, strict=True) if was_running]
