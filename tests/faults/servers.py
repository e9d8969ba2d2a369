"""The PostgreSQL and the Kafka that faults are done to: kept over several, with databases and topics new for each."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from random import SystemRandom

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from common.kafka import TopicSettings, create_topics
from eventually import eventually
from faults.history import HarnessError
from faults.victim import Victim
from kegai.language import StackError
from kegai.local import KafkaServer, PostgresServer
from kegai.local.ports import is_taken
from kegai.tokens import Keys

SERVICES = ("measures", "events")
PARTITIONS = 6
_FIRST_PORT, _LAST_PORT = 20_000, 31_990  # below those that outgoing connections are given
_numbers = count(1)


def free_ports(many: int = 1) -> int:
    """The first of some ports in a row on which nothing listens just now."""
    while True:
        first = SystemRandom().randrange(_FIRST_PORT, _LAST_PORT)
        if not any(is_taken(first + offset) for offset in range(many)):
            return first


@dataclass(frozen=True)
class Database:
    """One service's database in one run."""

    service: str
    name: str
    app_url: str
    """The runtime role's address."""
    owner_url: str
    admin_url: str
    """The superuser's, for whoever collects evidence."""


class FaultServers:
    """Servers of the harness's own, under a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.postgres = PostgresServer(home, free_ports())
        self.kafka = KafkaServer(home, free_ports(), controller_port=free_ports())
        self.keys = Keys(home / "keys")

    @cached_property
    def postgres_process(self) -> Victim:
        """PostgreSQL's first process."""
        return Victim(self.postgres.process)

    @cached_property
    def kafka_process(self) -> Victim:
        """The broker."""
        return Victim(self.kafka.process)

    def start(self) -> None:
        """Start both and bring one database of each service to its newest revision, as the model of all later ones.

        :raises HarnessError: a server did not come up, or a migration failed.
        """
        self.keys.make()
        try:
            with ThreadPoolExecutor() as pool:
                kafka = pool.submit(self.kafka.start)
                self.postgres.start()
                self.postgres.provision(SERVICES)
                list(pool.map(self._migrate, SERVICES))
                kafka.result()
        except (StackError, OSError, subprocess.CalledProcessError) as error:
            raise HarnessError(f"the servers did not come up: {error}") from error

    def _migrate(self, service: str) -> None:
        address = self.postgres.dsn(service, f"{service}_owner")
        command = ["env", f"KEGAI_DATABASE_OWNER_URL={address}", sys.executable, "-m", service, "migrate"]
        subprocess.run(command, check=True, capture_output=True)

    async def renew(self) -> dict[str, Database]:
        """Databases as they are after their migrations, and topics that hold nothing."""
        made, _ = await asyncio.gather(self._new_databases(), self._new_topics())
        return made

    async def _new_databases(self) -> dict[str, Database]:
        run = next(_numbers)
        admin = await asyncpg.connect(self.postgres.dsn())
        try:
            for old in await admin.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'run\\_%'"):
                await admin.execute(f"DROP DATABASE {old['datname']} WITH (FORCE)")
            for service in SERVICES:
                await admin.execute(f"CREATE DATABASE run_{run}_{service} TEMPLATE {service} OWNER {service}_owner")
        finally:
            await admin.close()
        return {service: self._database(service, f"run_{run}_{service}") for service in SERVICES}

    def _database(self, service: str, name: str) -> Database:
        dsn = self.postgres.dsn
        return Database(service, name, dsn(name, f"{service}_app"), dsn(name, f"{service}_owner"), dsn(name))

    async def _new_topics(self) -> None:
        await self.wipe_topics(*await self.topics())
        await create_topics(TopicSettings(kafka_bootstrap=self.kafka.bootstrap, partitions=PARTITIONS))

    async def topics(self) -> set[str]:
        """The names of the topics that there are, but for Kafka's own."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        await admin.start()
        try:
            return {name for name in await admin.list_topics() if not name.startswith("__")}
        finally:
            await admin.close()

    async def wipe_topics(self, *names: str) -> None:
        """Delete topics with all that they hold, and return when they are gone."""
        if not names:
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics(list(names))

            async def gone() -> bool:
                return not set(names) & set(await admin.list_topics())

            await eventually(gone, seconds=30)
        finally:
            await admin.close()

    def remove(self) -> None:
        """Stop both and remove all that they held; frozen ones are woken first."""
        for server in (self.postgres, self.kafka):
            if (living := server.process.running()) is not None:
                living.resume()
            server.wipe()
        shutil.rmtree(self.home, ignore_errors=True)


async def group_of(bootstrap: str, group: str) -> tuple[str, int]:
    """The state of a consumer group and how many members it has, as the broker sees it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        [reply] = await admin.describe_consumer_groups([group])
        [(_, _, state, _, _, members, *_)] = reply.groups
        return state, len(members)
    finally:
        await admin.close()


@contextmanager
def fault_servers(home: Path) -> Iterator[FaultServers]:
    """Servers that run for as long as the block does, and are gone without a trace afterwards."""
    home.mkdir(parents=True, mode=0o755, exist_ok=True)
    servers = FaultServers(home)
    try:
        servers.start()
        yield servers
    finally:
        servers.remove()
