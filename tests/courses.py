"""A plan's course through the gateway: each step is one command, in the name of a unit, taking effect on its day."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from living import Living
from papers import send_file, sha256_of

UUID_OF_ANY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MERE_WORDS = {"title_zh", "title_en", "name_zh", "name_en", "problem", "deliverable", "effect"}
"""From which nothing follows."""


@dataclass
class Course:
    """What was put down so far, by the names that the test gives to it."""

    living: Living
    addresses: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What bears an id, by that id: units by their codes, everything else as the test names it."""
    positions: dict[str, str] = field(default_factory=dict)
    """By name, the position of the last command about it that no view was asked for yet."""

    @classmethod
    async def of(cls, living: Living) -> "Course":
        """A course on which nobody has set out; the directory's units are known."""
        async with living.client("auditor") as reader:
            units = (await reader.get("/api/v1/units", params={"limit": 200})).json()["items"]
        return cls(living, names={unit["id"]: unit["code"] for unit in units})

    def note(self, name: str, address: str) -> None:
        """Something is called so from now on."""
        self.addresses[name] = address
        self.names[self.id_of(name)] = name

    def id_of(self, name: str) -> str:
        """The id of what is called so."""
        return self.addresses[name].rpartition("/")[2]

    async def learn_measures(self, plan: str) -> None:
        """The measures that a plan has put down are called ``measure A1`` and so on."""
        for measure in (await self._read("/api/v1/measures", plan=plan))["items"]:
            self.note(f"measure {measure['code']}", f"/api/v1/measures/{measure['id']}")

    async def states(self, *names: str) -> list[str]:
        """Where these stand now."""
        return [(await self._read(self.addresses[name]))["state"] for name in names]

    async def known_since(self, name: str) -> str:
        """The instant at which the last thing about it became known."""
        instant: str = (await self._happened(name))[-1]["recorded_at"]
        return instant

    async def plan(self, code: str, **asked: str) -> dict[str, Any]:
        """The view of a plan as asked, once it knows of every command."""
        address = f"/api/v1/progress/plans/{code}"
        while self.positions:
            await self._read(address, min_position=self.positions.popitem()[1])
        plan: dict[str, Any] = (await self._read(address, **asked))["plan"]
        return plan

    async def told(self) -> str:
        """Every event by aggregate and version, one a line: what matters in it, with names for ids."""
        lines = []
        for name in self.addresses:
            if happened := await self._happened(name):
                lines += ["", name, *(self._line(event, self.id_of(name)) for event in happened)]
        return "\n".join(lines[1:]) + "\n"

    async def _happened(self, name: str) -> list[dict[str, Any]]:
        history = await self._read(f"{self.addresses[name]}/history")
        assert history["chain"] == "ok", name
        events: list[dict[str, Any]] = history["events"]
        return events

    def _line(self, event: Mapping[str, Any], own: str) -> str:
        by = f" by {self.names[event['unit']]}" if event["unit"] else ""
        said = {name: value for name, value in _what_matters(event["data"]).items() if value != own}
        words = json.dumps(said, ensure_ascii=False)
        named = UUID_OF_ANY.sub(lambda found: self.names.get(found[0], "a stranger"), words)
        return f"{event['version']:>3}  {event['effective_on']}  {event['type'].split('.', 2)[2]}{by}  {named}"

    async def _read(self, address: str, **asked: str) -> dict[str, Any]:
        async with self.living.client("auditor") as reader:
            reply = await reader.get(address, params=asked)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found


@dataclass(frozen=True)
class Person:
    """Somebody of a unit, in a role, who gives commands about what is named."""

    course: Course
    role: str
    unit: str

    async def puts_down(self, name: str, *, on: str, **words: Any) -> None:
        """Something new; the first word of its name says what it is."""
        path = _PATHS[name.partition(" ")[0]]
        reply = await self._sends(path, on, words)
        assert reply.status_code == 201, f"{name}: {reply.text}"
        self.course.note(name, reply.headers["location"])
        self.course.positions[name] = reply.json()["position"]

    async def does(self, step: str, name: str, *, on: str, **words: Any) -> None:
        """A step, which is carried out."""
        reply = await self._sends(f"{self.course.addresses[name]}/{step}", on, words)
        assert reply.status_code == 200, f"{step} {name}: {reply.text}"
        self.course.positions[name] = reply.json()["position"]

    async def cannot(self, step: str, name: str, *, code: str, on: str, **words: Any) -> None:
        """A step, which is refused with this code."""
        reply = await self._sends(f"{self.course.addresses[name]}/{step}", on, words)
        assert reply.status_code >= 400, f"{step} {name} was carried out"
        assert reply.json()["code"] == code, reply.text

    async def registers(self, name: str, file: bytes, *, as_proof_of: tuple[str, int], on: str, **words: Any) -> None:
        """A file is sent, and put on record as proof of a milestone of an item."""
        item, number = as_proof_of
        kind = "image/png" if file.startswith(b"\x89PNG") else "application/pdf"
        async with self._client() as client:
            assert (await send_file(client, file, content_type=kind)).status_code == 201
        link = {"kind": "milestone", "id": self.course.id_of(item), "number": number}
        record = {"sha256": sha256_of(file), "media_type": kind, "title": name.partition(" ")[2], "links": [link]}
        attested = {"classification": "internal", "not_a_state_secret": True}
        await self.puts_down(name, on=on, **record, **attested, **words)

    async def _sends(self, path: str, on: str, words: Mapping[str, Any]) -> httpx.Response:
        async with self._client() as client:
            return await client.post(path, json={**words, "effective_on": on})

    def _client(self) -> httpx.AsyncClient:
        return self.course.living.client(self.role, self.unit)


@dataclass(frozen=True)
class We:
    """Whoever has a part in it, each in the name of a unit."""

    course: Course
    office: Person
    judge: Person
    lead: Person
    lead_as_judge: Person
    societies: Person
    science: Person
    yubei: Person

    @classmethod
    def of(cls, course: Course) -> "We":
        """All of them, in units that the directory knows."""
        return cls(
            course,
            office=Person(course, "reform-office", "CQKX-BG"),
            judge=Person(course, "reform-office", "CQKX-ZZ"),
            lead=Person(course, "measure-lead", "CQKX-CX"),
            lead_as_judge=Person(course, "reform-office", "CQKX-CX"),
            societies=Person(course, "unit-reporter", "CQKX-XH"),
            science=Person(course, "unit-reporter", "CQKX-KP"),
            yubei=Person(course, "unit-reporter", "KX-YUBEI"),
        )


_PATHS = {
    "plan": "/api/v1/plans",
    "local-plan": "/api/v1/local-plans",
    "item": "/api/v1/items",
    "continuation": "/api/v1/items/continuations",
    "evidence": "/api/v1/evidence",
}


def _what_matters(said: Any) -> Any:
    """What was said, without what was left open and without mere words."""
    if isinstance(said, list):
        return [_what_matters(one) for one in said]
    if isinstance(said, dict):
        told = {name: _what_matters(one) for name, one in said.items() if name not in MERE_WORDS}
        return {name: one for name, one in told.items() if one not in (None, [], {})}
    return said


def figures_of(plan: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Of the plan, its aspects and its measures by code: items, milestones (counted, reported, verified), progress
    (reported, verified) and the same in the original scope."""
    yield plan["code"], _figures(plan)
    for aspect in plan["aspects"]:
        yield aspect["code"], _figures(aspect)
        yield from ((measure["code"], _figures(measure)) for measure in aspect["measures"])


def _figures(part: Mapping[str, Any]) -> tuple[Any, ...]:
    milestones = tuple(part["milestones"][name] for name in ("counted", "reported", "verified"))
    shares = [tuple(part[scope][name] for name in ("reported", "verified")) for scope in ("progress", "original_scope")]
    return part["items"], milestones, *shares


def by_state(plan: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Of each measure, the states in which there is an item."""
    measures = [measure for aspect in plan["aspects"] for measure in aspect["measures"]]
    return {one["code"]: {state: count for state, count in one["by_state"].items() if count} for one in measures}


def ratings_of(plan: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """How each measure of a plan is rated, its gap, how much of it is overdue and by how many days at most."""
    measures = [measure for aspect in plan["aspects"] for measure in aspect["measures"]]
    return [
        (one["rated"]["rating"], one["expected"]["gap"], one["overdue"]["count"], one["overdue"]["days"])
        for one in measures
    ]
