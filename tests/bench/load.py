"""A lean HTTP/1.1 client: its requests are bytes before the clock runs, so that the server is measured and not it."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import httptools


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    told = {"host": "bench", **headers, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how many seconds after the request was due."""

    status: int
    seconds: float
    headers: Mapping[bytes, bytes]
    body: bytes


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self) -> None:
        self._reply: asyncio.Future[tuple[int, dict[bytes, bytes], bytes]] | None = None
        self._begin()

    @classmethod
    async def open(cls, url: str) -> Self:
        """A connection to the server at this address."""
        place = urlsplit(url)
        assert place.hostname is not None
        assert place.port is not None
        _, connection = await asyncio.get_running_loop().create_connection(cls, place.hostname, place.port)
        return connection

    async def ask(self, content: bytes, *, since: float | None = None) -> Reply:
        """Send a request and wait for its reply; its time runs from ``since``, by default from now.

        :raises ConnectionError: the server has closed the connection.
        """
        due = time.perf_counter() if since is None else since
        if self._transport.is_closing():
            raise ConnectionError("closed")
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(content)
        status, headers, body = await self._reply
        return Reply(status, time.perf_counter() - due, headers, body)

    def send(self, content: bytes) -> None:
        """Send bytes that no reply is waited for."""
        self._transport.write(content)

    def close(self) -> None:
        """End it."""
        self._transport.close()

    @property
    def closed(self) -> bool:
        """Whether either side has ended it."""
        return self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for a reply is told."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionError(f"closed: {exc!r}"))

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of a reply."""
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """A part of a reply's body."""
        self._body += body

    def on_message_complete(self) -> None:
        """The reply is complete."""
        found = (self._parser.get_status_code(), self._headers, self._body)
        self._begin()
        assert self._reply is not None
        self._reply.set_result(found)

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""


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
