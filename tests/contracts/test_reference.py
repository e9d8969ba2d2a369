"""The reference for integrators: what programs fetch and what people read, both made from the contracts."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from builders import PUBLIC_URL
from common.contracts.publication import ENVELOPE, catalogue, committed, published
from doors import Door
from events.reference.asyncapi import asyncapi
from events.reference.contracts import event_types, headers, shown_record

DoorOf = Callable[..., Awaitable[Door]]


@pytest.fixture
async def events(door_of: DoorOf) -> Door:
    return await door_of("events")


# ── AsyncAPI ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_committed_asyncapi_document_is_what_the_contracts_say() -> None:
    path = Path(__file__).parents[2] / "docs" / "asyncapi.json"
    assert json.loads(path.read_text(encoding="utf-8")) == asyncapi("http://localhost:8080"), (
        "run: python -m events.reference.asyncapi docs/asyncapi.json"
    )


def test_every_event_type_is_a_message_of_its_producers_channel() -> None:
    document = asyncapi(PUBLIC_URL)
    for wire_type, event in catalogue().items():
        channel = document["channels"][event.producer]
        assert channel["address"] == f"cqast.{event.producer}.events.v1"
        assert channel["messages"][wire_type] == {"$ref": f"#/components/messages/{wire_type}"}
        message = document["components"]["messages"][wire_type]
        payload = document["components"]["schemas"][wire_type]
        Draft202012Validator(payload).validate(message["examples"][0]["payload"])
        assert "$ref" not in json.dumps(payload)
    assert {message for channel in document["channels"].values() for message in channel["messages"]} == set(catalogue())


# ── what is served ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_schema_is_served_where_the_records_say(events: Door) -> None:
    async with events.client() as anyone:
        for name, _ in published():
            reply = await anyone.get(f"/events/schemas/{name}.json")
            assert (reply.status_code, reply.content) == (200, committed(name))
            assert reply.headers["content-type"] == "application/schema+json"
            again = await anyone.get(reply.request.url, headers={"If-None-Match": reply.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        named = urlsplit(shown_record(PUBLIC_URL)["ce_dataschema"]).path
        assert (await anyone.get(named)).status_code == 200


@pytest.mark.parametrize("name", ["cn.cqast.measures.nothing.v1", "..%2Fsamples%2Fcn.cqast.measures.plan-adopted.v1"])
async def test_a_schema_that_is_not_published_is_a_problem(events: Door, name: str) -> None:
    async with events.client(accept_language="en") as anyone:
        reply = await anyone.get(f"/events/schemas/{name}.json")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"


async def test_the_asyncapi_document_links_to_this_installation(events: Door) -> None:
    async with events.client() as anyone:
        document = (await anyone.get("/events/asyncapi.json")).json()
    assert document["info"]["externalDocs"]["url"] == "http://localhost:8080/events/docs"


@pytest.mark.parametrize(("language", "heading"), [("zh", "可以依靠什么"), ("en", "What you can rely on")])
async def test_the_page_of_the_events_tells_every_type_header_and_field(
    events: Door, language: str, heading: str
) -> None:
    async with events.client() as anyone:
        reply = await anyone.get("/events/docs", params={"lang": language})
    page = reply.text
    assert heading in page
    for one in event_types():
        assert f'<article id="{one.wire_type}">' in page
        assert f'href="/events/schemas/{one.wire_type}.json"' in page
        assert all(f"<code>{field.name}</code>" in page for field in one.fields)
    assert all(f"<code>{header.name}</code>" in page for header in headers())


async def test_the_page_of_the_events_has_no_script_and_nothing_from_elsewhere(events: Door) -> None:
    async with events.client() as anyone:
        reply = await anyone.get("/events/docs")
        assert "script" not in reply.headers["content-security-policy"]
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert "<script" not in reply.text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', reply.text) == []
        for address in set(re.findall(r'(?:src|href)="(/(?:static|docs/assets)[^"]*)"', reply.text)):
            assert (await anyone.get(address)).status_code == 200


async def test_the_page_of_the_interfaces_runs_only_our_own_files(events: Door) -> None:
    async with events.client() as anyone:
        reply = await anyone.get("/docs", params={"service": "talent"})
        assert "script-src 'self';" in reply.headers["content-security-policy"]
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert 'data-openapi="/openapi/talent.json"' in reply.text
        assert re.findall(r"<script(?![^>]*src=)", reply.text) == []
        for address in re.findall(r'(?:src|href)="(/docs/assets/[^"]*)"', reply.text):
            assert (await anyone.get(address)).status_code == 200
        assert (await anyone.get("/docs", params={"service": "elsewhere"})).status_code == 422
        assert (await anyone.get("/docs/assets/pages.py")).status_code == 404


def test_the_whole_record_that_is_shown_fits_the_envelope() -> None:
    Draft202012Validator(json.loads(committed(ENVELOPE))).validate(shown_record(PUBLIC_URL))
