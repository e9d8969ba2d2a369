"""Every route says what it needs: a permission that some role has, or that it is open to all."""

import re

import pytest
from fastapi import APIRouter, Depends, FastAPI

from common.door import Door, needs, open_to_all
from common.http import create_app
from common.roles import ROLES, Over
from doors import open_door
from kegai.tokens import Keys
from refusals import assert_problem
from routes import SETTINGS, app_of, declared, routes_of
from servers import database_at

SERVICES = ["measures", "societies", "talent", "events"]


def _undeclared(app: FastAPI) -> list[str]:
    return [f"{route.methods} {route.path}" for route in routes_of(app) if len(declared(route)) != 1]


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_declares_what_it_needs(service: str) -> None:
    assert len(routes_of(app_of(service))) >= 5
    assert _undeclared(app_of(service)) == []


def test_a_route_that_declares_nothing_is_found() -> None:
    careless, open_one, guarded = APIRouter(), APIRouter(dependencies=[Depends(open_to_all)]), APIRouter()
    careless.get("/careless")(lambda: None)
    open_one.get("/open")(lambda: None)
    guarded.get("/guarded", dependencies=[needs("plan.read")])(lambda: None)
    app = create_app(SETTINGS, service="x", title="x", routers=[careless, open_one, guarded])
    assert _undeclared(app) == ["{'GET'} /careless"]
    assert _unable_to_read_a_query(app) == ["/guarded"]


def _unable_to_read_a_query(app: FastAPI) -> list[str]:
    return [
        str(route.path)
        for route in routes_of(app)
        if declared(route) - {"*"} and not isinstance(route.original_route, Door)
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_that_needs_a_permission_knows_what_its_query_may_name(service: str) -> None:
    assert _unable_to_read_a_query(app_of(service)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_changes_something_is_open_to_all(service: str) -> None:
    opened = [
        route.path for route in routes_of(app_of(service)) if declared(route) == {"*"} and route.methods != {"GET"}
    ]
    assert opened == []


def test_every_permission_that_a_route_needs_is_given_by_some_role_and_the_other_way_round() -> None:
    needed = {name for service in SERVICES for route in routes_of(app_of(service)) for name in declared(route)}
    assert needed - {"*"} == {permission for held in ROLES.values() for permission in held}


def _changing() -> set[str]:
    """The permissions to do something."""
    routes = [route for service in SERVICES for route in routes_of(app_of(service))]
    return {name for route in routes if route.methods != {"GET"} for name in declared(route)}


@pytest.mark.parametrize("role", ["auditor", "gov-consumer", "venue-staff", "participant", "dpo"])
def test_who_only_looks_on_changes_nothing(role: str) -> None:
    assert ROLES[role].keys() & _changing() == set()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_both_reports_and_judges_items(role: str) -> None:
    reports, judges = {"item.report-done", "milestone.report"}, {"item.close", "milestone.verify"}
    assert not (ROLES[role].keys() & reports and ROLES[role].keys() & judges)


def test_whoever_audits_reads_everything() -> None:
    reading = {name for held in ROLES.values() for name in held if name.endswith(".read")}
    assert {name for name, over in ROLES["auditor"].items() if over == {Over.ALL}} >= reading


@pytest.mark.parametrize("service", ["measures", "societies", "talent"])
async def test_every_guarded_route_is_shut_to_nobody_and_to_whoever_has_no_role(service: str, keys: Keys) -> None:
    nowhere = database_at("postgresql://127.0.0.1:1", "nowhere", service)
    async with open_door(nowhere, keys) as door:
        nobody, idle = door.client(), door.client_for("no-such-role")
        for route in routes_of(app_of(service)):
            path = re.sub(r"\{\w+_id\}", "0" * 32, route.path or "").replace("{number}", "1").replace("{code}", "P0")
            for method in route.methods or ():
                assert_problem(await nobody.request(method, path), 401, "auth.token-missing")
                assert_problem(await idle.request(method, path), 403, "auth.not-permitted")
