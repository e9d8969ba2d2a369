"""A service's OpenAPI 3.1 document: what FastAPI reads from the routes, with permissions, problems, ETags and keys.

``python -m common.openapi SERVICE FILE`` writes it as it is committed: a change of an interface is seen as a diff.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from common.auth import TOKEN_MISSING
from common.database import DATABASE_AWAY
from common.decision import Kind, Refused
from common.lanes import CONTENDED, STALE
from common.problems import (
    INVALID,
    MALFORMED,
    NO_ROUTE,
    NOT_JSON,
    RETRY_AFTER_SECONDS,
    TITLES,
    TOO_LARGE,
    Fault,
    Problem,
)
from common.roles import NOT_PERMITTED
from common.settings import Settings

Document = dict[str, Any]

EXAMPLES: Final[Mapping[Kind, Refused]] = {
    Kind.MALFORMED: MALFORMED(),
    Kind.UNAUTHENTICATED: TOKEN_MISSING(),
    Kind.FORBIDDEN: NOT_PERMITTED(permission="milestone.verify", over="–", over_zh="无"),
    Kind.ABSENT: NO_ROUTE(),
    Kind.CONFLICT: CONTENDED(),
    Kind.STALE: STALE(current=8, expected=7),
    Kind.TOO_LARGE: TOO_LARGE(),
    Kind.UNSUPPORTED: NOT_JSON(),
    Kind.INVALID: INVALID(),
    Kind.UNAVAILABLE: DATABASE_AWAY(),
}
"""One problem of each kind, to show what a reply looks like."""
ABOUT: Final = (
    "错误一律为 application/problem+json（RFC 9457），依 `code` 处理；语言随 Accept-Language。"
    "请求体为 JSON，须带 `Content-Type: application/json`。"
    "每个 POST 可带 `Idempotency-Key`；读取得到的 `ETag` 可作 `If-Match` 带回。\n\n"
    "Errors are application/problem+json (RFC 9457): act on `code`; texts follow Accept-Language. A JSON body "
    "comes with `Content-Type: application/json`. Every POST takes an `Idempotency-Key`; the `ETag` of a read may be "
    "sent back as `If-Match`."
)
HEADERS: Final = {
    Kind.UNAVAILABLE: ("Retry-After", RETRY_AFTER_SECONDS),
    Kind.UNAUTHENTICATED: ("WWW-Authenticate", "Bearer"),
}
ETAG: Final = {"description": "The version of the aggregate", "schema": {"type": "string", "examples": ['"7"']}}
LOCATION: Final = {"description": "Where it is to be read", "schema": {"type": "string", "format": "uri-reference"}}


def describe(app: FastAPI) -> None:
    """Have an application tell its permissions, problems, versions and keys with its routes."""
    plain = app.openapi
    app.openapi = lambda: app.openapi_schema or _completed(plain(), _permissions(app))  # type: ignore[method-assign]


def _permissions(app: FastAPI) -> dict[tuple[str, str], str]:
    """What each route needs, by its path and method; a word of ``roles.csv``."""
    return {
        (route.path or "", method.lower()): dependency.call.permission
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        for dependency in getattr(getattr(route, "dependant", None), "dependencies", ())
        if hasattr(dependency.call, "permission")
    }


def _completed(document: Document, permissions: Mapping[tuple[str, str], str]) -> Document:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
            if permission := permissions.get((path, method)):
                operation["x-permission"] = permission
    components = document.setdefault("components", {})
    components["responses"] = {_name(kind): _response(kind, example) for kind, example in EXAMPLES.items()}
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    told = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    components["schemas"] |= told.pop("$defs") | {"Problem": told}
    return document


def _complete(path: str, method: str, operation: Document) -> None:
    """Say of one operation what it may be asked with and what it may answer."""
    command, of_one = method != "get", "{" in path
    unused = set() if command else {"idempotency-key", "if-match"}
    unused |= set() if of_one else {"if-match"}
    if told := [one for one in operation.pop("parameters", []) if one["name"] not in unused]:
        operation["parameters"] = told
    for status, response in operation["responses"].items():
        if "security" in operation and (command or path.endswith("}")):
            response["headers"] = {"ETag": ETAG} | ({"Location": LOCATION} if status == "201" else {})
    operation["responses"] |= {
        str(int(kind)): {"$ref": f"#/components/responses/{_name(kind)}"}
        for kind in sorted(_kinds(command=command, of_one=of_one, protected="security" in operation))
    }
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        operation["responses"][str(int(Kind.UNSUPPORTED))] = {
            "$ref": f"#/components/responses/{_name(Kind.UNSUPPORTED)}"
        }


def _kinds(*, command: bool, of_one: bool, protected: bool) -> Iterator[Kind]:
    """Why an operation may be refused."""
    yield from (Kind.ABSENT, Kind.INVALID, Kind.UNAVAILABLE)
    if protected:
        yield from (Kind.UNAUTHENTICATED, Kind.FORBIDDEN)
    if command:
        yield from (Kind.MALFORMED, Kind.CONFLICT, Kind.TOO_LARGE)
        if of_one:
            yield Kind.STALE


def _name(kind: Kind) -> str:
    return kind.name.title().replace("_", "")


def _response(kind: Kind, refused: Refused) -> Document:
    status, code = int(kind), refused.refusal.code
    faults = [Fault(pointer="/due_on", detail="应为日期，如 2022-06-30", code="date_parsing")]
    example = Problem(
        type=f"urn:cqast:problem:{code}",
        title=TITLES[status][0],
        status=status,
        detail=refused.say("zh"),
        instance="5f0c2b1e-1b7e-4c55-9d0f-3a2b1c0d9e8f",
        code=code,
        errors=faults if kind is Kind.INVALID else [],
    )
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example.model_dump()}
    response = {
        "description": " ".join(TITLES[status]),
        "content": {"application/problem+json": content},
    }
    if kind in HEADERS:
        name, value = HEADERS[kind]
        response["headers"] = {name: {"schema": {"type": "string", "examples": [value]}}}
    return response


def document_of(service: str) -> str:
    """The document of a service as it is committed, with one line end."""
    app: FastAPI = import_module(f"{service}.main").app_of(Settings(database_url="", kafka_bootstrap=""))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(document_of(sys.argv[1]), encoding="utf-8")
