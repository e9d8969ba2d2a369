"""The public API as the seeds use it: each command in the name of whoever would give it, the same one once for all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import NAMESPACE_URL, uuid5

import orjson

from kegai.language import StackError

TokenFor = Callable[[str, str], str]
"""From a role and a unit's code to a token."""

By = tuple[str, str]
"""A role, and the unit in whose name it acts."""

Body = dict[str, Any]

Thing = TypeVar("Thing")

AT_ONCE = 8
"""So many things are planted side by side."""
_PATIENCE_SECONDS = 30.0
_ANSWER_SECONDS_MAX = 15.0
_BUSY = frozenset({429, 503})

# What a service says of a unit whose establishing has not reached its copy of the directory yet. The seeds know their
# units and who may judge what, so that none of these can be meant for good.
_NOT_YET = frozenset({"unit.unknown", "caller.no-unit", "item.not-owner", "item.not-found", "judge.not-independent"})


@dataclass(frozen=True, slots=True)
class _Reply:
    """What was answered to which request."""

    asked: str
    status: int
    media_type: str
    content: bytes

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def problem(self) -> dict[str, Any]:
        """What is wrong, in the service's own words."""
        if self.media_type != "application/problem+json":
            return {"detail": self.content[:200].decode(errors="replace")}
        problem: dict[str, Any] = orjson.loads(self.content)
        return problem

    @property
    def passing(self) -> bool:
        """Whether the same request may well be obeyed in a moment."""
        return self.status in _BUSY or (400 <= self.status < 500 and self.problem.get("code") in _NOT_YET)

    def accepted(self) -> dict[str, Any]:
        """What was answered, if that is what was asked for.

        Raises:
            StackError: it was refused.
        """
        if self.succeeded:
            body: dict[str, Any] = orjson.loads(self.content)
            return body
        what = f"{self.asked}: {self.status} {self.problem.get('code', '')} {self.problem.get('detail', '')}"
        raise StackError(f"种子数据被拒绝：{what}", f"A seed was refused: {what}")


class Door:
    """The public API, each time in the name of a role and a unit.

    Its requests are made by threads, as the standard library makes them: there are more than a thousand, on the cores
    on which they are answered, and a client that can do more costs five times as much of these.
    """

    def __init__(self, gateway: str, token_for: TokenFor) -> None:
        place = urlsplit(gateway)
        self._host, self._port = place.hostname or "", place.port
        self._token_for = token_for
        self._tokens: dict[By, str] = {}
        self._hands = ThreadPoolExecutor(2 * AT_ONCE)
        self._idle: deque[HTTPConnection] = deque()
        self.commands = 0
        self.already = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hands.shutdown()
        for connection in self._idle:
            connection.close()

    async def create(self, path: str, by: By, body: Body, on: date) -> str | None:
        """The id of what was created; None if its code is taken, and with it its course."""
        reply = await self._post(path, by, body, on)
        if reply.status == 409 and str(reply.problem.get("code")).endswith(".code-taken"):
            self.already += 1
            return None
        return str(reply.accepted()["id"])

    async def command(self, path: str, by: By, body: Body, on: date) -> None:
        """One command, to be obeyed."""
        (await self._post(path, by, body, on)).accepted()

    async def read(self, path: str, by: By, **asked: str) -> dict[str, Any]:
        """What is there."""
        return (await self._answered("GET", f"{path}?{urlencode(asked)}", by, None, {})).accepted()

    async def send_file(self, by: By, content: bytes, media_type: str) -> str:
        """Keep a file, to be registered afterwards: its SHA-256. To send it again is harmless."""
        digest = sha256(content).hexdigest()
        headers = {"Content-Type": media_type}
        (await self._answered("PUT", f"/api/v1/evidence-files/{digest}", by, content, headers)).accepted()
        return digest

    async def _post(self, path: str, by: By, body: Body, on: date) -> _Reply:
        said = {name: value for name, value in body.items() if value is not None}
        content = orjson.dumps({**said, "effective_on": on})
        headers = {
            "Content-Type": "application/json",
            # The same seed is the same command, however often it is planted; an edited one is another.
            "Idempotency-Key": str(uuid5(NAMESPACE_URL, f"urn:kegai:seed:baseline:{path}:{content.decode()}")),
        }
        reply = await self._answered("POST", path, by, content, headers)
        self.commands += 1
        return reply

    async def _answered(
        self, method: str, path: str, by: By, content: bytes | None, headers: Mapping[str, str]
    ) -> _Reply:
        """The answer to a request that is made again while the same may well be obeyed in a moment."""
        loop, told = asyncio.get_running_loop(), {**headers, "Authorization": f"Bearer {self._token(by)}"}
        deadline, pause = monotonic() + _PATIENCE_SECONDS, 0.05
        while True:
            reply = await loop.run_in_executor(self._hands, self._ask, method, path, content, told)
            if (reply and not reply.passing) or monotonic() > deadline:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.5)
        if reply is None:
            raise StackError(f"网关无应答：{method} {path}", f"The gateway does not answer: {method} {path}")
        return reply

    def _ask(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> _Reply | None:
        """One request by one of the threads; None where nobody answers."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS_MAX)
        try:
            connection.request(method, path, content, headers)
            reply = connection.getresponse()
            return _Reply(f"{method} {path}", reply.status, reply.headers.get_content_type(), reply.read())
        except (OSError, HTTPException):
            connection.close()  # its next request opens it anew
            return None
        finally:
            self._idle.append(connection)

    def _token(self, by: By) -> str:
        if by not in self._tokens:
            self._tokens[by] = self._token_for(*by)
        return self._tokens[by]


async def at_once(things: Iterable[Thing], plant_one: Callable[[Thing], Awaitable[None]]) -> None:
    """Plant the things side by side, a few at a time; the first refusal ends it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(thing: Thing) -> None:
        async with places:
            await plant_one(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for thing in things:
                group.create_task(one(thing))
    except* StackError as refused:
        first = refused.exceptions[0]
    else:
        return
    raise first
