"""The public API as the seeds use it: each command in the name of whoever would give it, the same one once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from hashlib import sha256
from time import monotonic
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

import httpx
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
_BUSY = frozenset({429, 503})

# What a service says of a unit whose establishing has not reached its copy of the directory yet. The seeds know their
# units and who may judge what, so that none of these can be meant for good.
_NOT_YET = frozenset({"unit.unknown", "caller.no-unit", "item.not-owner", "item.not-found", "judge.not-independent"})


class Door:
    """The public API, each time in the name of a role and a unit."""

    def __init__(self, http: httpx.AsyncClient, token_for: TokenFor) -> None:
        self._http = http
        self._token_for = token_for
        self._tokens: dict[By, str] = {}
        self.commands = 0
        self.already = 0

    async def create(self, path: str, by: By, body: Body, on: date) -> str | None:
        """The id of what was created; None if its code is taken, and with it its course."""
        reply = await self._post(path, by, body, on)
        if reply.status_code == 409 and str(_problem(reply).get("code")).endswith(".code-taken"):
            self.already += 1
            return None
        return str(_accepted(reply)["id"])

    async def command(self, path: str, by: By, body: Body, on: date) -> None:
        """One command, to be obeyed."""
        _accepted(await self._post(path, by, body, on))

    async def read(self, path: str, by: By, **asked: str) -> dict[str, Any]:
        """What is there."""
        return _accepted(await self._obeyed("GET", path, by, params=asked))

    async def send_file(self, by: By, content: bytes, media_type: str) -> str:
        """Keep a file, to be registered afterwards: its SHA-256. To send it again is harmless."""
        digest = sha256(content).hexdigest()
        path = f"/api/v1/evidence-files/{digest}"
        _accepted(await self._obeyed("PUT", path, by, content=content, headers={"Content-Type": media_type}))
        return digest

    async def _post(self, path: str, by: By, body: Body, on: date) -> httpx.Response:
        said = {name: value for name, value in body.items() if value is not None}
        content = orjson.dumps({**said, "effective_on": on})
        headers = {
            "Content-Type": "application/json",
            # The same seed is the same command, however often it is planted; an edited one is another.
            "Idempotency-Key": str(uuid5(NAMESPACE_URL, f"urn:kegai:seed:baseline:{path}:{content.decode()}")),
        }
        reply = await self._obeyed("POST", path, by, content=content, headers=headers)
        self.commands += 1
        return reply

    async def _obeyed(self, method: str, path: str, by: By, **said: Any) -> httpx.Response:
        """The answer to a request that is made again while the same may well be obeyed in a moment."""
        said["headers"] = said.get("headers", {}) | {"Authorization": f"Bearer {self._token(by)}"}
        deadline, pause = monotonic() + _PATIENCE_SECONDS, 0.05
        while True:
            reply = await self._sent(method, path, said)
            if not _passing(reply) or monotonic() > deadline:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.5)
        if reply is None:
            raise StackError(f"网关无应答：{method} {path}", f"The gateway does not answer: {method} {path}")
        return reply

    async def _sent(self, method: str, path: str, said: dict[str, Any]) -> httpx.Response | None:
        try:
            return await self._http.request(method, path, **said)
        except httpx.TransportError:
            return None

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


def _passing(reply: httpx.Response | None) -> bool:
    """Whether the same command may well be obeyed in a moment."""
    if reply is None or reply.status_code in _BUSY:
        return True
    return reply.is_client_error and _problem(reply).get("code") in _NOT_YET


def _accepted(reply: httpx.Response) -> dict[str, Any]:
    if reply.is_success:
        body: dict[str, Any] = reply.json()
        return body
    problem = _problem(reply)
    asked = f"{reply.request.method} {reply.request.url.path}"
    what = f"{asked}: {reply.status_code} {problem.get('code', '')} {problem.get('detail', '')}"
    raise StackError(f"种子数据被拒绝：{what}", f"A seed was refused: {what}")


def _problem(reply: httpx.Response) -> dict[str, Any]:
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        return {"detail": reply.text[:200]}
    problem: dict[str, Any] = reply.json()
    return problem
