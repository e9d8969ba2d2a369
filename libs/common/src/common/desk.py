"""Where a running application receives its callers: a request becomes a call, or is refused alike on every way in."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from common import clock
from common.auth import TOKEN_MISSING, Verifier
from common.call import Call, Service
from common.decision import Kind, Refusal, Unit
from common.problems import NO_ROUTE, correlation_of
from common.query import require_known
from common.tracing import span_of

IF_MATCH_INVALID = Refusal(
    "request.if-match-invalid",
    zh='If-Match 应为读取时得到的 ETag，如 "7"',
    en='If-Match takes the ETag of a read, such as "7"',
    kind=Kind.INVALID,
)
_VERSION: Final = re.compile(r'(?:W/)?("?)([0-9]+)\1')
PATH_MAX: Final = 300
"""Characters: four times the longest path that leads anywhere, and what the index of kept replies can hold."""
UnitOf = Callable[[str], Awaitable[Unit | None]]
"""How the unit is found that a token names by its code; None if nobody knows of it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a running application receives its callers, ``app.state.desk``.

    Both ways to an endpoint lead past it, FastAPI's by ``needs`` and the short one by ``Plain``: so both let in and
    refuse alike.
    """

    service: Service
    verifier: Verifier
    unit_of: UnitOf

    async def call(
        self,
        request: Request,
        permission: str,
        token: str | None,
        key: str | None,
        if_match: str | None,
        *,
        streamed: bool = False,
    ) -> Call:
        """The request as a command is given it.

        :param streamed: its body is left for the endpoint to take in piece by piece: no key goes with such a request.
        :raises Refused: ``auth.token-missing``, ``auth.token-invalid``, ``auth.keys-away``, ``auth.not-permitted``,
            ``request.no-such-address``, ``request.if-match-invalid``, ``request.unknown-parameter``,
            ``request.parameter-twice``.
        """
        if not token:
            raise TOKEN_MISSING()
        principal = await self.verifier.principal(token)
        if permission not in principal.permissions.reach:
            raise principal.permissions.refusal(permission)
        if request.scope["query_string"]:
            require_known(request)
        path: str = request.scope["path"]
        if len(path) > PATH_MAX:
            raise NO_ROUTE()
        return Call(
            service=self.service,
            principal=principal.id,
            permission=permission,
            permissions=principal.permissions,
            caller_unit=await self.unit_of(principal.unit_code) if principal.unit_code else None,
            now=clock.now(),
            route=f"{request.method} {path}",
            body_hash=hashlib.sha256(b"" if streamed else await request.body()).digest(),
            key=key,
            expected_version=_version(if_match),
            correlation=correlation_of(request),
            traceparent=str(span_of(request.scope)),
        )


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    if not (told := _VERSION.fullmatch(if_match)):
        raise IF_MATCH_INVALID(pointer="/header/if-match")
    return int(told[2])
