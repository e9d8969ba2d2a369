"""Every operation of every service, asked right and wrong: never a fault, never anything but what its OpenAPI says."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

import pytest
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, WithJsonSchema
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.case import Case

from builders import a_plan_in_force, an_assigned_item, an_item_with_a_report
from common.contracts.measures import MediaType
from common.files import Files
from common.http import create_app
from common.openapi import document_of
from common.settings import Settings
from doors import Door
from measures.item.ending import carry_over_item
from measures.measure.lead import MeasureAbove
from papers import FILES, PDF, send_file, sha256_of
from planting import ALL_ROLES, Planter
from probing import SEED, Probed, probe
from serving import served
from sheets import a_line, as_csv, as_xlsx
from showcase import PLAN, showing_the_seeds

EXAMPLES: Final = int(os.environ.get("KEGAI_EXAMPLES", "1"))
"""How many requests chance makes for each operation, beside all that the schema itself suggests."""
NAMED: Final = 0.75
"""How many of the requests that are right name what there is: the rest stays as it was made up."""
Place = ParameterLocation


CODES: Final = {"/measures/": "A1", "/progress/units/": "ORG"}
"""What a code in a path names, by what stands before it."""


@dataclass
class Caller:
    """Whoever may do what a request asks: finds something to do it to, and speaks in the right unit's name."""

    door: Door
    loop: asyncio.AbstractEventLoop
    words: Mapping[str, Any] = field(default_factory=dict)
    """What the words of a request may name, by the name of the field; a thing's own words come before them."""
    planter: Planter = field(init=False)
    tokens: dict[str, str] = field(default_factory=dict)
    chances: dict[str, Random] = field(default_factory=dict)
    """Each operation has its own: what is changed of one leaves the requests for the others as they were."""
    numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.planter = Planter(self.door.pool)

    def knock(self, case: Case[Any]) -> str:
        """Let the case name what there is wherever it is right; the token by which it is sent."""
        found = self.planter.find(case.operation.method.upper(), case.operation.path)
        chance = self.chances.setdefault(case.operation.label, Random(f"{SEED} {case.operation.label}"))
        unit, words = chance.choice(("ORG", "SOC")), self.words
        if found and _right(case, Place.PATH):
            planted = asyncio.run_coroutine_threadsafe(self.planter.plant(found), self.loop).result(10)
            thing = next(name for name in case.path_parameters if name.endswith("_id"))
            case.path_parameters = case.path_parameters | dict(found.path) | {thing: str(planted.id)}
            unit, words = found.unit, {**self.words, **planted.words}
        self._name(case, words, chance)
        if unit not in self.tokens:
            self.tokens[unit] = self.door.keys.token(sorted(ALL_ROLES), unit)
        return self.tokens[unit]

    def _name(self, case: Case[Any], words: Mapping[str, Any], chance: Random) -> None:
        """Most of what is right names what there is: in path and query, in a body, or by being a file."""
        if "if-match" in case.headers and chance.random() < NAMED:
            case.headers["if-match"] = '"1"'
        if isinstance(case.body, dict) and _right(case, Place.BODY) and chance.random() < NAMED:
            told = dict(words) if "{" in case.path else {**words, "code": f"C-{next(self.numbers)}"}
            known = {name for name in case.body.keys() & told.keys() if _alike(told[name], case.body[name])}
            case.body = case.body | {name: told[name] for name in known}
        if case.media_type in FILES and case.meta and case.meta.generation.mode.is_positive:
            self._send_a_file(case, words, chance)
        if case.path_parameters.keys() <= words.keys() | {"sha256"} and _right(case, Place.PATH):
            content = case.body if isinstance(case.body, bytes) else PDF
            named = [code for part, code in CODES.items() if part in case.path]
            told = dict(words) | {"sha256": sha256_of(content)} | ({"code": named[0]} if named else {})
            case.path_parameters = {name: told[name] for name in case.path_parameters}
        if "plan" in case.query and _right(case, Place.QUERY) and chance.random() < NAMED:
            case.query = case.query | {"plan": words["plan"]}

    def _send_a_file(self, case: Case[Any], words: Mapping[str, Any], chance: Random) -> None:
        """A file that is what its type says; to the import, a sheet with one more item, without a token to go by."""
        if not case.path.endswith("/import"):
            case.body = FILES[MediaType(str(case.media_type))] if chance.random() < NAMED else case.body
            return
        line = a_line(f"A1-{next(self.numbers)}")
        csv = case.media_type == MediaType.CSV
        case.body = as_csv(line) if csv else as_xlsx([list(line), list(line.values())])
        case.query = case.query | {"plan": words["plan"]}
        case.headers.pop("dry-run-token", None)


def _alike(there_is: Any, made_up: Any) -> bool:
    """Whether one may stand for the other: not a code for a measure that a plan puts down."""
    return not (isinstance(made_up, list) and made_up) or not there_is or type(there_is[0]) is type(made_up[0])


def _right(case: Case[Any], where: ParameterLocation) -> bool:
    """Whether what stands there is as the schema wants it."""
    component = case.meta.components.get(where) if case.meta else None
    return component is not None and component.mode.is_positive


Answering = AsyncIterator[tuple[str, Caller]]


@asynccontextmanager
async def directory(door: Door) -> Answering:
    """A directory with the city's association, to which others may belong."""
    caller = Caller(door, asyncio.get_running_loop(), {"parent": "CQKX", "division_code": None, "zone_code": None})
    async with door.client_for("municipal-admin") as office:
        city = {
            "code": "CQKX",
            "kind": "municipal",
            "name_zh": "市科协",
            "name_en": "City",
            "effective_on": "2021-01-01",
        }
        assert (await office.post("/api/v1/units", json=city)).status_code == 201
    async with served(door.app) as url:
        yield url, caller


@asynccontextmanager
async def programmes(door: Door) -> Answering:
    """Programmes, which need nothing beside."""
    async with served(door.app) as url:
        yield url, Caller(door, asyncio.get_running_loop())


@asynccontextmanager
async def reform(door: Door) -> Answering:
    """A plan with items, one of which another plan goes on with, and a file of ORG's."""
    await door.learn_units()
    caller = Caller(door, asyncio.get_running_loop())
    plan = await caller.planter.keep_plan(a_plan_in_force(), code="PLAN-1")
    await caller.planter.keep_plan(a_plan_in_force(ends_on=date(2030, 12, 31)), code="PLAN-2")
    item = await caller.planter.keep_item(plan, an_item_with_a_report())
    ending = replace(an_assigned_item(), above=MeasureAbove(plan_in_final_evaluation=True))
    told: dict[str, Any] = {"successor": "PLAN-2", "reason": "延续", "authority": "会议纪要", "by": None}
    carried = carry_over_item(ending, **told, on=ending.since).state
    caller.words = {
        "plan": "PLAN-1", "measure": "A1", "measures": ["A1"], "owner": "ORG", "co_units": [], "subject_kind": "item",
        "subject": "A1-01", "sha256": sha256_of(PDF), "links": [{"kind": "item", "id": str(item)}],
        "item": str(await caller.planter.keep_item(plan, carried, code="A1-03")),
        "rows": [{"item": str(item), "number": 1}],
    }  # fmt: skip
    async with door.client_for("unit-reporter", "ORG") as reporter:
        assert (await send_file(reporter, PDF)).status_code == 201
    async with served(door.app) as url:
        yield url, caller


@asynccontextmanager
async def views(door: Door) -> Answering:
    """The views of the seeds' plan."""
    async with showing_the_seeds(door) as site:
        words = {"plan": PLAN, "code": PLAN, "name": "cn.cqast.measures.plan-adopted.v1"}
        yield site.url, Caller(door, asyncio.get_running_loop(), words)


AT_WORK: Final = {"measures": reform, "societies": directory, "talent": programmes, "events": views}
DESCRIBED: Final = {service: json.loads(document_of(service)) for service in AT_WORK}


@pytest.fixture
def probing(door_of: Callable[..., Awaitable[Door]], tmp_path: Path) -> Callable[[str], Awaitable[Probed]]:
    """Call it with a service's name: what became of all that it was asked."""

    async def asked(service: str) -> Probed:
        door = await door_of(service)
        door.app.state.files = Files(f"file://{tmp_path}/files")
        async with AT_WORK[service](door) as (url, caller):
            return await asyncio.to_thread(probe, DESCRIBED[service], url, examples=EXAMPLES, knock=caller.knock)

    return asked


@pytest.mark.parametrize("service", AT_WORK)
async def test_a_service_answers_as_it_says(service: str, probing: Callable[[str], Awaitable[Probed]]) -> None:
    became = await probing(service)
    assert became.wrong == {}
    assert became.statuses.keys() == became.carried_out == _operations(service), "not all that there is was reached"


def _operations(service: str) -> set[str]:
    paths = DESCRIBED[service]["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


# ── the checks themselves ────────────────────────────────────────────────────────────────────────────────────────────


class Gadget(BaseModel):
    """What an honest service shows."""

    name: str


GADGETS: Final = APIRouter(prefix="/gadgets")


@GADGETS.get("/{number}", response_model=Gadget)
async def read_gadget(number: int) -> Response:
    """A gadget as it is described."""
    return JSONResponse({"name": str(number)})


@GADGETS.get("/{number}/broken", response_model=Gadget)
async def read_broken(number: int) -> Response:
    """A fault."""
    raise ZeroDivisionError


@GADGETS.get("/{number}/teapot", response_model=Gadget)
async def read_teapot(number: int) -> Response:
    """A status of which its description says nothing."""
    return JSONResponse({}, 418)


@GADGETS.get("/{number}/nameless", response_model=Gadget)
async def read_nameless(number: int) -> Response:
    """Not what its description promises."""
    return JSONResponse({"name": 1})


@GADGETS.get("/{number}/other", response_model=Gadget)
async def read_other(number: int) -> Response:
    """Not in the form that its description promises."""
    return PlainTextResponse("{}")


@GADGETS.get("/{number}/lenient", response_model=Gadget)
async def read_lenient(number: Annotated[object, WithJsonSchema({"type": "integer"})]) -> Response:
    """Takes what its description forbids."""
    return JSONResponse({"name": ""})


async def test_what_a_service_does_against_its_word_is_found() -> None:
    settings = Settings(database_url="", kafka_bootstrap="", jwks="")
    app = create_app(settings, service="gadgets", title="Gadgets", routers=[GADGETS])
    async with served(app) as url:
        found = await asyncio.to_thread(probe, app.openapi(), url, examples=1)
    assert {(named.split(": ")[0].rpartition("/")[2], named.split(": ")[1]) for named in found.wrong} >= {
        ("broken", "not_a_server_error"),
        ("broken", "status_code_conformance"),
        ("teapot", "status_code_conformance"),
        ("nameless", "response_schema_conformance"),
        ("other", "content_type_conformance"),
        ("lenient", "negative_data_rejection"),
    }
    assert not [named for named in found.wrong if named.startswith("GET /gadgets/{number}:")]
