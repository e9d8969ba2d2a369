"""What the gateway routes is read from one file, and a route that names an unknown service or class is refused."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

CHECKOUT = Path(__file__).parents[5]
"""The root of the source tree, to which the committed files belong."""


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Token(_Given):
    """Whose tokens are taken, and for whom they must have been issued (claims `iss` and `aud`)."""

    issuer: str
    audience: str


class Service(_Given):
    """One upstream: its default local port, and how many requests and streams it is given at once."""

    port: int
    requests_max: Annotated[int, Field(ge=1)]
    streams_max: int = 0


class Route(_Given):
    """A path prefix and where it leads; without a service it is answered with 404."""

    prefix: Annotated[str, Field(pattern=r"^/([a-z0-9._-]+(/[a-z0-9._-]+)*)?$")]
    service: str | None
    auth: Literal["token", "public"]
    rate: str
    timeout: str
    streamed: bool = False
    """Whether bodies are passed on as they come, however large."""


class Reply(_Given):
    """The gateway's own answer for a status: a stable code, both languages, and when to come back (seconds)."""

    status: int
    flag: str | None = None
    """Envoy's response flag: said only where the status was given for this reason."""
    code: str
    zh: str
    en: str
    retry_after: int | None = None


class Routes(_Given):
    """Everything that `deploy/gateway/routes.yaml` says."""

    token: Token
    identity_headers: Annotated[list[str], Field(max_length=16)]
    body_max_bytes: int
    request_seconds_max: Annotated[int, Field(ge=1)]
    services: dict[str, Service]
    rates: dict[str, int]
    timeouts: dict[str, int]
    routes: list[Route]
    replies: list[Reply]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for route in self.routes:
            known = {None, *self.services}
            if route.service not in known or route.rate not in self.rates or route.timeout not in self.timeouts:
                raise ValueError(f"{route.prefix} names a service, rate or timeout that is not declared")
            if route.service is not None and self.streams(route) and not self.services[route.service].streams_max:
                raise ValueError(f"{route.prefix} is a stream, and {route.service} takes none")
        prefixes = [route.prefix for route in self.routes]
        if len(prefixes) != len(set(prefixes)):
            raise ValueError("a prefix is declared twice")
        return self

    def streams(self, route: Route) -> bool:
        """Whether the answers of a route go on: they are counted apart from those that are given and gone."""
        return self.timeouts[route.timeout] == 0

    def longest_first(self) -> list[Route]:
        """The routes in the order in which a gateway that takes the first match must try them."""
        return sorted(self.routes, key=lambda route: (-len(route.prefix), route.prefix))


def load(path: Path = CHECKOUT / "deploy/gateway/routes.yaml") -> Routes:
    """Read the routes; raises pydantic.ValidationError when the file contradicts itself."""
    return Routes.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def local_replies(routes: Routes) -> dict[str, Any]:
    """Envoy's `local_reply_config`, which both forms carry, so that a refusal reads the same everywhere."""
    return {"mappers": [_mapper(reply) for reply in routes.replies]}


def _problem(reply: Reply) -> dict[str, Any]:
    # The services' shape of RFC 9457. Envoy puts in the request's id: it is the correlation id of all that follows.
    return {
        "type": f"urn:cqast:problem:{reply.code}",
        "title": reply.zh,
        "status": reply.status,
        "detail": f"{reply.zh} · {reply.en}",
        "instance": "%REQ(X-REQUEST-ID)%",
        "code": reply.code,
        "errors": [],
    }


def bounds(requests_max: int) -> dict[str, int]:
    """At most so many requests to a service, under way or waiting for a connection, by Envoy's names.

    A request that finds no idle connection waits for a new one to open, so these are as many; as each of the gateway's
    threads keeps its own, there may be twice as many connections. What is more is refused, and nothing waits.
    """
    return {
        "max_connections": 2 * requests_max,
        "max_pending_requests": requests_max,
        "max_requests": requests_max,
        "max_retries": 16,
    }


def _filter(reply: Reply) -> dict[str, Any]:
    if reply.flag is not None:
        return {"response_flag_filter": {"flags": [reply.flag]}}
    value = {"default_value": reply.status, "runtime_key": "unused"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _mapper(reply: Reply) -> dict[str, Any]:
    mapper: dict[str, Any] = {
        "filter": _filter(reply),
        "body_format_override": {
            "content_type": "application/problem+json; charset=utf-8",
            "json_format": _problem(reply),
        },
    }
    if reply.retry_after is not None:
        header = {"key": "retry-after", "value": str(reply.retry_after)}
        mapper["headers_to_add"] = [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    return mapper
