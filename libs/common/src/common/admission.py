"""A process takes in only what it can answer in time: what is more is refused at once, and nothing waits over 5 s.

A refusal says ``Retry-After`` and means it: nothing was begun. This is the second line, for what comes past the
gateway, which refuses earlier and cheaper. Readers of streams are bounded where streams are made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from prometheus_client import Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from common.decision import Kind, Refusal
from common.problems import about, problem
from common.telemetry import REFUSED_REQUESTS, REQUEST_SECONDS, REQUESTS_UNDER_WAY, log

UNDER_WAY_MAX: Final = 128
"""Requests under way at once: at the rates that were measured a twentieth of a second's work."""
ANSWER_SECONDS_MAX: Final = 4.5
TRANSFERS_MAX: Final = 16
"""Files on their way at once: an upload to a bucket has two parts of 5 MiB in memory."""
TRANSFER_SECONDS_MAX: Final = 120.0
"""As long as the gateway waits for a request to arrive."""
BODY_BYTES_MAX: Final = 1024 * 1024

BUSY = Refusal(
    "service.busy",
    zh="请求过多，本次未受理，请稍后重试",
    en="There is more to do than can be done in time: this was not begun; try again",
    kind=Kind.UNAVAILABLE,
)
LATE = Refusal(
    "service.late",
    zh="未能及时完成，结果未知，请稍后携带同一 Idempotency-Key 重试",
    en="This could not be done in time, and whether it was is not known; try again with the same Idempotency-Key",
    kind=Kind.UNAVAILABLE,
)


class Admission:
    """How many requests are under way in this process, and how many may be."""

    def __init__(self, limit: int = UNDER_WAY_MAX) -> None:
        self.limit = limit
        self.under_way = 0

    def enter(self) -> Callable[[], None] | None:
        """Count a request in; call what is returned when it ends, or goes on as a stream. None if there is no room."""
        if self.under_way >= self.limit:
            return None
        self.under_way += 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self.under_way -= 1

        return leave


class Transfers:
    """How many files are on their way in this process; they are counted apart from what is answered and gone."""

    def __init__(self, limit: int = TRANSFERS_MAX) -> None:
        self.limit = limit
        self.under_way = 0

    @contextmanager
    def one(self, request: Request) -> Iterator[None]:
        """Within, a request may take its time and bring as many bytes as whoever takes them in lets it.

        :raises Refused: ``service.busy``.
        """
        if self.under_way >= self.limit:
            REFUSED_REQUESTS.labels("transfers").inc()
            raise BUSY()
        self.under_way += 1
        request.scope["state"]["leave"]()
        request.scope["state"]["reply"].take_time()
        try:
            yield
        finally:
            self.under_way -= 1

    def given_out(
        self, request: Request, chunks: AsyncIterator[bytes], *, headers: dict[str, str], media_type: str
    ) -> Response:
        """A reply that takes its time: its room is its own from now on, so that none is refused once it has begun.

        :raises Refused: ``service.busy``.
        """
        room = ExitStack()
        room.enter_context(self.one(request))
        return _GivenOut(chunks, room, headers=headers, media_type=media_type)


class _GivenOut(StreamingResponse):
    """A reply that makes room when it has ended, however it did, even before its first chunk."""

    def __init__(self, chunks: AsyncIterator[bytes], room: ExitStack, **told: Any) -> None:
        super().__init__(chunks, **told)
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._room:
            await super().__call__(scope, receive, send)


class Bounds:
    """Around every request: its correlation id, room for it, the limits on its body and time, and how long it took."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission
        self._seconds: dict[tuple[str, int], Histogram] = {}
        REQUESTS_UNDER_WAY.set_function(lambda: admission.under_way)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        state["correlation"] = given.decode("latin-1")[:80] or str(uuid4())
        leave = state["leave"] = self.admission.enter()
        reply = state["reply"] = Reply(scope, receive, send)
        if leave is None:
            REFUSED_REQUESTS.labels("process").inc()
            await problem(Request(scope), BUSY())(scope, receive, send)
            return
        try:
            await reply.serve(self.app)
        finally:
            leave()
            self._observe(getattr(scope.get("route"), "name", "none"), reply)

    def _observe(self, operation: str, reply: "Reply") -> None:
        kind = (operation, reply.status)
        if (seconds := self._seconds.get(kind)) is None:
            seconds = self._seconds[kind] = REQUEST_SECONDS.labels(*kind)
        seconds.observe(time.perf_counter() - reply.started)


class Reply:
    """One request and its reply: begun in time, or a refusal in its place."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started = time.perf_counter()
        self.status = 0
        """What was answered; 0 as long as nothing was."""
        self._scope, self._receive, self._send = scope, receive, send
        self._received = 0
        self._bytes_max: int | None = BODY_BYTES_MAX
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None

    async def serve(self, app: ASGIApp) -> None:
        """Let the application answer; who is late finds the reply given and its task cancelled."""
        task = asyncio.current_task()
        assert task is not None
        self._expire_in(ANSWER_SECONDS_MAX, task)
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            if self._late is None:
                raise
            task.uncancel()
        finally:
            assert self._timer is not None
            self._timer.cancel()
        if self._late:
            await self._late

    def take_time(self) -> None:
        """Wait for this one as long as a file may take to arrive, and let its bytes be counted by who takes them."""
        task = asyncio.current_task()
        assert task is not None
        self._bytes_max = None
        self._expire_in(TRANSFER_SECONDS_MAX, task)

    def _expire_in(self, seconds: float, task: asyncio.Task[Any]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire, task)

    def _expire(self, task: asyncio.Task[Any]) -> None:
        """Answer although the application has not, and whether or not it heeds that it is cancelled."""
        if not self.status:
            log.warning("request.late", **about(self._scope))
            refusal = problem(Request(self._scope), LATE())
            self.status = refusal.status_code
            self._late = asyncio.create_task(refusal(self._scope, self._receive, self._send))
            task.cancel()

    async def receive(self) -> Message:
        """The request's body, as far as it is not too large."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._bytes_max is not None and self._received > self._bytes_max:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """The application's reply, unless another was given."""
        if self._late is None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            await self._send(message)
