"""The door to the reference: schemas and AsyncAPI for programs, a page of the events and one of the APIs for people."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import fastapi_offline
from fastapi import APIRouter, Depends, Query, Request, Response

from common.contracts.publication import text
from common.decision import Kind, Refusal
from common.door import open_to_all
from events.dashboard.assets import NO_ASSET, TYPES
from events.dashboard.fragments import environment
from events.dashboard.words import Words, language_asked
from events.reference.asyncapi import asyncapi
from events.reference.contracts import SCHEMAS, SHOWN, event_types, headers, shown_record

NOTHING_ELSE: Final = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
EVENTS_POLICY: Final = f"default-src 'none'; style-src 'self'; img-src 'self' data:; {NOTHING_ELSE}"
DOCS_POLICY: Final = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; {NOTHING_ELSE}"
)
SERVICES: Final = ("measures", "societies", "talent", "events")
NO_SCHEMA = Refusal(
    "event.unknown-schema",
    zh="没有名为 {name} 的事件模式，全部模式见 /events/docs",
    en="No schema is published as {name}; all of them are listed at /events/docs",
    kind=Kind.ABSENT,
)

TEMPLATES: Final = environment("events.reference", "events.dashboard")

OURS: Final = files("events.reference").joinpath("static")
SWAGGER: Final = files(fastapi_offline).joinpath("static")
ASSETS: Final = {
    name: folder.joinpath(name).read_bytes()
    for name, folder in {
        "reference.css": OURS,
        "docs.css": OURS,
        "docs.js": OURS,
        "swagger-ui.css": SWAGGER,
        "swagger-ui-bundle.js": SWAGGER,
    }.items()
}

router = APIRouter(dependencies=[Depends(open_to_all)])
Chosen = Annotated[str, Query(max_length=40)]


class Address:
    """The address of the event reference, in a language; the frame of the pages asks it for the other one."""

    def url(self, *, lang: str) -> str:
        """The same page in that language."""
        return f"/events/docs?lang={lang}"


@router.get(
    "/events/schemas/{name}.json",
    tags=["events"],
    name="read_event_schema",
    response_class=Response,
    responses={200: {"content": {"application/schema+json": {}}, "description": "JSON Schema 2020-12"}},
)
async def schema(request: Request, name: str) -> Response:
    """The schema of an event type's data, by wire type, or of the headers, as `envelope.v1`.

    :raises Refused: ``event.unknown-schema``.
    """
    if name not in SCHEMAS:
        raise NO_SCHEMA(name=name)
    return _file(request, SCHEMAS[name], "application/schema+json")


@router.get(
    "/events/asyncapi.json",
    tags=["events"],
    name="read_asyncapi",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}, "description": "AsyncAPI 3.0"}},
)
async def asyncapi_document(request: Request) -> Response:
    """Topics, records and their schemas in one AsyncAPI 3.0 document."""
    return _file(request, _asyncapi(_public_url(request)), "application/json")


@router.get("/events/docs", name="event_reference", include_in_schema=False)
async def event_reference(request: Request, lang: Chosen = "") -> Response:
    """Every event type: what it means, where it is told, its fields and a sample; readable without a script."""
    words = Words(language_asked(request, lang))
    content = TEMPLATES.get_template("events.html").render(
        t=words,
        wanted=Address(),
        types=event_types(),
        headers=headers(),
        record=shown_record(_public_url(request)),
        shown=next(one for one in event_types() if one.wire_type == SHOWN),
    )
    return _page(content, EVENTS_POLICY, words)


@router.get("/docs", name="api_reference", include_in_schema=False)
async def api_reference(
    request: Request, service: Literal["measures", "societies", "talent", "events"] = "measures", lang: Chosen = ""
) -> Response:
    """The HTTP interface of one service, to read and to try."""
    words = Words(language_asked(request, lang))
    content = TEMPLATES.get_template("docs.html").render(t=words, services=SERVICES, chosen=service)
    return _page(content, DOCS_POLICY, words)


@router.get("/docs/assets/{name}", name="reference_asset", include_in_schema=False)
async def reference_asset(request: Request, name: str) -> Response:
    """A file that the pages load.

    :raises Refused: ``asset.not-found``.
    """
    if name not in ASSETS:
        raise NO_ASSET()
    return _file(request, ASSETS[name], TYPES[name[name.rfind(".") :]])


def _public_url(request: Request) -> str:
    found: str = request.app.state.desk.service.public_url
    return found


@cache
def _asyncapi(public_url: str) -> bytes:
    return text(asyncapi(public_url)).encode()


def _file(request: Request, content: bytes, media_type: str) -> Response:
    """Kept by whoever has it for five minutes; asked for again, it is not sent again unless it has changed."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": tag, "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def _page(content: str, policy: str, words: Words) -> Response:
    told = {
        "Content-Security-Policy": policy,
        "Content-Language": words.tag,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Vary": "Accept-Language",
    }
    return Response(content, headers=told, media_type="text/html; charset=utf-8")
