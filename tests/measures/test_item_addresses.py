"""An address that goes on without end leads nowhere: the reply to it could not be kept under its key."""

import random
from collections.abc import Awaitable, Callable

import httpx
import pytest

from refusals import assert_problem

BLANKS = "".join(random.Random(1).choices(["%20", "%09", "%0A", "%0D"], k=12_000))
"""In no order that compresses well, as an index would; whoever reads a number trims them."""
ATTAINED = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}
Written = Callable[[], Awaitable[dict[str, int]]]


async def _report(reporter: httpx.AsyncClient, item: str, number: str) -> httpx.Response:
    address = f"{item}/milestones/{number}/report"
    return await reporter.post(address, json=ATTAINED, headers={"idempotency-key": "k"})


async def test_an_address_without_end_leads_nowhere(
    reporter: httpx.AsyncClient, started: str, written: Written
) -> None:
    before = await written()
    assert_problem(await _report(reporter, started, f"{BLANKS}1"), 404, "request.no-such-address")
    assert await written() == before
    assert (await _report(reporter, started, "1")).status_code == 200


async def test_without_a_limit_it_would_be_a_fault(
    reporter: httpx.AsyncClient, started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.desk.PATH_MAX", 100_000)
    assert_problem(await _report(reporter, started, f"{BLANKS}1"), 500, "internal.fault")
