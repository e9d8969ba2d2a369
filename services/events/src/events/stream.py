"""Server-sent events: every reader of a channel is handed the same bytes, ten times a second at most.

A reader who comes back with ``Last-Event-ID`` gets what it missed, or a ``reset`` where that is no longer kept. One
that does not read is cut, and all streams end when the process is told to stop.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg
import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from common.decision import Kind, Refusal, Refused
from common.telemetry import REFUSED_REQUESTS, SSE_READERS, log
from events import feed
from events.asked import asked
from events.feed import Change
from events.views.plan import look
from events.views.progress import Key

TICK_SECONDS: Final = 0.1
BEAT_SECONDS: Final = 2.0
SEND_SECONDS_MAX: Final = 10.0
FRAMES_KEPT: Final = 256
READERS_MAX: Final = 2_000

TOO_MANY = Refusal(
    "stream.too-many-readers",
    zh="实时连接数已达上限，请稍后重试",
    en="Too many streams are open; try again later",
    kind=Kind.UNAVAILABLE,
)

Render = Callable[[Sequence[Change]], Awaitable[bytes]]
Greet = Callable[[], Awaitable[bytes]]


def frame(event: str, data: str, number: str | None = None) -> bytes:
    """One server-sent event; line breaks in ``data`` become several data lines, as the protocol has it."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {event}\n{lines}\n".encode()


class Channel:
    """One kind of stream: the frames that all its readers get."""

    def __init__(self, name: str, *, render: Render, greet: Greet, beat: Greet) -> None:
        self.name = name
        self.render = render
        self.greet = greet
        """What a reader who has nothing yet gets first."""
        self.beat = beat
        self.readers = 0
        self.moved = asyncio.Event()
        self.count = 0
        self._frames: deque[bytes] = deque(maxlen=FRAMES_KEPT)

    def push(self, content: bytes) -> None:
        """Hand a frame to every reader."""
        if content:
            self._frames.append(content)
            self.count += 1
        self.moved.set()
        self.moved = asyncio.Event()

    def since(self, count: int) -> bytes | None:
        """The frames after the ``count``-th; None for a reader who fell so far behind that some are gone."""
        behind = self.count - count
        return None if behind > len(self._frames) else b"".join(list(self._frames)[len(self._frames) - behind :])


class Broadcast:
    """Looks at the feed while anybody listens, and pushes what is new to every channel."""

    def __init__(self, pool: asyncpg.Pool, *, projection_version: int) -> None:
        self.pool = pool
        self.projection_version = projection_version
        self.stopping = False
        self._channels: list[Channel] = []
        self._someone = asyncio.Event()
        self._last = -1
        """The last number that was pushed. While nobody listens it stays: who comes then gets older rows once more."""

    def open(self, channel: Channel) -> Channel:
        """Add a channel."""
        self._channels.append(channel)
        return channel

    def number(self, n: int) -> str:
        """A number as it stands on the wire: ``<projection version>.<n>``."""
        return f"{self.projection_version}.{n}"

    def admit(self) -> None:
        """Let one more reader in.

        :raises Refused: ``stream.too-many-readers``.
        """
        if sum(channel.readers for channel in self._channels) >= READERS_MAX:
            REFUSED_REQUESTS.labels("stream").inc()
            raise TOO_MANY()

    def listen(self, channel: Channel, change: int) -> None:
        """Count a reader in (+1) or out (-1)."""
        channel.readers += change
        SSE_READERS.labels(channel.name).set(channel.readers)
        if change > 0:
            self._someone.set()

    def stop(self) -> None:
        """End every stream."""
        self.stopping = True
        for channel in self._channels:
            channel.push(b"")

    async def run(self) -> None:
        """Tick while anybody listens; a fault costs readers that tick, and the next one tries again."""
        beaten = 0.0
        while not self.stopping:
            if not any(channel.readers for channel in self._channels):
                self._someone.clear()
                await self._someone.wait()
            try:
                await self._tick()
                if time.monotonic() - beaten >= BEAT_SECONDS:
                    beaten = time.monotonic()
                    for channel in self._heard():
                        channel.push(await channel.beat())
            except Exception as error:  # noqa: BLE001 - whatever it is, readers must not be left without a next tick
                log.warning("stream.interrupted", error=repr(error))
            await asyncio.sleep(TICK_SECONDS)

    def _heard(self) -> list[Channel]:
        return [channel for channel in self._channels if channel.readers]

    async def _tick(self) -> None:
        if self._last < 0:
            self._last = (await feed.span(self.pool))[0]
        changes = await feed.after(self.pool, self._last)
        if changes:
            for channel in self._heard():
                channel.push(await channel.render(changes))
            self._last = max(change.n for change in changes)


class EventStream(Response):
    """The reply that goes on: what was missed or a greeting first, then every frame of the channel."""

    media_type = "text/event-stream"

    def __init__(self, broadcast: Broadcast, channel: Channel, last_event_id: str | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._channel = channel
        self._last_event_id = last_event_id
        self._gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader goes, falls too far behind, or the process stops."""
        scope["state"]["leave"]()  # it is no longer one of those that are answered and gone
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        leaving = asyncio.create_task(self._watch(receive))
        self._broadcast.listen(self._channel, +1)
        try:
            with contextlib.suppress(TimeoutError):  # a reader that does not read is cut
                await self._send_all(send)
        finally:
            leaving.cancel()
            self._broadcast.listen(self._channel, -1)
        await send({"type": "http.response.body", "body": b""})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True

    async def _send_all(self, send: Send) -> None:
        seen = self._channel.count
        await self._send(send, b"retry: 1000\n\n" + await self._first())
        while not self._gone and not self._broadcast.stopping:
            moved = self._channel.moved
            content = self._channel.since(seen)
            if content is None:
                return
            seen = self._channel.count
            if content:
                await self._send(send, content)
            else:
                await moved.wait()

    async def _first(self) -> bytes:
        """What the reader has missed; all that it needs to begin where that cannot be told, or it never read before."""
        pool = self._broadcast.pool
        oldest, last = await feed.span(pool)
        version, _, n = (self._last_event_id or "").partition(".")
        if self._last_event_id is None:
            return await self._channel.greet()
        if version != str(self._broadcast.projection_version) or not n.isdecimal() or not oldest <= int(n) <= last:
            return frame("reset", "{}", self._broadcast.number(last)) + await self._channel.greet()
        return await self._channel.render(await feed.after(pool, int(n)))

    async def _send(self, send: Send, content: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await send({"type": "http.response.body", "body": content, "more_body": True})


async def _shown(pool: asyncpg.Pool, plans: set[str]) -> dict[Key, dict[str, Any]]:
    """The measures of some plans as the views answer of them now; a plan that is not known yet has none."""
    found: dict[Key, dict[str, Any]] = {}
    for code in plans:
        with contextlib.suppress(Refused):
            plan, _ = await look(pool, code, asked(None, None))
            measures = [measure for aspect in plan.aspects for measure in aspect.measures]
            found |= {(code, measure.code): measure.model_dump(mode="json") for measure in measures}
    return found


def json_channel(broadcast: Broadcast) -> Channel:
    """Measures as JSON, for programs: each as it stands and is rated now."""

    async def render(changes: Sequence[Change]) -> bytes:
        now = await _shown(broadcast.pool, {change.plan for change in changes})
        return b"".join(
            frame(
                "measure",
                orjson.dumps(
                    {
                        "positions": change.positions,
                        **orjson.loads(change.figures),
                        **now.get((change.plan, change.measure), {}),
                    }
                ).decode(),
                broadcast.number(change.n),
            )
            for change in sorted(changes, key=lambda change: change.n)
        )

    async def greet() -> bytes:
        _, last = await feed.span(broadcast.pool)
        return frame("hello", "{}", broadcast.number(last))

    async def beat() -> bytes:
        return b": beat\n\n"

    return broadcast.open(Channel("json", render=render, greet=greet, beat=beat))
