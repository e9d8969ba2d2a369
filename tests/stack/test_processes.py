"""Background processes: known by their record, ended by it, never taken for somebody else's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from kegai.local.process import NotStartedError, Process

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_a_process_is_found_again_by_its_record_alone(tmp_path: Path) -> None:
    started = Process("sleeper", tmp_path)
    started.start(SLEEP)
    found = Process("sleeper", tmp_path).running()
    assert found is not None
    assert found.pid == int(started.record.read_text())
    assert started.stop()
    assert Process("sleeper", tmp_path).running() is None


def test_a_pid_that_came_round_again_is_somebody_elses(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    record = Process("sleeper", tmp_path)
    record.record.parent.mkdir()
    record.record.write_text(str(stranger.pid))
    an_hour_ago = time.time() - 3600
    os.utime(record.record, (an_hour_ago, an_hour_ago))

    assert record.running() is None
    assert not record.stop()
    assert stranger.poll() is None

    stranger.kill()
    stranger.wait()


def test_the_same_record_written_after_the_process_was_born_is_believed(tmp_path: Path) -> None:
    """The negative control of the test above: only the time of the record differs."""
    ours = subprocess.Popen(SLEEP)
    record = Process("sleeper", tmp_path)
    record.record.parent.mkdir()
    record.record.write_text(str(ours.pid))

    assert record.running() is not None
    ours.kill()
    ours.wait()


def test_what_a_killed_starter_leaves_is_ended_by_the_next(tmp_path: Path) -> None:
    starter = f"""
import os, signal, sys
from pathlib import Path
from kegai.local.process import Process
Process("sleeper", Path({str(tmp_path)!r})).start({SLEEP!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", starter], check=False)
    assert killed.returncode == -signal.SIGKILL

    left = Process("sleeper", tmp_path)
    process = left.running()
    assert process is not None
    assert left.stop()
    assert not psutil.pid_exists(process.pid)


def test_a_process_that_dies_at_once_is_told_of_at_once_with_the_end_of_its_log(tmp_path: Path) -> None:
    dying = Process("dying", tmp_path)
    dying.start([sys.executable, "-c", "import sys; print('no such luck'); sys.exit(3)"])
    started = time.monotonic()
    with pytest.raises(NotStartedError, match="no such luck") as told:
        dying.wait_until(lambda: False, seconds=60)
    assert "(3)" in told.value.en
    assert "no such luck" in told.value.zh
    assert time.monotonic() - started < 30


def test_a_process_that_never_gets_ready_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    slow = Process("slow", tmp_path)
    slow.start(SLEEP)
    with pytest.raises(NotStartedError, match="not ready within"):
        slow.wait_until(lambda: False, seconds=0.1)
    slow.stop()


def test_a_process_that_does_not_heed_its_signal_is_ended_by_force(tmp_path: Path) -> None:
    deaf = Process("deaf", tmp_path)
    ignore = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    deaf.start([sys.executable, "-c", ignore])
    deaf.wait_until(lambda: "deaf" in deaf.last_lines(), seconds=20)
    assert deaf.stop(patience_seconds=0.1)
    assert deaf.running() is None
