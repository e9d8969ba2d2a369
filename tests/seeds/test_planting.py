"""How seeds are planted: who gives which command, what is asked again, and what a second planting does."""

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from kegai.language import StackError
from kegai.seeds import Planted, plant
from kegai.seeds.data import FOLDER


@dataclass(frozen=True)
class Told:
    """One command as it arrived."""

    path: str
    by: str
    key: str
    body: dict[str, Any]


Answer = tuple[int, str]
"""A status, and the code of the problem where it is one."""


@dataclass
class Api:
    """A public API that obeys everything, unless `answer` says otherwise of a command."""

    told: list[Told] = field(default_factory=list)
    answer: Callable[[Told], Answer] = lambda _told: (201, "")
    lock: Lock = field(default_factory=Lock)

    def hear(self, told: Told) -> Answer:
        with self.lock:
            self.told.append(told)
            return self.answer(told)

    def paths(self) -> list[str]:
        return [told.path for told in self.told]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # a reply leaves in one piece: in two, the second would wait for the client's ack
    server: "_Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        by = self.headers["authorization"].removeprefix("Bearer ")
        status, code = self.server.api.hear(Told(self.path, by, self.headers["idempotency-key"], body))
        reply = {"id": f"id-of-{body.get('code')}"} if status < 300 else {"code": code, "detail": "as it is"}
        content = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json" if status < 300 else "application/problem+json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: Api) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def planting(api: Api, tmp_path: Path) -> Iterator[Callable[[], Planted]]:
    """Plant all units and the plan, but of the items only A1-01 and B2-03."""
    for name, column in (("items.csv", "code"), ("milestones.csv", "item")):
        with (FOLDER / name).open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row[column] in {"A1-01", "B2-03"}]
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    server = _Server(api)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    items, milestones = tmp_path / "items.csv", tmp_path / "milestones.csv"
    url = f"http://127.0.0.1:{server.server_address[1]}"
    yield lambda: asyncio.run(plant(url, lambda role, unit: f"{role}@{unit}", items=items, milestones=milestones))
    server.shutdown()
    server.server_close()


def test_a_course_is_told_by_those_whose_steps_they_are(api: Api, planting: Callable[[], Planted]) -> None:
    planting()
    course = [(told.path.split("/", 5)[-1], told.by) for told in api.told if "/id-of-A1-01/" in told.path]
    owner, judge = "unit-reporter@CQKX-ZZ", "reform-office@CQKX-XH"
    assert course == [
        ("assign", "reform-office@CQKX-BG"),
        ("acknowledge", owner),
        ("start", owner),
        ("milestones/1/report", owner),
        ("milestones/1/verify", judge),
        ("milestones/2/report", owner),
        ("milestones/2/verify", judge),
        ("milestones/3/report", owner),
        ("milestones/3/verify", judge),
        ("report-done", owner),
        ("close", judge),
    ]
    days = [told.body["effective_on"] for told in api.told if "/id-of-A1-01/" in told.path]
    assert days == sorted(days)


def test_parents_come_before_their_units_and_the_plan_before_its_items(
    api: Api, planting: Callable[[], Planted]
) -> None:
    planted = planting()
    units = [told.body["code"] for told in api.told if told.path == "/api/v1/units"]
    assert units[0] == "CQKX"
    assert (len(units), planted.units, planted.items, planted.already) == (48, 41, 2, 0)
    assert api.paths().index("/api/v1/items") > api.paths().index("/api/v1/plans/id-of-CQ-KX-2021-2025/phases/P2/enter")


def test_a_second_planting_says_the_same_under_the_same_keys(api: Api, planting: Callable[[], Planted]) -> None:
    planting()
    first = {(told.path, told.key) for told in api.told}
    assert len({key for _, key in first}) == len(api.told)
    api.told.clear()
    planting()
    assert {(told.path, told.key) for told in api.told} == first


def test_what_exists_keeps_its_course(api: Api, planting: Callable[[], Planted]) -> None:
    api.answer = lambda told: (409, "item.code-taken") if told.body.get("code") == "A1-01" else (201, "")
    assert planting().already == 1
    assert not [path for path in api.paths() if "A1-01" in path]
    assert [path for path in api.paths() if "/id-of-B2-03/" in path]


@pytest.mark.parametrize(
    "not_yet", [(422, "unit.unknown"), (403, "judge.not-independent"), (503, ""), (429, "gateway.too-many-requests")]
)
def test_a_command_that_comes_too_early_is_given_again(
    api: Api, planting: Callable[[], Planted], not_yet: Answer
) -> None:
    def too_early_twice(told: Told) -> Answer:
        times = sum(told.key == other.key for other in api.told)
        return not_yet if told.path.endswith("/verify") and times < 3 else (201, "")

    api.answer = too_early_twice
    planted = planting()
    verdicts = {told.key for told in api.told if told.path.endswith("/verify")}
    assert len(api.told) == planted.commands + 2 * len(verdicts)


def test_a_refusal_that_is_meant_ends_the_planting_in_the_services_words(
    api: Api, planting: Callable[[], Planted]
) -> None:
    api.answer = lambda told: (422, "request.invalid") if told.path.endswith("/start") else (201, "")
    with pytest.raises(StackError, match=r"/start: 422 request\.invalid as it is"):
        planting()
    assert not [path for path in api.paths() if path.endswith("/report")]
