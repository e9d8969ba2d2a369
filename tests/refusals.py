"""How tests say that something was refused: by its stable code, never by its words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from common.decision import Refused


@contextmanager
def refused(code: str, *, at: str | None = None) -> Iterator[None]:
    """What stands within is refused with this code, at this JSON pointer if one is given."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.refusal.code == code
    if at is not None:
        assert caught.value.pointer == at
    assert caught.value.say("zh")
    assert caught.value.say("en")


@contextmanager
def counted(number: int, reason: str) -> Iterator[None]:
    """As many are turned away within, by what there is no more room for."""

    def so_far() -> float:
        return REGISTRY.get_sample_value("kegai_refused_requests_total", {"reason": reason}) or 0

    before = so_far()
    yield
    assert so_far() - before == number


def assert_problem(reply: httpx.Response, status: int, code: str, *, at: str | None = None) -> dict[str, Any]:
    """The reply is an RFC 9457 problem with this status and code, at this JSON pointer if one is given."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    problem: dict[str, Any] = reply.json()
    assert (reply.status_code, problem["status"], problem["code"]) == (status, status, code), reply.text
    assert problem["type"] == f"urn:cqast:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"]
    if at is not None:
        assert at in [fault["pointer"] for fault in problem["errors"]], reply.text
    return problem
