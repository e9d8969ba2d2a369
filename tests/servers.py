"""One PostgreSQL and one Kafka for a whole test run, shared by its workers and started when the first test asks.

Addresses that are given come first (KEGAI_POSTGRES_URL, KEGAI_KAFKA_BOOTSTRAP), then Docker where an engine answers,
else the embedded servers of the local stack. The controlling process chooses and says so in the header; whichever
worker needs a server first starts it under a file lock; the controller stops what was started.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from kegai.local import KafkaServer, PostgresServer
from kegai.local.ports import free_port

GIVEN, DOCKER, EMBEDDED = "given", "Docker", "embedded"
ROLE_PASSWORD = "of-the-tests"
HOMES = "kegai-tests-"
STARTED: list[PostgresServer | KafkaServer] = []
"""What this process has started: kept, since a server that nobody holds is taken for one that was forgotten."""


@dataclass(frozen=True)
class Database:
    """A service's database as it is after its migrations: its own, and as empty."""

    service: str
    app_url: str
    """The runtime role's address."""
    owner_url: str
    """The address of the role that migrates."""


@dataclass(frozen=True)
class Servers:
    """The servers of one run: where each comes from, and the folder in which the run keeps its addresses."""

    postgres_from: str
    kafka_from: str
    home: str

    @classmethod
    def choose(cls) -> "Servers":
        """Decide for a run that begins; what a killed run has left is cleared first."""
        _clear_dead_runs()
        home = Path(tempfile.gettempdir()) / f"{HOMES}{os.getpid()}"
        home.mkdir(mode=0o755)
        fallback = DOCKER if _docker_answers() else EMBEDDED
        return cls(
            GIVEN if os.environ.get("KEGAI_POSTGRES_URL") else fallback,
            GIVEN if os.environ.get("KEGAI_KAFKA_BOOTSTRAP") else fallback,
            str(home),
        )

    def __str__(self) -> str:
        return f"servers: PostgreSQL {self.postgres_from}, Kafka {self.kafka_from}; started when a test needs them"

    def postgres(self) -> str:
        """The superuser's address of the run's PostgreSQL."""
        return self._once("postgres", {GIVEN: _postgres_given, DOCKER: _postgres_docker, EMBEDDED: _postgres_embedded})

    def kafka(self) -> str:
        """The bootstrap address of the run's Kafka."""
        return self._once("kafka", {GIVEN: _kafka_given, DOCKER: _kafka_docker, EMBEDDED: _kafka_embedded})

    def template(self, service: str) -> str:
        """The name of the service's migrated database, from which every test gets its own."""
        name = f"{Path(self.home).name.replace('-', '_')}_{service}"
        admin = self.postgres()
        with self._alone(name) as kept:
            if not kept.exists():
                _make_template(admin, name, service)
                kept.write_text(name)
        return name

    async def new_database(self, service: str, name: str) -> Database:
        """A database of the service's, for one test alone."""
        template = await asyncio.to_thread(self.template, service)
        await _execute(self.postgres(), f"CREATE DATABASE {name} TEMPLATE {template} OWNER {service}_owner")
        return database_at(self.postgres(), name, service)

    async def drop_database(self, name: str) -> None:
        """Remove a test's database, whoever is still connected."""
        await _execute(self.postgres(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """End what this run has started and remove its folder; what was given keeps running without our databases."""
        home = Path(self.home)
        if self.postgres_from == GIVEN:
            for template in home.glob("kegai_tests_*.address"):
                asyncio.run(self.drop_database(template.read_text()))
        _stop(home)

    def _once(self, name: str, ways: dict[str, Callable[[Path], str]]) -> str:
        """The address of a server: the one that a worker of this run has written down, else a new one's."""
        chosen = {"postgres": self.postgres_from, "kafka": self.kafka_from}[name]
        with self._alone(name) as kept:
            if not kept.exists():
                kept.write_text(ways[chosen](Path(self.home)))
            return kept.read_text()

    @contextmanager
    def _alone(self, name: str) -> Iterator[Path]:
        with Path(self.home, f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(self.home, f"{name}.address")


def database_at(admin_url: str, name: str, service: str) -> Database:
    """The addresses of a database for the two roles of its service."""
    parts = urlsplit(admin_url)

    def url(role: str) -> str:
        place = f"{role}:{ROLE_PASSWORD}@{parts.hostname}:{parts.port or 5432}"
        return urlunsplit(("postgresql", place, f"/{name}", parts.query, ""))

    return Database(service, url(f"{service}_app"), url(f"{service}_owner"))


def _make_template(admin: str, name: str, service: str) -> None:
    roles = "".join(
        f"DO $$ BEGIN CREATE ROLE {role} LOGIN PASSWORD '{ROLE_PASSWORD}'; EXCEPTION WHEN duplicate_object THEN END $$;"
        for role in (f"{service}_owner", f"{service}_app")
    )
    asyncio.run(_execute(admin, roles + f"GRANT {service}_owner TO CURRENT_USER"))
    asyncio.run(_execute(admin, f"CREATE DATABASE {name} OWNER {service}_owner"))
    subprocess.run(
        [sys.executable, "-m", service, "migrate"],
        env={**os.environ, "KEGAI_DATABASE_OWNER_URL": database_at(admin, name, service).owner_url},
        check=True,
    )


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _postgres_given(_home: Path) -> str:
    return os.environ["KEGAI_POSTGRES_URL"]


def _kafka_given(_home: Path) -> str:
    return os.environ["KEGAI_KAFKA_BOOTSTRAP"]


def _postgres_embedded(home: Path) -> str:
    server = PostgresServer(home).start()
    STARTED.append(server)
    return server.dsn()


def _kafka_embedded(home: Path) -> str:
    server = KafkaServer(home).start()
    STARTED.append(server)
    return server.bootstrap


def _postgres_docker(home: Path) -> str:
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer("postgres:18", username="kegai", dbname="postgres", driver=None)
    container.with_command("postgres -c max_connections=300 -c track_commit_timestamp=on")
    _run(container, home)
    return str(container.get_connection_url())


def _kafka_docker(home: Path) -> str:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    container = DockerContainer("apache/kafka:4.3.1").with_bind_ports(9092, port)
    host = container.get_container_host_ip()
    settings = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name}", value)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    _run(container, home)
    return f"{host}:{port}"


def _run(container: Any, home: Path) -> None:
    """Start a container that outlives the worker which asked for it: the controller ends it."""
    from testcontainers.core.config import testcontainers_config

    testcontainers_config.ryuk_disabled = True
    container.start()
    with (home / "containers").open("a") as kept:
        kept.write(f"{container.get_wrapped_container().id}\n")


def _docker_answers() -> bool:
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    ask = "import docker; docker.from_env(timeout=3).ping()"  # in a process of its own: a refusal leaks its socket
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False).returncode == 0


def _stop(home: Path) -> None:
    for folder, server in (("kafka", KafkaServer), ("postgres", PostgresServer)):
        if (home / folder).exists():
            server(home).wipe()
    if (home / "containers").exists():
        import docker

        client = docker.from_env()
        for container in (home / "containers").read_text().split():
            client.containers.get(container).remove(force=True, v=True)
        client.close()
    shutil.rmtree(home, ignore_errors=True)


def _clear_dead_runs() -> None:
    for home in Path(tempfile.gettempdir()).glob(f"{HOMES}*"):
        run = int(home.name.removeprefix(HOMES))
        if run == os.getpid() or not psutil.pid_exists(run):  # a pid comes round again
            _stop(home)
