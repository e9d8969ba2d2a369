"""The harness on the real stack, cut down: short faults are survived, and a run that proves nothing never passes."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from faults import __main__ as command
from faults.cases import all_faults
from faults.clients import Load
from faults.fault import Fault
from faults.history import Accepted, Frame, HarnessError, History, Kind, Operation, Outcome, Streamed, Unknown
from faults.pauses import pauses_of
from faults.runner import Result, run
from faults.servers import FaultServers, fault_servers
from faults.stack import FaultStack, Setup
from faults.victim import Victim
from kegai.local.process import Process

pytestmark = pytest.mark.xdist_group("faults")
ITEM = UUID("01990000-0000-7000-8000-000000000001")
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultServers]:
    """Servers that may be harmed."""
    with fault_servers(tmp_path_factory.mktemp("faults")) as servers:
        yield servers


# ── on the real stack ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.servers
@pytest.mark.parametrize("name", command.QUICK)
async def test_a_short_fault_is_survived(name: str, ground: FaultServers) -> None:
    result = await run(name, all_faults()[name].cut_down(), 1, ground)
    assert {invariant: found for invariant, found in result.violations.items() if found} == {}
    assert set(result.violations) >= {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I10", "I11", "I12"}
    assert result.met
    assert result.operations > 80


@pytest.mark.servers
async def test_a_fault_without_effect_proves_nothing_and_one_that_takes_too_long_is_not_survived(
    ground: FaultServers,
) -> None:
    async def nothing(_stack: FaultStack, _load: Load) -> str:
        return ""

    async def too_late(stack: FaultStack, _load: Load) -> str:
        return await stack.the("measures", "worker").kill()

    async def started_again(stack: FaultStack, _load: Load) -> str:
        return stack.the("measures", "worker").start_again()

    small = Fault(inject=nothing, within_s=0, setup=Setup(apis=1, items=1)).cut_down()
    with pytest.raises(HarnessError, match="nothing proves that it took effect"):
        await run("nothing", small, 1, ground)
    late = await run("late", replace(small, inject=too_late, heal=started_again), 1, ground)
    assert not late.met
    assert [name for name, found in late.violations.items() if found] == ["I12"]


@pytest.mark.servers
async def test_a_stack_that_does_not_come_up_proves_nothing(ground: FaultServers) -> None:
    fault = replace(all_faults()["relay-killed"], setup=Setup(apis=1, environment={"KEGAI_POOL_MAX": "many"}))
    with pytest.raises(HarnessError, match="pool_max"):
        await run("broken", fault, 1, ground)


# ── what is done to processes ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_process_is_killed_frozen_and_resumed_with_proof(tmp_path: Path) -> None:
    victim = Victim(Process("sleeper", tmp_path))
    victim.process.start(SLEEP)
    assert "is stopped (SIGSTOP)" in await victim.freeze()
    assert "again (SIGCONT)" in await victim.resume()
    assert "is dead after SIGKILL (exit -9)" in await victim.kill()
    for act in (victim.kill, victim.freeze, victim.resume):
        with pytest.raises(HarnessError, match="sleeper does not run"):
            await act()


async def test_a_failpoint_that_is_not_reached_is_no_fault(tmp_path: Path) -> None:
    victim = Victim(Process("sleeper", tmp_path))
    victim.process.start(SLEEP)
    with pytest.raises(HarnessError, match="still lives"):
        await victim.dies(seconds=0.1)
    with pytest.raises(HarnessError, match="does not stand still"):
        await victim.freezes(seconds=0.1)
    victim.process.stop()


# ── the history ──────────────────────────────────────────────────────────────────────────────────────────────────────


def command_of(key: str, outcome: Outcome, *, at: float = 0.0) -> Operation:
    """An attempt at a command."""
    return Operation("client-0", Kind.COMMAND, "milestones", at, at, outcome, key=key)


def accepted(version: int) -> Accepted:
    """A reply that names a position."""
    return Accepted(200, b"{}", ITEM, version)


def test_retries_do_not_make_a_history_long_enough() -> None:
    history = History(minimum=2)
    for outcome in (Unknown("cut"), Unknown("cut"), accepted(1), accepted(1)):
        history.add(command_of("k1", outcome))
    with pytest.raises(HarnessError, match="only 1 commands were accepted; it takes 2"):
        history.require_enough()
    history.add(command_of("k2", accepted(2)))
    history.require_enough()


def test_a_command_without_an_answer_to_the_end_is_undecided() -> None:
    history = History()
    history.add(command_of("k1", Unknown("cut")))
    history.add(command_of("k1", accepted(1)))
    history.add(command_of("k2", Unknown("cut")))
    assert [one.key for one in history.undecided()] == ["k2"]


def test_pauses_are_what_clients_felt() -> None:
    history = History()
    for version, at in ((1, 10.0), (2, 12.5), (3, 13.0)):
        history.add(command_of(f"k{version}", accepted(version), at=at))
    frames = [
        Frame("1.1", "measure", (accepted(1).position,), 10.1),
        Frame("1.2", "measure", (accepted(2).position,), 16.0),
    ]
    history.add(Operation("reader-0", Kind.STREAM, "/stream", 9.0, 17.0, Streamed(None, tuple(frames), "closed")))
    pauses = pauses_of(history)
    assert (pauses.acceptance, pauses.visibility, pauses.unseen) == (2.5, 3.5, 1)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (Result("relay-killed", 7, 100, {"I1": [], "I12": []}, 0.5), 0),
        (Result("relay-killed", 7, 100, {"I1": ["lost"], "I12": []}, 0.5), command.VIOLATED),
        (HarnessError("no effect"), command.PROVES_NOTHING),
        (OSError("no disk"), command.PROVES_NOTHING),
    ],
)
def test_how_a_run_ends_is_its_exit_code(
    end: Result | Exception,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def ended(*_: object) -> Result:
        if isinstance(end, Exception):
            raise end
        return end

    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(command, "run", ended)
    monkeypatch.setattr(command, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(command, "fault_servers", lambda _home: nullcontext(type("Servers", (), {"home": tmp_path})))
    assert command.main(["relay-killed", "--seed", "7"]) == code
    written = json.loads((tmp_path / "kept" / "faults.json").read_text())
    assert [(one["fault"], one["seed"], one["met"]) for one in written] == [("relay-killed", 7, code == 0)]
    said = capsys.readouterr().out
    assert ("PROVES NOTHING" in said) is isinstance(end, Exception)
    assert ("make faults FAULTS='relay-killed --seed 7'" in said) is (code != 0)
