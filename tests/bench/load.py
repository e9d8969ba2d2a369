"""A lean HTTP/1.1 client: its requests are bytes before the clock runs, so that the server is measured and not it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
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


async def open_loop(url: str, connections: int, requests: Iterator[bytes], *, rate: float, seconds: float) -> Seen:
    """Requests at a fixed rate, whatever becomes of those before; a request's time runs from when it was due.

    With no connection free a request waits for one here, as it would in the operating system's queue.
    """
    seen, start = Seen(), time.perf_counter()
    due = (start + number / rate for number in range(round(rate * seconds)))

    async def client(connection: Connection) -> None:
        for moment in due:
            if (ahead := moment - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            seen.replies.append(await connection.ask(next(requests), since=moment))

    await _run(url, connections, client, seen)
    return seen


async def _run(url: str, clients: int, client: Callable[[Connection], Awaitable[None]], seen: Seen) -> None:
    opened = [await Connection.open(url) for _ in range(clients)]
    started = time.perf_counter()
    await asyncio.gather(*(client(connection) for connection in opened))
    seen.seconds = time.perf_counter() - started
    for connection in opened:
        connection.close()
