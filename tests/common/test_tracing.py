"""A trace goes on where a request names one by the rules of W3C Trace Context, and begins anew where it does not."""

import orjson
import pytest
from structlog.testing import capture_logs

from builders import plan_body
from common.tracing import Trace, span_of, span_within
from doors import Door

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def _span_header(traceparent: str | None) -> str:
    return str(span_within(traceparent))


def test_a_trace_is_read_and_written_as_it_was() -> None:
    found = Trace.read(GIVEN)
    assert found == Trace(TRACE_ID, "00f067aa0ba902b7", sampled=True)
    assert str(found) == GIVEN


def test_a_span_of_its_own_has_the_same_trace_and_another_parent() -> None:
    spans = {_span_header(GIVEN) for _ in range(100)}
    assert len(spans) == 100
    assert GIVEN not in spans
    assert {(found.trace_id, found.sampled) for span in spans if (found := Trace.read(span))} == {(TRACE_ID, True)}


def test_what_is_not_sampled_stays_so() -> None:
    assert _span_header(f"{GIVEN[:-2]}00").endswith("-00")


def test_of_the_flags_only_sampled_is_passed_on() -> None:
    assert _span_header(f"{GIVEN[:-2]}ff").endswith("-01")


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert Trace.read(f"cc{GIVEN[2:]}-what-comes-later") == Trace.read(GIVEN)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "",
        "nonsense",
        "00-1-2-01",
        GIVEN.upper(),
        f" {GIVEN}",
        f"{GIVEN}\n",
        f"{GIVEN}-more",
        f"ff{GIVEN[2:]}",
        f"cc{GIVEN[2:]}more",
        GIVEN.replace(TRACE_ID, "0" * 32),
        GIVEN.replace("00f067aa0ba902b7", "0" * 16),
        GIVEN.replace("4bf9", "xyz9"),
    ],
)
def test_a_broken_one_is_ignored_and_a_new_trace_begins(broken: str | None) -> None:
    assert Trace.read(broken) is None
    fresh = Trace.read(_span_header(broken))
    assert fresh is not None
    assert fresh.trace_id != TRACE_ID
    assert fresh.sampled


def test_a_request_has_one_span_whoever_asks_for_it() -> None:
    scope = {"headers": [(b"traceparent", GIVEN.encode())], "state": {}}
    assert span_of(scope) is span_of(scope)
    assert span_of(scope).trace_id == TRACE_ID


@pytest.mark.parametrize(("sent", "same"), [(GIVEN, True), ("00-broken", False)])
async def test_an_event_carries_the_trace_of_its_request(measures: Door, sent: str, same: bool) -> None:
    office = measures.client_for("reform-office", "CQ", traceparent=sent)
    assert (await office.post("/api/v1/plans", json=plan_body())).status_code == 201
    headers = orjson.loads(await measures.pool.fetchval("SELECT headers FROM event"))
    told = Trace.read(headers["traceparent"])
    assert told is not None
    assert headers["ce_traceparent"] == headers["traceparent"] != sent
    assert (told.trace_id == TRACE_ID) is same


async def test_what_is_logged_of_a_request_names_its_trace(measures: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("measures.plan.api.plans.create", fail)
    office = measures.client_for("reform-office", "CQ", traceparent=GIVEN)
    with capture_logs() as lines:
        assert (await office.post("/api/v1/plans", json=plan_body())).status_code == 500
    assert [line["trace"] for line in lines if line["event"] == "request.fault"] == [TRACE_ID]
