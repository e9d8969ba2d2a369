"""The status: one sentence that says how it is, and a program's own word for being ready."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from kegai.language import choose
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
