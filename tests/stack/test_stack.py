"""What belongs to a stack, and what its programs are told."""

import stat
import sys
from pathlib import Path

import pytest

from kegai.console import Console
from kegai.gateway.routes import CHECKOUT
from kegai.local.down import exclusive, stop_everything, wipe
from kegai.local.process import Process
from kegai.local.stack import PROGRAMS, Stack

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_without_settings_the_stack_lives_in_the_checkout_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Stack.from_environment({}).home == CHECKOUT / ".kegai"
    assert (CHECKOUT / "libs" / "kegai").is_dir()


def test_later_commands_know_the_ports_that_up_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    monkeypatch.setenv("KEGAI_GATEWAY_PORT", "8099")
    Stack.from_environment().remember()
    monkeypatch.delenv("KEGAI_GATEWAY_PORT")
    assert Stack.running().gateway_port == 8099


def test_no_secret_is_readable_by_others(tmp_path: Path) -> None:
    stack = Stack(tmp_path, postgres_url="postgresql://someone:word@db.example:5432/postgres")
    stack.remember()
    stack.keys.make()
    stack.database("measures", "app")
    secrets = [tmp_path / "stack.json", stack.keys.private, tmp_path / "postgres" / "passwords.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


def test_a_program_is_told_its_own_role_and_never_the_owners_password(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    owner = stack.database("measures", "owner")
    told = stack.environment(PROGRAMS[0])
    assert told["KEGAI_DATABASE_URL"].startswith("postgresql://measures_app:")
    assert owner.split(":")[2].split("@")[0] not in "".join(told.values())


def test_a_given_server_is_addressed_with_the_services_own_role(tmp_path: Path) -> None:
    stack = Stack(tmp_path, postgres_url="postgresql://admin:word@db.example:6543/postgres?sslmode=require")
    address = stack.database("talent", "app")
    assert address.startswith("postgresql://talent_app:")
    assert address.endswith("@db.example:6543/talent?sslmode=require")
    assert "word" not in address
    assert "postgres" not in stack.expected()


def test_a_stack_is_up_only_if_up_came_to_its_end_and_everything_runs(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    processes = [Process(name, tmp_path) for name in stack.expected()]
    for process in processes:
        process.start(SLEEP)
    assert not stack.is_up()
    stack.finished.touch()
    assert stack.is_up()
    processes[3].stop()
    assert not stack.is_up()
    assert set(stop_everything(stack)) == set(stack.expected()) - {processes[3].name}
    assert not stack.finished.exists()
    for process in processes:
        process.stop()  # reaps what is this test's own child


def test_reset_removes_what_up_made_and_nothing_else(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.remember()
    stack.keys.make()
    (tmp_path / "mine.txt").write_text("not the stack's")
    wipe(stack)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_lock_of_a_command_that_ended_is_free(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path, Console()):
            pass
