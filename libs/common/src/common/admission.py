"""A process takes in only what it can answer in time: what is more is refused at once, and nothing waits over 5 s.

A refusal says ``Retry-After`` and means it: nothing was begun. Readers of streams are bounded where streams are made.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from uuid import uuid4

import orjson
from prometheus_client import Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from common.decision import Kind, Refusal
from common.problems import LOCALES, MEDIA_TYPE, RETRY_AFTER_SECONDS, about, language_of, problem, problem_of
from common.telemetry import ADMISSION_WAITING, REFUSED_REQUESTS, REQUEST_SECONDS, log

UNDER_WAY_MAX: Final = 128
"""Requests under way at once: at the rates that were measured a twentieth of a second's work."""
ANSWER_SECONDS_MAX: Final = 4.5
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
        self.streams = 0
        """Replies that go on: they count no longer."""

    def enter(self) -> Callable[[], None] | None:
        """Count a request in; call what is returned when it ends. None if there is no room."""
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

    @contextmanager
    def streaming(self, scope: Scope) -> Iterator[None]:
        """For as long as a reply goes on: it is no longer one of those that are answered and gone."""
        scope["state"]["leave"]()
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1


class Bounds:
    """Around every request: its correlation id, room for it, the limits on its body and time, and how long it took."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission
        self._seconds: dict[tuple[str, int], Histogram] = {}
        ADMISSION_WAITING.set_function(lambda: admission.under_way)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        state["correlation"] = given.decode("latin-1")[:80] or str(uuid4())
        leave = state["leave"] = self.admission.enter()
        reply = Reply(scope, receive, send)
        if leave is None:
            REFUSED_REQUESTS.labels("busy").inc()
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
        self._late: asyncio.Task[None] | None = None

    async def serve(self, app: ASGIApp) -> None:
        """Let the application answer; who is late finds the reply given and its task cancelled."""
        task = asyncio.current_task()
        assert task is not None
        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS_MAX, self._expire, task)
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            if self._late is None:
                raise
            task.uncancel()
        finally:
            timer.cancel()
        if self._late:
            await self._late

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
        if self._received > BODY_BYTES_MAX:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """The application's reply, unless another was given."""
        if self._late is None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            await self._send(message)


_WHOLE: Final = re.compile(rb"(?!HEAD )[A-Z]+ [^\r\n]+ HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n")
_ENDS_OTHERWISE: Final = re.compile(rb"\r\n(?:transfer-encoding|connection:[^\r\n]*close)", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"\r\ncontent-length(?::[ \t]*(\d{1,9})[ \t]*(?=\r))?", re.IGNORECASE)
_LANGUAGE: Final = re.compile(rb"\r\naccept-language: *([\x20-\x7e]*)", re.IGNORECASE)
_REQUEST_ID: Final = re.compile(rb"\r\nx-request-id: *([0-9A-Za-z-]{1,80})\r", re.IGNORECASE)


def protocol(admission: Admission) -> type[HttpToolsProtocol]:
    """The server's own protocol, which refuses while there is no room before it parses anything.

    Parsing costs more than all the rest of a refusal: a flood would take the time of those that were let in.
    """

    class Refusing(HttpToolsProtocol):
        amid_request = False

        def data_received(self, data: bytes) -> None:
            full = len(self.tasks) - admission.streams >= admission.limit
            if full and not self.amid_request and self._is_idle() and _is_one_request(data):
                self._unset_keepalive_if_required()
                self.transport.write(refusal_of(data))
                REFUSED_REQUESTS.labels("busy").inc()
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )
            else:
                super().data_received(data)

        def _is_idle(self) -> bool:
            """Whether nothing is being answered, and what was is being read: else replies would pile up here."""
            return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

        def on_message_begin(self) -> None:
            self.amid_request = True  # until its last byte: what comes now is no request, whatever it looks like
            super().on_message_begin()

        def on_message_complete(self) -> None:
            self.amid_request = False
            super().on_message_complete()

    return Refusing


def _is_one_request(data: bytes) -> bool:
    """Whether these bytes are exactly one request, its body included, whose reply has a body and ends nothing.

    What says its length in a way of its own is for the parser to judge.
    """
    head = _WHOLE.match(data)
    if head is None or _ENDS_OTHERWISE.search(data, 0, head.end()):
        return False
    lengths = _LENGTH.findall(data, 0, head.end()) or [b"0"]
    return len(lengths) == 1 and lengths[0].isdigit() and len(data) - head.end() == int(lengths[0])


def refusal_of(data: bytes) -> bytes:
    """The refusal of a request that is not parsed, in the language that it asks for and with its id."""
    accepted, known = _LANGUAGE.search(data), _REQUEST_ID.search(data)
    before, after, head = _prepared(language_of(accepted[1].decode() if accepted else None))
    instance = known[1] if known else str(uuid4()).encode()
    return b"%b%d\r\n\r\n%b%b%b" % (head, len(before) + len(instance) + len(after), before, instance, after)


@cache
def _prepared(language: str) -> tuple[bytes, bytes, bytes]:
    """What stands before and after the id in the body, and the head up to the body's length."""
    mark = "-" * 80
    before, after = orjson.dumps(problem_of(BUSY(), language, mark).model_dump()).split(mark.encode())
    headers = {
        "content-type": MEDIA_TYPE, "content-language": LOCALES[language], "retry-after": RETRY_AFTER_SECONDS
    }  # fmt: skip
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return before, after, f"HTTP/1.1 503 Service Unavailable\r\n{told}content-length: ".encode()
