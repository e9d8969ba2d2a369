"""A lean HTTP/1.1 client: its requests are bytes before the clock runs, so that the server is measured and not it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import httptools


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    told = {"host": "kegai.test", **headers, "content-length": str(len(body))}
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
