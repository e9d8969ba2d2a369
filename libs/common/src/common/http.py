"""How a service's application is put together, and what the bodies and lists of all of them have in common."""

import gc
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import date
from typing import Annotated, Final, Generic, TypeVar

import asyncpg
import orjson
from fastapi import APIRouter, FastAPI, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict
from pydantic_core import PydanticCustomError
from starlette.responses import Response
from starlette.types import ASGIApp

from common.admission import Admission, Bounds, Transfers
from common.auth import KeySet, Verifier
from common.call import Service
from common.database import open_pool
from common.decision import Unit
from common.desk import Desk, UnitOf
from common.door import Doors
from common.openapi import ABOUT, describe
from common.problems import install
from common.settings import Settings

LOCK_SECONDS_MAX: Final = 2.0
"""A row that is held for longer is given up: twice that, first with its neighbours, is an answer in time yet."""
COLLECT_AFTER: Final = 10_000
"""So many more objects may there be before garbage is looked for; what a command makes goes by itself with its end."""
Item = TypeVar("Item")
Found = TypeVar("Found")


class Body(BaseModel):
    """A request body: unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True, use_attribute_docstrings=True)


FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _as_day(given: object) -> date:
    if isinstance(given, date):
        return given
    wrong = PydanticCustomError("date_parsing", "Should be a date, such as 2022-06-30")
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise wrong
    try:
        day = date.fromisoformat(given)
    except ValueError as error:
        raise wrong from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PydanticCustomError("day_out_of_range", "Should be a day from 1900-01-01 to 2199-12-31")
    return day


Day = Annotated[date, BeforeValidator(_as_day)]
"""A day as text, ``2022-06-30``, of the years 1900 to 2199: 0202 is a slip of the pen for 2022, and what PostgreSQL
keeps as its first or last day it tells as ``-infinity``. Neither a number nor its text is taken for seconds since 1970.
"""
Number = Annotated[int, Strict()]
"""A whole number as JSON has it, where the body is not read strictly anyway: neither its text nor ``true``."""


class Command(Body):
    """The body of a command; one that needs nothing else may be left out altogether."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"effective_on": "2022-06-30"}]})

    effective_on: Day | None = None
    """The day in Shanghai on which this takes effect: today if it is left out, never in the future."""


JUST_DO_IT: Final = Command()
"""The default of a command's body that may be left out."""


async def no_units(_code: str) -> Unit | None:
    """For services whose rules do not ask in the name of which unit somebody acts."""
    return None


class Application(FastAPI):
    """FastAPI's application with our doors before it, and bounds round all of it."""

    def build_middleware_stack(self) -> ASGIApp:
        """What a request goes through, outermost first."""
        return Bounds(Doors(self, super().build_middleware_stack()), self.state.admission)


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
            settings.database_url,
            size_max=settings.pool_max,
            application=f"{service}-api",
            lock_seconds_max=LOCK_SECONDS_MAX,
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
                gc.set_threshold(COLLECT_AFTER)
                yield

    app = Application(
        title=title,
        version="1",
        description=ABOUT,
        openapi_url=f"/openapi/{service}.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # one address for one thing: no reply that no description tells of
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the headers go on without it
        lifespan=lifespan,
    )
    _take_over(app, routers)
    install(app)
    describe(app)
    app.state.admission = Admission()
    app.state.transfers = Transfers()
    return app


def _take_over(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Put the routes into the application as they are: an included router would hide them from the doors."""
    for router in routers:
        for route in router.routes:
            app.router.routes.append(route)
            if isinstance(route, APIRoute):
                route.operation_id = route.operation_id or route.name


Cursor = Annotated[str | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


class Page(BaseModel, Generic[Item]):
    """A stretch of a list in a fixed order; ``next`` continues it, and is absent at its end."""

    items: list[Item]
    next: str | None = None


def page(
    found: Sequence[Found], limit: int, *, key: Callable[[Found], str], show: Callable[[Found], bytes]
) -> Response:
    """A ``Page`` of what was found when one more than ``limit`` was asked for.

    :param key: what the next page begins after.
    :param show: the JSON of one of them.
    """
    after = key(found[limit - 1]) if len(found) > limit else None
    items = b",".join(show(one) for one in found[:limit])
    return Response(b'{"items":[%b],"next":%b}' % (items, orjson.dumps(after)), media_type="application/json")
