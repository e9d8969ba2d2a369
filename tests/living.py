"""The whole stack as a user starts it: `kegai up` on ports of its own, and how to use what it has started."""

import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kegai.local.ports import free_port, is_taken
from kegai.local.stack import Stack

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The stack speaks plain HTTP: to read the system's certificates takes longer than a command."""


@dataclass(frozen=True)
class Living:
    """A stack that runs, and how to use it as a person or a program does."""

    stack: Stack
    environment: dict[str, str]
    banner: str

    def kegai(self, *words: str, expect: int | None = 0) -> str:
        """What the command-line tool prints, in English."""
        done = subprocess.run(
            [Path(sys.executable).with_name("kegai"), "--lang", "en", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert expect in (None, done.returncode), done.stdout + done.stderr
        return done.stdout

    def client(self, role: str | None = None, unit: str | None = None) -> httpx.AsyncClient:
        """A client before the gateway, with a token if a role is given."""
        headers = {"authorization": f"Bearer {self.stack.keys.token([role], unit)}"} if role else {}
        return httpx.AsyncClient(base_url=self.stack.url, headers=headers, timeout=10, verify=NO_CERTIFICATES)

    @asynccontextmanager
    async def arrivals(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The measures that the live stream tells of, from now on."""
        async with self.client() as client, client.stream("GET", "/stream", timeout=20) as stream:
            lines = stream.aiter_lines()
            async for line in lines:
                if line == "event: hello":
                    break
            yield (json.loads(line[6:]) async for line in lines if line.startswith("data: {") and len(line) > 8)


def free_base() -> int:
    """A port from which on a whole stack's ports are free just now, below those that outgoing connections are given."""
    while True:
        base = 20_000 + free_port() % 12_000
        stack = Stack(Path(), gateway_port=base + 1, kafka_port=base + 2, postgres_port=base + 3, port_base=base + 4)
        if not any(is_taken(port) for port, _ in stack.ports()):
            return base
