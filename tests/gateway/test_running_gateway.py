"""What a client of the running gateway meets: its own refusals, and what it lets through to which service."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kegai.gateway import load

Sign = Callable[..., str]


def _with(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _assert_problem(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = reply.json()
    assert reply.status_code == status
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:cqast:problem:{code}"
    assert problem["instance"] == reply.headers.get("x-request-id")  # refused before it had one: none
    return problem


def test_a_call_without_a_token_is_refused_in_both_languages(gateway: httpx.Client) -> None:
    problem = _assert_problem(gateway.get("/api/v1/items?limit=1"), 401, "gateway.token-required")
    assert problem["title"].startswith("缺少令牌")
    assert problem["detail"].endswith("The token is missing, invalid or expired")


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/units", "societies"),
        ("/api/v1/units/1/rename", "societies"),
        ("/api/v1/plans", "measures"),
        ("/api/v1/items/1/milestones/2/verify", "measures"),
        ("/api/v1/progress/measures/B2", "events"),
        ("/openapi/measures.json", "measures"),
        ("/docs", "events"),
    ],
)
def test_a_call_with_a_token_reaches_its_service(gateway: httpx.Client, sign: Sign, path: str, service: str) -> None:
    arrived = gateway.post(path, headers=_with(sign()), content=b"{}").json()
    assert (arrived["service"], arrived["path"], arrived["bytes"]) == (service, path, 2)


def test_the_token_is_passed_on(gateway: httpx.Client, sign: Sign) -> None:
    token = sign()
    arrived = gateway.get("/api/v1/items", headers=_with(token)).json()
    assert arrived["headers"]["authorization"] == f"Bearer {token}"


def test_a_public_page_needs_no_token(gateway: httpx.Client) -> None:
    assert gateway.get("/api/v1/progress/measures").json()["service"] == "events"


@pytest.mark.parametrize("path", ["/api/v1/items", "/api/v1/progress/measures"])
def test_a_bad_token_is_refused_on_every_route(gateway: httpx.Client, sign: Sign, path: str) -> None:
    for token in ("nonsense", sign(exp=1), sign(iss="urn:another"), sign()[:-4] + "AAAA"):
        _assert_problem(gateway.get(path, headers=_with(token)), 401, "gateway.token-required")


def test_a_token_for_another_platform_is_refused(gateway: httpx.Client, sign: Sign) -> None:
    reply = gateway.get("/api/v1/items", headers=_with(sign(aud="another")))
    _assert_problem(reply, 403, "gateway.token-not-for-kegai")


def test_nobody_can_say_who_they_are_in_a_header(gateway: httpx.Client) -> None:
    forged = dict.fromkeys(load().identity_headers, "root") | {"x-envoy-retry-on": "5xx", "x-envoy-internal": "true"}
    arrived = gateway.get("/api/v1/progress/measures", headers={**forged, "accept-language": "en"}).json()["headers"]
    assert not forged.keys() & arrived.keys()
    assert arrived["accept-language"] == "en"


def test_the_trace_of_a_request_is_kept(gateway: httpx.Client) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"traceparent": trace, "x-request-id": "4f1ad3ce-0c4c-4c8a-b3d5-5f0f6b9a7f11"}
    reply = gateway.get("/api/v1/progress/measures", headers=headers)
    assert reply.json()["headers"]["traceparent"] == trace
    assert reply.json()["headers"]["x-request-id"] == reply.headers["x-request-id"] == headers["x-request-id"]


def test_an_event_arrives_while_the_stream_goes_on(gateway: httpx.Client) -> None:
    with gateway.stream("GET", "/stream") as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert next(stream.iter_lines()) == "data: first"


def test_a_path_that_no_service_owns_is_not_there(gateway: httpx.Client) -> None:
    _assert_problem(gateway.get("/api/v1/itemsx"), 404, "gateway.no-such-path")


@pytest.mark.parametrize("path", ["/api/v1%2Fitems", "/static/..%2f..%2fapi/v1/items"])
def test_a_path_cannot_hide_behind_an_escaped_slash(gateway: httpx.Client, path: str) -> None:
    _assert_problem(gateway.get(path), 400, "gateway.bad-request")


def test_a_path_cannot_climb_round_the_token(gateway: httpx.Client) -> None:
    for path in ("/static/../api/v1/items", "//api//v1/items", "/static/%2e%2e/api/v1/items"):
        request = gateway.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        _assert_problem(gateway.send(request), 401, "gateway.token-required")


def test_a_body_that_no_service_should_read_is_refused(gateway: httpx.Client, sign: Sign) -> None:
    reply = gateway.post("/api/v1/items", headers=_with(sign()), content=b"x" * (2 * 1024 * 1024 + 1))
    _assert_problem(reply, 413, "gateway.body-too-large")


def test_a_file_passes_whatever_its_size_and_only_with_a_token(gateway: httpx.Client, sign: Sign) -> None:
    address, file = "/api/v1/evidence-files/a", b"x" * (5 * 1024 * 1024)
    assert gateway.post(address, headers=_with(sign()), content=file).json()["bytes"] == len(file)
    _assert_problem(gateway.post(address, content=file[:1000]), 401, "gateway.token-required")


def test_a_service_that_is_down_is_said_to_come_back(gateway: httpx.Client, sign: Sign) -> None:
    reply = gateway.post("/api/v1/programmes", headers=_with(sign()), content=b"{}")
    _assert_problem(reply, 503, "gateway.service-unavailable")
    assert reply.headers["retry-after"] == "1"


def test_a_flood_is_told_when_to_come_back(gateway: httpx.Client) -> None:
    replies = [gateway.get("/events/docs") for _ in range(30)]
    refused = next(reply for reply in replies if reply.status_code == 429)
    _assert_problem(refused, 429, "gateway.too-many-requests")
    assert refused.headers["retry-after"] == "1"
