"""What the routes of a service say of themselves: the permission that each needs, and what it may be asked with."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import product

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from common.door import open_to_all
from common.settings import Settings

SETTINGS = Settings(database_url="postgresql://nowhere", kafka_bootstrap="nowhere", jwks="nowhere")


def app_of(service: str) -> FastAPI:
    """The application of a service, without a database."""
    app: FastAPI = import_module(f"{service}.main").app_of(SETTINGS)
    return app


def routes_of(app: FastAPI) -> list[RouteContext]:
    """All routes but that of the application's own description."""
    return [route for route in iter_route_contexts(app.routes) if route.path != app.openapi_url]


def declared(route: RouteContext) -> set[str]:
    """The permissions that a route declares; ``*`` where it is open to all."""
    calls = list(_dependencies(route.dependant)) if hasattr(route, "dependant") else []
    permissions = {call.permission for call in calls if hasattr(call, "permission")}
    return permissions | ({"*"} if open_to_all in calls else set())


def commands(app: FastAPI, at: str, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every command on one thing of the collection ``at``: its path below the thing's address, and its permission.

    :param values: what stands for each further parameter in a path.
    """
    found: dict[str, str] = {}
    for route in routes_of(app):
        below = re.fullmatch(rf"{at}/{{\w+_id}}/(.+)", route.path or "")
        if below and route.methods == {"POST"}:
            names = re.findall(r"{(\w+)}", below[1])
            for chosen in product(*(values[name] for name in names)):
                (permission,) = declared(route)
                found[below[1].format(**dict(zip(names, chosen, strict=True)))] = permission
    return found


def _dependencies(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _dependencies(dependency)
