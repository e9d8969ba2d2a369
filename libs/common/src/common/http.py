"""What every service's HTTP door is made of: who calls, within which limits, and how it is put together."""

import gc
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import uuid4

import asyncpg
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import clock
from common.auth import NOT_PERMITTED, TOKEN_MISSING, KeySet, Verifier
from common.call import Call, Service
from common.database import open_pool
from common.decision import Kind, Refusal, Unit
from common.openapi import ABOUT, describe
from common.problems import correlation_of, install
from common.settings import Settings
from common.telemetry import REQUEST_SECONDS

BODY_BYTES_MAX: Final = 1024 * 1024
IF_MATCH_INVALID = Refusal(
    "request.if-match-invalid",
    zh='If-Match 应为读取时得到的 ETag，如 "7"',
    en='If-Match takes the ETag of a read, such as "7"',
    kind=Kind.INVALID,
)
Item = TypeVar("Item")
Found = TypeVar("Found")
UnitOf = Callable[[str], Awaitable[Unit | None]]
bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token, signed with ES256")


class Body(BaseModel):
    """A request body: unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True, use_attribute_docstrings=True)


def _as_text(given: object) -> object:
    if not isinstance(given, str | date):
        raise PydanticCustomError("date_type", "Should be a date, such as 2022-06-30")
    return given


Day = Annotated[date, BeforeValidator(_as_text)]
"""A day as text, ``2022-06-30``; a number is not taken for seconds since 1970."""


class Command(Body):
    """The body of a command; one that needs nothing else may be left out altogether."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"effective_on": "2022-06-30"}]})

    effective_on: Day | None = None
    """The day in Shanghai on which this takes effect: today if it is left out, never in the future."""


JUST_DO_IT: Final = Command()
"""The default of a command's body that may be left out."""


def needs(permission: str) -> Any:
    """A dependency that lets in only callers whose roles give them ``permission``, and hands over the ``Call``."""

    async def call(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        if_match: Annotated[str | None, Header(max_length=40, examples=['"7"'])] = None,
        traceparent: Annotated[str | None, Header(max_length=80, include_in_schema=False)] = None,
    ) -> Call:
        if credentials is None:
            raise TOKEN_MISSING()
        desk: Desk = request.app.state.desk
        principal = await desk.verifier.principal(credentials.credentials)
        if permission not in principal.permissions:
            raise NOT_PERMITTED(permission=permission)
        return Call(
            service=desk.service,
            principal=principal.id,
            permissions=principal.permissions,
            everywhere=principal.everywhere,
            caller_unit=await desk.unit_of(principal.unit_code) if principal.unit_code else None,
            now=clock.now(),
            route=f"{request.method} {request.url.path}",
            body_hash=hashlib.sha256(await request.body()).digest(),
            key=idempotency_key,
            expected_version=_version(if_match),
            correlation=correlation_of(request),
            traceparent=traceparent,
        )

    call.permission = permission  # type: ignore[attr-defined]
    return Depends(call)


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    number = if_match.removeprefix("W/").strip('"')
    if not number.isdecimal():
        raise IF_MATCH_INVALID()
    return int(number)


async def open_to_all() -> None:
    """Marks a route that anyone may read: it shows counts and codes, nothing that belongs to one unit or person."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a running application has at hand to receive a call."""

    service: Service
    verifier: Verifier
    unit_of: UnitOf


async def no_units(_code: str) -> Unit | None:
    """For services whose rules do not ask in the name of which unit somebody acts."""
    return None


def create_app(
    settings: Settings,
    *,
    service: str,
    title: str,
    routers: Sequence[APIRouter],
    unit_of: Callable[[asyncpg.Pool], UnitOf] = lambda _pool: no_units,
    beside: Callable[[FastAPI], AbstractAsyncContextManager[None]] = lambda _app: nullcontext(),
) -> FastAPI:
    """The application of one service: its routers, its errors as problems, its limits, its own pool.

    :param unit_of: how the unit that a token names is found.
    :param beside: what else runs for as long as the application does.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await open_pool(
            settings.database_url, size_max=settings.pool_max, application=f"{service}-api"
        ) as pool:
            app.state.pool = pool
            app.state.desk = Desk(
                Service(service, pool, settings.public_url, settings.relay_slices),
                Verifier(KeySet(settings.jwks), issuer=settings.token_issuer, audience=settings.token_audience),
                unit_of(pool),
            )
            async with beside(app):
                gc.collect()
                gc.freeze()  # what was made at start-up stays: no need to look through it again and again
                yield

    app = FastAPI(
        title=title,
        version="1",
        description=ABOUT,
        openapi_url=f"/openapi/{service}.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in routers:
        app.include_router(router)
    install(app)
    describe(app)
    app.add_middleware(Bounds)
    return app


class Bounds:
    """Around every request: its correlation id, the limit on its body, and how long it took."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, received, status = time.perf_counter(), 0, 500
        headers = dict(scope["headers"])
        scope.setdefault("state", {})["correlation"] = headers.get(b"x-request-id", b"").decode("latin-1")[:80] or str(
            uuid4()
        )

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES_MAX:
                raise HTTPException(413)
            return message

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive_bounded, send_observed)
        finally:
            route = scope.get("route")
            REQUEST_SECONDS.labels(getattr(route, "name", "none"), status).observe(time.perf_counter() - started)


Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


class Page(BaseModel, Generic[Item]):
    """A stretch of a list in a fixed order; ``next`` continues it, and is absent at its end."""

    items: list[Item]
    next: str | None = None


def page(found: Sequence[Found], limit: int, *, key: Callable[[Found], str], show: Callable[[Found], Any]) -> Page[Any]:
    """A page of what was found when one more than ``limit`` was asked for.

    :param key: what the next page begins after.
    :param show: how one of them is shown.
    """
    more = len(found) > limit
    return Page(items=[show(one) for one in found[:limit]], next=key(found[limit - 1]) if more else None)
