"""How the stack is, in one sentence and then in figures that each process gives of itself."""

from collections import defaultdict
from dataclasses import dataclass, field

from kegai.console import padded
from kegai.language import say
from kegai.local.figures import Figures, path
from kegai.local.readiness import ask, readiness
from kegai.local.stack import PROGRAMS, Stack

_NAME_WIDTH = 22


@dataclass(frozen=True)
class ProcessStatus:
    """One process: its pid, None if it does not run; and what keeps it from being ready, empty if nothing does."""

    name: str
    pid: int | None
    obstacle: str

    @property
    def ready(self) -> bool:
        """Running, and ready by its own word."""
        return self.pid is not None and not self.obstacle


@dataclass
class Status:
    """The stack's processes; by who tells it, records of lag, rows of the outbox, parked records; and the whole path.

    ``path`` has a line for each process that has a share in a part of the path, by the part's name.
    """

    processes: list[ProcessStatus]
    lag: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    outbox_rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    parked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    path: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def up(self) -> bool:
        """Whether anything of the stack runs."""
        return any(process.pid for process in self.processes)

    @property
    def well(self) -> bool:
        """Whether every process is ready and nothing is parked."""
        return all(process.ready for process in self.processes) and not sum(self.parked.values())


def look(stack: Stack) -> Status:
    """Ask every process of the stack; one that does not answer is not ready."""
    pids = {process.name: found.pid for process in stack.processes() if (found := process.running())}
    ops_ports = {program.name: stack.ops_port(program) for program in PROGRAMS}
    status = Status([_process(name, pids.get(name), ops_ports.get(name)) for name in stack.expected()])
    for program in PROGRAMS:
        if program.name in pids:
            _add_figures(status, program.service, stack.ops_port(program))
    return status


def told(status: Status) -> str:
    """The status as people read it: one sentence first."""
    if not status.up:
        return say("未运行。启动：make up", "Not running. Start it: make up")
    lines = [_headline(status), ""]
    lines += [f" {'✓' if p.ready else '✗'} {padded(p.name, _NAME_WIDTH)}{_state(p)}" for p in status.processes]
    lines += [""] if status.path else []
    for part, of_each in status.path.items():
        lines += [f"   {padded('' if nth else part, _NAME_WIDTH)}{line}" for nth, line in enumerate(of_each)]
    return "\n".join(lines)


def _headline(status: Status) -> str:
    ready, count = sum(process.ready for process in status.processes), len(status.processes)
    lag, rows, parked = sum(status.lag.values()), sum(status.outbox_rows.values()), sum(status.parked.values())
    return say(
        f"{count} 个进程中 {ready} 个就绪；消费落后 {lag} 条；待发布 {rows} 条；搁置 {parked} 条。",
        f"{ready} of {count} processes are ready; consumers are {lag} records behind; {rows} wait to be published; "
        f"{parked} are parked.",
    )


def _state(process: ProcessStatus) -> str:
    if process.pid is None:
        return say("未运行", "not running")
    return f"pid {process.pid:<8}" + (process.obstacle or say("就绪", "ready"))


def _process(name: str, pid: int | None, ops_port: int | None) -> ProcessStatus:
    if pid is None or ops_port is None:
        return ProcessStatus(name, pid, "")
    answer = readiness(ops_port)
    if answer.ready:
        return ProcessStatus(name, pid, "")
    reasons = "; ".join(f"{check}: {reason}" for check, reason in answer.reasons.items())
    return ProcessStatus(name, pid, reasons or say("无应答", "no answer"))


def _add_figures(status: Status, service: str, ops_port: int) -> None:
    answer = ask(ops_port, "/metrics")
    figures = Figures(answer[1] if answer else "")
    for projection, lag in figures.values("kegai_consumer_lag_records", "projection").items():
        status.lag[f"{service}/{projection}"] += int(lag)
    for projection, parked in figures.values("kegai_parked_records", "projection").items():
        status.parked[f"{service}/{projection}"] += int(parked)
    status.outbox_rows[service] += int(figures.total("kegai_outbox_depth"))
    for part, line in path(service, figures):
        status.path[part].append(line)
