"""What is asked of a server in a measurement: by clients that wait for each reply, or at a rate that waits for none."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from http_client import Connection, Reply


@dataclass
class Seen:
    """What a load has met with."""

    seconds: float = 0.0
    replies: list[Reply] = field(default_factory=list)

    def latencies(self, *statuses: int) -> list[float]:
        """The seconds that the replies with these statuses took."""
        return [reply.seconds for reply in self.replies if reply.status in statuses]

    def count(self, *statuses: int) -> int:
        """How many replies had one of these statuses."""
        return sum(reply.status in statuses for reply in self.replies)


async def closed_loop(url: str, clients: int, stories: Iterable[Sequence[bytes]]) -> Seen:
    """Each client takes a story, asks its requests one after the other, takes the next, until none is left."""
    seen, left = Seen(), iter(stories)

    async def client(connection: Connection) -> None:
        for story in left:
            for content in story:
                seen.replies.append(await connection.ask(content))

    await _run(url, clients, client, seen)
    return seen


class Answered(NamedTuple):
    """What a flood's request got: its status, seconds after it was due, and the head of the reply in lower case."""

    status: int
    seconds: float
    head: bytes


class Flood:
    """Requests at a fixed rate whatever becomes of those before, so cheap that the processor is left to the server.

    A request's time runs from when it was due: with no connection free it waits for one here, as it would in the
    operating system's queue.
    """

    def __init__(self, requests: Iterator[bytes], *, rate: float, seconds: float) -> None:
        self.answered: list[Answered] = []
        self.seconds = 0.0
        self._requests = requests
        self._rate = rate
        self._number = round(rate * seconds)
        self._free: deque[Tap] = deque()
        self._ended = asyncio.Event()

    async def run(self, url: str, connections: int) -> None:
        """Send them all and wait for every answer."""
        place, loop = urlsplit(url), asyncio.get_running_loop()
        assert place.hostname is not None
        assert place.port is not None
        taps = [await loop.create_connection(lambda: Tap(self), place.hostname, place.port) for _ in range(connections)]
        self._free.extend(tap for _, tap in taps)
        started, sent = time.perf_counter(), 0
        while sent < self._number:
            due = min(self._number, int((time.perf_counter() - started) * self._rate))
            while sent < due and self._free:
                self._free.popleft().send(next(self._requests), started + sent / self._rate)
                sent += 1
            await asyncio.sleep(0.001)
        await self._ended.wait()
        self.seconds = time.perf_counter() - started
        for transport, _ in taps:
            transport.close()

    def ended(self, tap: "Tap", answered: Answered) -> None:
        """A tap has its answer, and is free again."""
        self.answered.append(answered)
        self._free.append(tap)
        if len(self.answered) == self._number:
            self._ended.set()

    def count(self, *statuses: int) -> int:
        """How many answers had one of these statuses."""
        return sum(one.status in statuses for one in self.answered)


class Tap(asyncio.Protocol):
    """A keep-alive connection of a flood; its replies are measured out, not parsed."""

    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._told = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send(self, content: bytes, due: float) -> None:
        """Send a request that was due at this moment of ``time.perf_counter``."""
        self._due = due
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        """Tell the flood once the reply is complete."""
        self._told += data
        head, blank, body = self._told.partition(b"\r\n\r\n")
        head = head.lower()
        _, _, length = head.partition(b"content-length: ")
        if blank and len(body) == int(length.partition(b"\r")[0]):
            self._told = b""
            self._flood.ended(self, Answered(int(head[9:12]), time.perf_counter() - self._due, head))


async def _run(url: str, clients: int, client: Callable[[Connection], Awaitable[None]], seen: Seen) -> None:
    opened = [await Connection.open(url) for _ in range(clients)]
    started = time.perf_counter()
    await asyncio.gather(*(client(connection) for connection in opened))
    seen.seconds = time.perf_counter() - started
    for connection in opened:
        connection.close()
