"""Readers of the live stream: each keeps every frame that it was sent and resumes where it was cut."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from eventually import eventually
from faults.history import Frame, HarnessError, History, Kind, Operation, Streamed
from faults.stack import FaultStack

SILENT_SECONDS_MAX = 6.0
"""A stream beats every two seconds; one that is silent for longer is cut by its reader."""
RETRY_SECONDS = 0.2


@dataclass
class Reader:
    """One reader, from its first connection until it is closed."""

    name: str
    stack: FaultStack
    history: History
    last_id: str | None = None
    """The id of the last frame: what it resumes after."""

    @property
    def number(self) -> int:
        """The number of the last change that it was told of; 0 before the first."""
        return int((self.last_id or "0").rpartition(".")[2])

    async def read(self) -> None:
        """Read until cancelled; every connection becomes an operation, whatever ends it."""
        async with httpx.AsyncClient(timeout=httpx.Timeout(5, read=SILENT_SECONDS_MAX), trust_env=False) as http:
            while True:
                await self._connect(http)
                await asyncio.sleep(RETRY_SECONDS)

    async def _connect(self, http: httpx.AsyncClient) -> None:
        began, resumed_from, frames = time.monotonic(), self.last_id, list[Frame]()
        headers = {"last-event-id": resumed_from} if resumed_from else {}
        ended = "closed"
        try:
            door = self.stack.the("events", "api").url
            async with http.stream("GET", f"{door}/stream", headers=headers) as reply:
                if reply.status_code == 200:
                    await self._receive(reply, frames)
                ended = f"ended by the server ({reply.status_code})"
        except httpx.HTTPError as error:
            ended = repr(error)
        finally:
            streamed = Streamed(resumed_from, tuple(frames), ended)
            self.history.add(Operation(self.name, Kind.STREAM, "/stream", began, time.monotonic(), streamed))

    async def _receive(self, reply: httpx.Response, frames: list[Frame]) -> None:
        told: dict[str, str] = {}
        async for line in reply.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                told[name] = told.get(name, "") + value.removeprefix(" ")
                continue
            if "event" in told:
                positions = tuple(json.loads(told.get("data", "{}")).get("positions", ()))
                frames.append(Frame(told.get("id", ""), told["event"], positions, time.monotonic()))
                self.last_id = told.get("id") or self.last_id
            told = {}


@asynccontextmanager
async def reading(stack: FaultStack, history: History, many: int) -> AsyncIterator[list[Reader]]:
    """Readers that are connected before the block begins and closed after it.

    :raises HarnessError: one could not connect, or failed.
    """
    readers = [Reader(f"reader-{number}", stack, history) for number in range(many)]
    tasks = [asyncio.create_task(reader.read()) for reader in readers]
    try:
        await eventually(lambda: all(reader.last_id for reader in readers), seconds=20)
        yield readers
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if not isinstance(end, asyncio.CancelledError):
            raise HarnessError(f"a reader failed: {end!r}")
