"""A client's connections to the doors of the stack: lean, since the processor is for the stack and not for clients."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httptools
import orjson

from http_client import Connection, Reply, request

REQUEST_SECONDS_MAX = 8.0
"""How long a client waits for an answer; then it does not know."""
CUT = (OSError, TimeoutError, httptools.HttpParserError)
"""What leaves a client without an answer."""


class Reusable(Connection):
    """One connection, which says whether it can be used once more."""

    @property
    def closed(self) -> bool:
        """Whether the other side has hung up."""
        return self._transport.is_closing()


@dataclass
class Connections:
    """One client's connections, one to each door: opened when needed, and dropped when anything went wrong."""

    _open: dict[str, Reusable] = field(default_factory=dict)

    async def post(self, door: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Give a command.

        :raises OSError, TimeoutError, httptools.HttpParserError: no answer came (``CUT``).
        """
        return await self._ask(door, request("POST", path, {**headers, "content-type": "application/json"}, body))

    async def get(self, door: str, path: str, headers: Mapping[str, str], asked: Mapping[str, str]) -> Reply:
        """Read.

        :raises OSError, TimeoutError, httptools.HttpParserError: no answer came (``CUT``).
        """
        return await self._ask(door, request("GET", f"{path}?{urlencode(asked)}", headers))

    async def _ask(self, door: str, content: bytes) -> Reply:
        connection = self._open.pop(door, None)
        async with asyncio.timeout(REQUEST_SECONDS_MAX):
            if connection is None or connection.closed:
                connection = await Reusable.open(door)
            try:
                reply = await connection.ask(content)
            except BaseException:
                connection.close()
                raise
        self._open[door] = connection
        return reply

    def close(self) -> None:
        """Hang up."""
        for connection in self._open.values():
            connection.close()


def said(body: bytes) -> dict[str, Any]:
    """A reply's body, empty where it is no JSON object."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
