"""A TCP proxy before PostgreSQL: what is done to connections is counted, so that a fault without effect shows."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kegai.local.ports import LOOPBACK

SAVING = b"INSERT INTO event"
"""By this a statement is known as one that saves a decision."""
_READY = b"Z\0\0\0\5I"
"""ReadyForQuery, idle: whatever was under way has been committed or undone."""
_NOT_A_STARTUP = {80877103, 80877104}
"""Codes of the messages that ask for encryption; the real first message follows them."""


@dataclass
class Proxy:
    """Listens on a port of its own and hands everything on, as long as nothing else is asked of it."""

    target: tuple[str, int]
    port: int = 0
    refuses: bool = False
    """New connections are closed at once, and none that was open is left."""
    delay_s: float = 0.0
    """How long each piece of a reply is held back."""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: the server is there and does not answer."""
    to_cut: int = 0
    """How many more replies to a saving statement are to be lost: the request goes through, the connection is cut."""
    cut: int = 0
    """How many were lost."""
    refused: int = 0
    delayed: int = 0
    passed: int = 0
    """Bytes that went through, both ways."""
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @classmethod
    def before(cls, url: str) -> "Proxy":
        """A proxy before the server of a database's address."""
        parts = urlsplit(url)
        return cls((parts.hostname or LOOPBACK, parts.port or 5432))

    def through(self, url: str) -> str:
        """The same database's address through the proxy."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{LOOPBACK}:{self.port}").geturl()

    async def start(self) -> "Proxy":
        """Listen."""
        self.answers.set()
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """End every connection and listen no more."""
        assert self._server is not None
        self._server.close()
        await self.cut_off()

    async def cut_off(self) -> int:
        """Cut every connection that is open; how many there were."""
        cut = list(self._open)
        for serving in cut:
            serving.cancel()
        if cut:
            await asyncio.wait(cut)
        return len(cut)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._open.add(serving)
        try:
            if self.refuses:
                self.refused += 1
                return
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            return  # either end has gone, or the connection was cut by us
        finally:
            self._open.discard(serving)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection(*self.target)
        watched = Watched()
        ways = [
            asyncio.create_task(self._hand_on(reader, before, watched.asked)),
            asyncio.create_task(self._hand_back(behind, writer, watched)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            before.transport.abort()

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, see: Callable[[bytes], None]
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                see(piece)
                self.passed += len(piece)
                writer.write(piece)
                await writer.drain()

    async def _hand_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watched: "Watched") -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                if watched.saved(piece) and self.to_cut > 0:
                    self.to_cut -= 1
                    self.cut += 1
                    return
                if self.delay_s:
                    self.delayed += 1
                    await asyncio.sleep(self.delay_s)
                await self.answers.wait()
                self.passed += len(piece)
                writer.write(piece)
                await writer.drain()


@dataclass
class Watched:
    """What is said on one connection, as far as it must be known to tell the reply to a save from others."""

    _started: bool = False
    _left: bytes = b""
    _saves: dict[bytes, bool] = field(default_factory=dict)
    """By a prepared statement's name: whether it saves."""
    _saving: bool = False

    def asked(self, piece: bytes) -> None:
        """Look at what the client says: statements as they are prepared, and which of them it executes."""
        said = self._left + piece
        while len(said) >= 8:
            if not self._started:
                length, code = struct.unpack(">ii", said[:8])
                self._started = code not in _NOT_A_STARTUP
                said = said[length:]
                continue
            (length,) = struct.unpack(">i", said[1:5])
            if len(said) < 1 + length:
                break
            self._message(said[:1], said[5 : 1 + length])
            said = said[1 + length :]
        self._left = said

    def _message(self, kind: bytes, content: bytes) -> None:
        if kind == b"P":  # Parse: name, statement
            name, statement, *_ = content.split(b"\0", 2)
            self._saves[name] = SAVING in statement
        elif kind == b"B":  # Bind: portal, name
            _, name, *_ = content.split(b"\0", 2)
            self._saving = self._saves.get(name, False)

    def saved(self, piece: bytes) -> bool:
        """Whether a save has ended with this, and not by an error: the server says so once it is durable."""
        done = self._saving and piece.endswith(_READY) and b"SERROR" not in piece
        if done:
            self._saving = False
        return done
