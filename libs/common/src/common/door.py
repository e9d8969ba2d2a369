"""The way of a request to its endpoint: a token that permits it, a key, a version, a path and a body that are valid.

An endpoint says who is let in, ``Annotated[Call, needs("item.read")]``, and FastAPI could do the rest: ``needs`` is an
ordinary dependency, which has the application's ``Desk`` make the ``Call``. All that stands below it here is the same
way made shorter (docs/decisions/0013-a-plain-route.md): a route of class ``Door`` notes when it is declared whether its
endpoint is ``Plain``; ``Doors``, before FastAPI's middleware, have a plain one answer and let everything else pass.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, Self, get_args, get_type_hints

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from common.call import Call
from common.desk import Desk
from common.query import Asked, Wrong, asked, parameter_of, require_known, valid, words_of
from common.replies import first_reply

bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token, signed with ES256")


def needs(permission: str, *, streamed: bool = False) -> Any:
    """A dependency that lets in only callers whose roles give them ``permission``, and hands over the ``Call``.

    It tells its permission to whoever looks: ``Plain`` does not run it, but asks the desk in its place.

    :param streamed: the endpoint takes in the body itself, piece by piece; such a one is never plain.
    """

    async def call(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        if_match: Annotated[str | None, Header(max_length=40, examples=['"7"'])] = None,
    ) -> Call:
        desk: Desk = request.app.state.desk
        token = credentials.credentials if credentials else None
        return await desk.call(request, permission, token, idempotency_key, if_match, streamed=streamed)

    call.permission = permission  # type: ignore[attr-defined]
    call.streamed = streamed  # type: ignore[attr-defined]
    return Depends(call)


async def open_to_all(request: Request) -> None:
    """Marks a route that anyone may read: counts, codes and the plan's own words, nothing of one unit or person.

    :raises Refused: ``request.unknown-parameter``, ``request.parameter-twice``, of a route of class ``Door``; pages are
        led to by links to which others add words of their own.
    """
    if isinstance(request.scope["route"], Door):
        require_known(request)


class Door(APIRoute):
    """A route that is declared and described as any other; ``Doors`` go straight to its endpoint if that is plain.

    A router makes such routes if it is told ``route_class=Door``. One that depends on more than the parameters of its
    endpoint say is never plain: what it depends on, such as a check, would be passed by.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        super().__init__(path, endpoint, **told)
        self.words = words_of(self.dependant)
        """What its query may name."""
        self.plain = None if self.dependencies else Plain.of(endpoint, set(self.param_convertors))


class Doors:
    """Answers what is for a plain endpoint, and hands everything else on.

    Plain is one that takes a ``Call``, what its path and its query name, and at most one body, depends on nothing else,
    and answers with a response of its own. FastAPI's way to it through middleware and dependencies, right for anything,
    costs as much as all the rest. What is refused here gets its problem from the handlers that the application has for
    that way.

    :param app: its routes, in the order in which they were declared, are found as FastAPI finds them.
    :param beyond: what answers everything else: FastAPI with its middleware.
    """

    def __init__(self, app: FastAPI, beyond: ASGIApp) -> None:
        self._app = app
        self._beyond = beyond
        ways = [Way.to(route) for route in app.routes if isinstance(route, Route | APIRoute)]
        self._near = {
            (method, last): [way for way in ways if method in way.methods and way.last in (last, None)]
            for method in {method for way in ways for method in way.methods}
            for last in {None, *(way.last for way in ways)}
        }
        """The ways that a request may be for, as declared, by its method and the last part of its path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        way, parameters = self._find(scope) if scope["type"] == "http" else (None, {})
        if way is None or way.plain is None:
            await self._further(scope, receive, send)
            return
        scope["route"], scope["path_params"] = way.route, parameters
        request = Request(scope, receive, send)
        try:
            response = await way.plain.answer(request)
        except ClientDisconnect:  # in the middle of what it sent: nothing was begun, and nobody is there to be told
            return
        except Exception as error:  # noqa: BLE001 - each has its problem
            response = await self._refused(request, error)
        await response(scope, receive, send)

    async def _further(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._beyond(scope, receive, send)
        except Exception as error:
            # Starlette raises again what was answered with a fault. The server would close the connection for it, to
            # which a gateway may have given its next request by then.
            if scope["state"].get("told") is not error:
                raise

    def _find(self, scope: Scope) -> tuple["Way | None", dict[str, str]]:
        """The first route that a request is for, as FastAPI would find it."""
        method, path = scope["method"], scope["path"]
        anything = self._near.get((method, None), [])
        for way in self._near.get((method, path.rpartition("/")[2]), anything):
            if path.startswith(way.begins) and (found := way.route.path_regex.match(path)):
                return way, found.groupdict()
        return None, {}

    async def _refused(self, request: Request, error: Exception) -> Response:
        kind = next(kind for kind in type(error).__mro__ if kind in self._app.exception_handlers)
        answer: Any = self._app.exception_handlers[kind]
        response: Response = await answer(request, error)
        return response


class Way(NamedTuple):
    """What of a route decides whether a request is for it, and how it is answered then."""

    methods: set[str]
    begins: str
    """Its path up to the first parameter."""
    last: str | None
    """The last part of its path; None where that may be anything."""
    route: Route | APIRoute
    plain: "Plain | None"
    """None: the route is FastAPI's to serve."""

    @classmethod
    def to(cls, route: Route | APIRoute) -> Self:
        """The way to a route."""
        begins, last = route.path.partition("{")[0], route.path.rpartition("/")[2]
        plain = getattr(route, "plain", None)
        return cls(route.methods or set(), begins, None if "{" in last else last, route, plain)


_KEY: Final = TypeAdapter(Annotated[str, StringConstraints(min_length=1, max_length=200)])
_IF_MATCH: Final = TypeAdapter(Annotated[str, StringConstraints(max_length=40)])


@dataclass(frozen=True, slots=True)
class Plain:
    """An endpoint whose arguments are a call, parts of the path, words of the query, and at most one body.

    What it takes is read from its signature once, so that a request costs no more than the check of what it brings.
    """

    endpoint: Callable[..., Awaitable[Response]]
    call_name: str
    """The parameter that is given the ``Call``."""
    permission: str
    """What the caller's roles must give for that."""
    path: Mapping[str, TypeAdapter[Any]]
    """How each parameter that is named in the path is checked."""
    query: Mapping[str, Asked]
    """How each parameter that the query gives is read."""
    request_name: str | None
    """The parameter that is given the request itself, if there is one."""
    body: tuple[str, type[BaseModel], Any] | None
    """Its name, its model, and what stands for one that was left out (``inspect.Parameter.empty``: it is required)."""

    @classmethod
    def of(cls, endpoint: Callable[..., Any], in_path: set[str]) -> Self | None:
        """The endpoint by its signature; None where it takes or gives anything else.

        :param in_path: the parameters that the path of its route names.
        """
        hints = get_type_hints(endpoint, include_extras=True)
        if hints.pop("return", None) is not Response:
            return None
        call, request, body, path, query = None, None, None, {}, {}
        parameters = inspect.signature(endpoint).parameters
        for name, hint in hints.items():
            if (needed := _permission(hint)) and call is None:
                call = (name, needed)
            elif name in in_path:
                path[name] = TypeAdapter(hint)
            elif hint is Request:
                request = name
            elif isinstance(hint, type) and issubclass(hint, BaseModel) and body is None:
                body = (name, hint, parameters[name].default)
            elif asks := parameter_of(parameters[name], hint):
                query[name] = asks
            else:
                return None
        return cls(endpoint, *call, path, query, request, body) if call else None

    async def answer(self, request: Request) -> Response:
        """Receive the call, read path, query and body, ask the endpoint.

        What is not as it should be is told all at once, and to nobody who is not let in.

        :raises Refused: as ``Desk.call``, and what the endpoint refuses.
        :raises RequestValidationError: the request is not as it should be.
        """
        headers: dict[bytes, bytes] = dict(reversed(request.scope["headers"]))  # of one that stands twice, the first
        wrong: list[Any] = []
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        key = _header(_KEY, headers.get(b"idempotency-key"), ("header", "idempotency-key"), wrong)
        if_match = _header(_IF_MATCH, headers.get(b"if-match"), ("header", "if-match"), wrong)
        desk: Desk = request.app.state.desk
        call = await desk.call(request, self.permission, token if scheme.lower() == "bearer" else None, key, if_match)
        told: dict[str, Any] = {self.call_name: call}
        for name, adapter in self.path.items():
            told[name] = valid(adapter, request.path_params[name], ("path", name), wrong)
        if self.query:
            words = asked(request.scope["query_string"])
            told |= {name: asks.read(words, wrong) for name, asks in self.query.items()}
        if self.request_name:
            told[self.request_name] = request
        if self.body:
            told[self.body[0]] = _read(await request.body(), headers.get(b"content-type", b""), self.body, wrong)
        if wrong:
            raise RequestValidationError(wrong)
        return await first_reply(call, partial(self.endpoint, **told))


def _permission(hint: Any) -> str | None:
    for mark in get_args(hint)[1:]:
        if isinstance(mark, Dependency) and (permission := getattr(mark.dependency, "permission", None)):
            return None if getattr(mark.dependency, "streamed", False) else str(permission)
    return None


def _header(adapter: TypeAdapter[Any], given: bytes | None, where: tuple[str, ...], wrong: Wrong) -> Any:
    return None if given is None else valid(adapter, given.decode("latin-1"), where, wrong)


def _read(content: bytes, media_type: bytes, body: tuple[str, type[BaseModel], Any], wrong: list[Any]) -> Any:
    _, model, default = body
    if not content:
        if default is inspect.Parameter.empty:
            wrong.append({"type": "missing", "loc": ("body",), "msg": "Field required", "input": None})
        return default
    try:
        if b"json" in media_type.partition(b";")[0].lower():
            return model.model_validate_json(content, strict=True)  # neither 0 nor "true" is a truth value
        return model.model_validate(content)
    except ValidationError as error:
        wrong += [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        return None
