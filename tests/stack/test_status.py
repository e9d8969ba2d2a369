"""The status: one sentence that says how it is, and a program's own word for being ready."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from kegai.language import choose
from kegai.local.figures import Figures, path
from kegai.local.ports import free_port
from kegai.local.readiness import readiness
from kegai.local.status import ProcessStatus, Status, told


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    choose("en")
    yield
    choose(None)


def test_the_status_opens_with_one_sentence() -> None:
    seen = Status([ProcessStatus("kafka", 41, ""), ProcessStatus("measures-api", 42, "directory: 0 units")])
    seen.lag["events/progress"] = 7
    seen.outbox_rows["measures"] = 3
    assert told(seen).splitlines()[0] == (
        "1 of 2 processes are ready; consumers are 7 records behind; 3 wait to be published; 0 are parked."
    )
    assert "directory: 0 units" in told(seen)


def test_a_stack_that_does_not_run_says_how_to_start_it() -> None:
    seen = Status([ProcessStatus("kafka", None, "")])
    assert not seen.up
    assert told(seen) == "Not running. Start it: make up"


def test_a_parked_record_is_not_well_although_everything_is_ready() -> None:
    seen = Status([ProcessStatus("kafka", 41, "")])
    assert seen.well
    seen.parked["events/progress"] = 1
    assert not seen.well


SERVED = """
kegai_request_seconds_bucket{le="0.1",operation="a",status="200"} 90
kegai_request_seconds_bucket{le="0.2",operation="a",status="200"} 100
kegai_request_seconds_bucket{le="+Inf",operation="a",status="200"} 100
kegai_request_seconds_count{operation="a",status="200"} 100
kegai_request_seconds_sum{operation="a",status="200"} 5
kegai_request_seconds_bucket{le="0.1",operation="b",status="200"} 100
kegai_request_seconds_bucket{le="0.2",operation="b",status="200"} 100
kegai_request_seconds_bucket{le="+Inf",operation="b",status="200"} 100
kegai_request_seconds_count{operation="b",status="200"} 100
kegai_request_seconds_sum{operation="b",status="200"} 5
kegai_requests_under_way 7
kegai_refused_requests_total{reason="process"} 2
kegai_refused_requests_total{reason="aggregate"} 1
kegai_save_seconds_bucket{aggregate="item",le="0.1"} 0
kegai_save_seconds_bucket{aggregate="item",le="+Inf"} 4
kegai_save_seconds_count{aggregate="item"} 4
kegai_save_seconds_sum{aggregate="item"} 4
"""
WORKED = """
kegai_outbox_depth{slice="0"} 2
kegai_outbox_depth{slice="1"} 3
kegai_outbox_oldest_seconds{slice="0"} 1.5
kegai_outbox_oldest_seconds{slice="1"} 0.5
kegai_consumer_lag_records{projection="p",topic="a"} 5
kegai_consumer_lag_records{projection="p",topic="b"} 6
kegai_consumer_lag_seconds{projection="p",topic="a"} 2
kegai_consumer_lag_seconds{projection="p",topic="b"} 3
kegai_applied_records_total{projection="p"} 1234
kegai_parked_records{projection="p"} 1
kegai_sse_readers{channel="json"} 9
"""


def test_requests_of_all_operations_are_told_together() -> None:
    told = dict(path("measures", Figures(SERVED)))
    assert told["requests"] == "measures: 200 answered, p99 180 ms; 7 under way, 3 turned away"


def test_beyond_the_last_bound_a_time_is_that_bound() -> None:
    assert dict(path("measures", Figures(SERVED)))["commands"] == "measures item: 4, save p99 100 ms"


def test_of_the_outbox_the_oldest_row_counts_and_of_the_slices_the_sum() -> None:
    assert dict(path("measures", Figures(WORKED)))["outbox"] == "measures: 5 rows, the oldest 1.5 s"


def test_a_projection_is_as_late_as_its_latest_topic() -> None:
    told = dict(path("events", Figures(WORKED)))
    assert told["projections"] == "events/p: 11 records, 3.0 s behind; 1,234 applied; 1 parked"
    assert told["streams"] == "events: 9 json"


def test_it_is_told_when_the_clock_had_done_all_that_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kegai.local.figures.time", lambda: 1_800_000_012.0)
    ticked = """
kegai_clock_looked_seconds 1.8e9
kegai_clock_done_total{kind="reminder"} 3
kegai_clock_done_total{kind="assurance-expiry"} 1
kegai_clock_failures_total{kind="reminder"} 2
"""
    told = dict(path("measures", Figures(ticked)))
    assert told["clock"] == "measures: all done that was due 12 s ago, 3 reminder, 1 assurance-expiry; 2 failures"
    assert "clock" not in dict(path("measures", Figures("kegai_clock_looked_seconds 0.0")))


def test_of_what_a_process_does_not_do_nothing_is_told() -> None:
    assert list(path("measures", Figures(""))) == []
    assert "relay" not in dict(path("measures", Figures(WORKED)))


def test_each_part_of_the_path_stands_below_the_processes() -> None:
    seen = Status([ProcessStatus("kafka", 41, "")])
    seen.path["outbox"] += ["measures: 5 rows", "talent: 0 rows"]
    lines = [" ".join(line.split()) for line in told(seen).splitlines()]
    assert lines[-2:] == ["outbox measures: 5 rows", "talent: 0 rows"]


class _Word(BaseHTTPRequestHandler):
    checks: dict[str, str]

    def do_GET(self) -> None:
        ready = set(self.checks.values()) <= {"ok"}
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(json.dumps({"ready": ready, "checks": self.checks}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("checks", "ready", "ready_for_seeds"),
    [
        ({"database": "ok", "directory": "ok"}, True, True),
        ({"database": "ok", "directory": "no units yet"}, False, True),
        ({"database": "away", "directory": "no units yet"}, False, False),
    ],
)
def test_only_the_directory_may_wait_for_the_seeds(checks: dict[str, str], ready: bool, ready_for_seeds: bool) -> None:
    handler = type("Word", (_Word,), {"checks": checks})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        answer = readiness(server.server_address[1])
        server.shutdown()
        serving.join()
    assert (answer.ready, answer.ready_for_seeds) == (ready, ready_for_seeds)


def test_who_does_not_answer_is_not_ready() -> None:
    answer = readiness(free_port())
    assert not answer.ready
    assert not answer.ready_for_seeds
