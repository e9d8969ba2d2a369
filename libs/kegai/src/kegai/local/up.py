"""Either the whole stack is up, seeded and proven when `up` returns, or nothing of it runs."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from shutil import which
from time import monotonic
from types import FrameType

from kegai import demo, seeds
from kegai.console import Console, begin, padded
from kegai.language import say
from kegai.local.down import exclusive, stop_everything
from kegai.local.envoy import EnvoyServer
from kegai.local.kafka import KafkaServer
from kegai.local.ports import PortTakenError, is_taken
from kegai.local.postgres import provision
from kegai.local.process import Process
from kegai.local.readiness import readiness
from kegai.local.stack import PROGRAMS, SERVICES, Program, Stack
from kegai.seeds.story import STORY

_START_SECONDS = 120


def up(asked: Stack, console: Console) -> bool:
    """Bring the stack up; False if it was up already and nothing was done.

    Raises:
        StackError: something could not be started; by then everything that had been started is stopped again.
    """
    with exclusive(asked.home, console):
        if Stack.running().is_up():
            return False
        started = monotonic()
        console.say(_title())
        if remnants := stop_everything(asked):
            names = ", ".join(remnants)
            console.say(say(f"   已清理上次遗留的进程：{names}", f"   ended what an earlier run had left: {names}"))
        _refuse_taken_ports(asked)
        with _ended_by_any_signal():
            try:
                _bring_up(asked, console)
            except BaseException:
                stop_everything(asked)
                raise
        asked.finished.touch()
        seconds = monotonic() - started
        console.say(_done(seconds))
        console.say(links(asked))
        return True


def links(stack: Stack) -> str:
    """What to open and what to type next, with the real addresses."""
    rows = (
        (say("看板", "Dashboard"), f"{stack.url}/"),
        (say("示例经过", "Story"), f"{stack.url}/?plan={STORY}&as_of=2025-10-31"),
        (say("接口", "API"), f"{stack.url}/docs"),
        (say("事件", "Events"), f"{stack.url}/events/docs      Kafka {stack.kafka_bootstrap}"),
        (say("实时", "Live"), f"curl -N {stack.url}/stream"),
        (say("令牌", "Token"), f"{_tool()} token --role reform-office"),
        (
            say("试试", "Try"),
            f"{_tool()} demo advance            "
            + say("再核验一个节点：看板一秒内随之变化", "one more milestone: watch the dashboard move within a second"),
        ),
    )
    return "\n".join(f" {padded(name, 15)}{value}" for name, value in rows)


def _tool() -> str:
    """How the reader calls this tool: by its name if the shell finds it, else by its path."""
    program = Path(sys.executable).with_name("kegai")
    if which("kegai") == str(program):
        return "kegai"
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)


def _bring_up(stack: Stack, console: Console) -> None:
    stack.remember()
    stack.keys.make()
    with ThreadPoolExecutor() as pool:
        try:
            _start_in_order(stack, console, pool)
        except BaseException:
            stop_everything(stack)  # before the pool is left, which waits for those who wait for these processes
            raise


def _start_in_order(stack: Stack, console: Console, pool: ThreadPoolExecutor) -> None:
    """Start each as soon as what it stands on is there; tell of them in the order of the path."""
    postgres = begin(pool, lambda: _start_postgres(stack))
    kafka = begin(pool, lambda: _start_kafka(stack))
    console.wait("PostgreSQL 18", postgres)
    migrations = begin(pool, lambda: _migrate(stack))
    console.wait("Kafka 4.3", kafka)
    topics = begin(pool, lambda: _make_topics(stack))
    console.wait(say("数据库迁移", "migrations"), migrations)
    console.wait(say("主题", "topics"), topics)
    services = begin(pool, lambda: _start_services(stack))
    envoy = begin(pool, lambda: _start_gateway(stack))
    console.wait(say("服务", "services"), services)
    console.wait("Envoy", envoy)
    console.wait(say("种子数据", "seeds"), begin(pool, lambda: _seed(stack)))
    console.wait(say("实证", "proof"), begin(pool, lambda: _prove(stack)))


def _start_postgres(stack: Stack) -> str:
    if stack.postgres_url is not None:
        provision(stack.postgres_url, SERVICES, stack.postgres.passwords)
        return say("使用给定的服务器", "the server that was given")
    server = stack.postgres.start()
    server.provision(SERVICES)
    where = _data_in(server.data.parent)
    return (
        where
        if server.account is None
        else where + say(f"，以账户 {server.account} 运行", f", run as {server.account}")
    )


def _start_kafka(stack: Stack) -> str:
    if stack.kafka_bootstrap_given is not None:
        return say(f"使用给定的服务器 {stack.kafka_bootstrap}", f"the server that was given, {stack.kafka_bootstrap}")
    server = KafkaServer(stack.home, stack.kafka_port, controller_port=stack.controller_port).start()
    return _data_in(server.data.parent)


def _migrate(stack: Stack) -> str:
    migrations = [Process(f"{service}-migrate", stack.home) for service in SERVICES]
    for service, process in zip(SERVICES, migrations, strict=True):
        environment = {"KEGAI_DATABASE_OWNER_URL": stack.database(service, "owner")}
        process.start([sys.executable, "-m", service, "migrate"], environment=environment, folder=stack.home)
    for process in migrations:
        process.wait_for_success(seconds=_START_SECONDS)
    return say(f"{len(SERVICES)} 个数据库均为最新", f"{len(SERVICES)} databases at head")


def _make_topics(stack: Stack) -> str:
    process = Process("topics", stack.home)
    environment = {"KEGAI_KAFKA_BOOTSTRAP": stack.kafka_bootstrap}
    process.start([sys.executable, "-m", "common.kafka", "topics"], environment=environment, folder=stack.home)
    process.wait_for_success(seconds=_START_SECONDS)
    return ""


def _start_services(stack: Stack) -> str:
    processes = {program: Process(program.name, stack.home) for program in PROGRAMS}
    for program, process in processes.items():
        command = [sys.executable, "-m", program.service, program.role]
        process.start(command, environment=stack.environment(program), folder=stack.home)
    for program, process in processes.items():
        process.wait_until(partial(_ready_for_seeds, stack, program), seconds=_START_SECONDS)
    return "  ".join(SERVICES)


def _ready(stack: Stack, program: Program) -> bool:
    return readiness(stack.ops_port(program)).ready


def _ready_for_seeds(stack: Stack, program: Program) -> bool:
    return readiness(stack.ops_port(program)).ready_for_seeds


def _start_gateway(stack: Stack) -> str:
    EnvoyServer(stack.home, stack.gateway_port, stack.gateway_configuration()).start()
    return ""


def _seed(stack: Stack) -> str:
    return str(asyncio.run(seeds.plant(stack.url, stack.keys.token_for)))


def _prove(stack: Stack) -> str:
    for program in PROGRAMS:
        Process(program.name, stack.home).wait_until(partial(_ready, stack, program), seconds=_START_SECONDS)
    try:
        return str(asyncio.run(demo.advance(stack.url, stack.keys.token_for)))
    except demo.NothingLeft as nothing:  # a stack that has shown all it had is no less up for that
        return str(nothing)


def _refuse_taken_ports(stack: Stack) -> None:
    for port, setting in stack.ports():
        if is_taken(port):
            raise PortTakenError(port, setting)


def _data_in(folder: Path) -> str:
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    return say(f"数据在 {shown}", f"data in {shown}")


@contextmanager
def _ended_by_any_signal() -> Iterator[None]:
    """Let a closed terminal or `kill` end the run as Ctrl-C does: with everything stopped."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    heeded = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _title() -> str:
    number = version("kegai")
    return say(
        f"科改通 Kegai {number}（仅供开发：无 TLS，密钥在首次启动时生成）",
        f"科改通 Kegai {number} (development only: no TLS, keys made at the first start)",
    )


def _done(seconds: float) -> str:
    return say(
        f" {seconds:.1f} 秒就绪；在后台运行，`make down` 停止",
        f" ready in {seconds:.1f} s; running in the background, `make down` stops it",
    )
