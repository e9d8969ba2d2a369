"""What every bench may ask for: a PostgreSQL and a Kafka that nobody else uses, databases, topics, processes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from eventually import eventually
from kegai.local.ports import free_port
from kegai.tokens import Keys
from servers import Database, Servers


@dataclass
class Bed:
    """The ground on which everything is measured; what it makes lasts as long as the run."""

    servers: Servers
    keys: Keys
    _databases: list[str] = field(default_factory=list)

    @property
    def bootstrap(self) -> str:
        """The address of Kafka."""
        return self.servers.kafka()

    async def database(self, service: str) -> Database:
        """A migrated database of a service's, empty."""
        self._databases.append(f"bench_{uuid4().hex}")
        return await self.servers.new_database(service, self._databases[-1])

    async def topic(self, partitions: int = 6) -> str:
        """A new topic of its own."""
        name = f"bench-{uuid4().hex}"
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1)], timeout_ms=10_000)
        finally:
            await admin.close()
        return name

    def environment(self, **settings: str) -> dict[str, str]:
        """What a process of ours needs to know; ``KEGAI_`` is put before each name."""
        told = {
            "jwks": str(self.keys.jwks),
            "kafka_bootstrap": self.bootstrap,
            "public_url": "http://localhost:8080",
            "host": "127.0.0.1",
        } | settings
        return os.environ | {f"KEGAI_{name.upper()}": value for name, value in told.items()}

    @asynccontextmanager
    async def process(self, *words: str, ops: bool = True, **settings: str) -> AsyncIterator["Process"]:
        """``python <words>`` on ports of its own until it is left; waits until ``/readyz`` says that it is ready.

        Our processes answer that on the operators' port; one without has it beside its own paths (``ops=False``).
        """
        port, ops_port = free_port(), free_port()
        running = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=self.environment(port=str(port), ops_port=str(ops_port), **settings)
        )
        process = Process(running.pid, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ops_port if ops else port}")
        try:
            await eventually(lambda: process.ready(running), seconds=120)
            yield process
        finally:
            if running.returncode is None:
                running.send_signal(signal.SIGTERM)
                await running.wait()

    async def clear(self) -> None:
        """Remove the databases of this run."""
        for name in self._databases:
            await self.servers.drop_database(name)


@dataclass(frozen=True)
class Process:
    """A running process: its pid and where it answers."""

    pid: int
    url: str
    ops_url: str
    """Where it tells whether it is ready."""

    async def ready(self, running: asyncio.subprocess.Process) -> bool:
        """Whether it answers that it is ready.

        :raises ChildProcessError: it has ended instead.
        """
        if running.returncode is not None:
            raise ChildProcessError(f"ended with {running.returncode} before it was ready")
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"{self.ops_url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

    def cpu_seconds(self) -> float:
        """User and system time that the process has used so far."""
        used = psutil.Process(self.pid).cpu_times()
        return used.user + used.system


def keep(figures: list[dict[str, Any]], place: Path) -> None:
    """Write the figures down; those of other quantities that stand there already are kept."""
    known = json.loads(place.read_text()) if place.exists() else []
    kept = {(one["id"], one["quantity"]): one for one in [*known, *figures]}
    place.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(kept.values(), key=lambda one: int(one["id"].removeprefix("P")))
    place.write_text(json.dumps(ordered, indent=1, ensure_ascii=False))
