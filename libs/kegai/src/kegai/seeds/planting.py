"""Seeds go in by the public door, each command in the name of who would give it; planting twice changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

import httpx
import orjson

from kegai.language import StackError, say
from kegai.seeds.course import OFFICE, Body, course
from kegai.seeds.data import Item, Milestone, Phase, Plan, Programme, Seeds, Unit, read

TokenFor = Callable[[str, str], str]
"""From a role and a unit's code to a token."""

Thing = TypeVar("Thing")

_ADMIN = ("municipal-admin", "CQKX")
_PROGRAMMES = ("programme-manager", "CQKX-ZZ")
_ITEM = {
    *("code", "measure", "title_zh", "title_en", "owner", "co_units", "responsible_post"),
    *("problem", "deliverable", "effect", "focus", "planned_start_on", "due_on"),
}
_MILESTONE = {"number", "title_zh", "title_en", "kind", "required", "planned_on"}
_AT_ONCE = 8
_PATIENCE_SECONDS = 30.0
_BUSY = frozenset({429, 503})

# What a service says of a unit whose establishing has not reached its copy of the directory yet. The seeds know their
# units and who may judge what, so that none of these can be meant for good.
_NOT_YET = frozenset({"unit.unknown", "caller.no-unit", "item.not-owner", "item.not-found", "judge.not-independent"})


@dataclass(frozen=True)
class Planted:
    """What was planted; `already` counts the things of the list that were there before and were left as they were."""

    aspects: int
    measures: int
    units: int
    """District-level units: the ones that the coverage counts."""
    items: int
    milestones: int
    commands: int
    already: int
    sample: bool
    """Whether the items are those that come with the tool."""

    def __str__(self) -> str:
        return say(
            f"{self.aspects} 个方面 · {self.measures} 项举措 · {self.units} 个单位 · "
            f"{self.items} 项事项{'（示例数据）' if self.sample else ''} · {self.commands:,} 条命令",
            f"{self.aspects} aspects · {self.measures} measures · {self.units} units · "
            f"{self.items} items{' (sample data)' if self.sample else ''} · {self.commands:,} commands",
        )


async def plant(
    gateway: str,
    token_for: TokenFor,
    report: Callable[[str], object] = lambda _line: None,
    *,
    items: Path | None = None,
    milestones: Path | None = None,
) -> Planted:
    """Plant the scenario `baseline` through the gateway at this address, telling `report` of each part that stands.

    `items` and `milestones` take the place of the sample list. Whatever exists already under its code keeps its course;
    a planting that was broken off goes on where it stopped, for as long as the services keep idempotency keys (24 h).

    Raises:
        StackError: the files contradict themselves, or a command was refused.
    """
    seeds = read(items, milestones)
    limits = httpx.Limits(max_connections=2 * _AT_ONCE, max_keepalive_connections=2 * _AT_ONCE)
    async with httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=15, limits=limits) as http:
        door = _Door(http, token_for)
        await _units(door, seeds.units)
        report(say(f"单位 {len(seeds.units)}", f"{len(seeds.units)} units"))
        await _plan(door, seeds.plan)
        await _at_once(seeds.programmes, lambda programme: _programme(door, programme))
        report(say("方案与人才项目", "the plan and the talent programmes"))
        await _at_once(seeds.items, lambda item: _item(door, seeds.plan.code, item))
    return _planted(seeds, door, sample=items is None)


class _Door:
    """The public API, each time in the name of a role and a unit."""

    def __init__(self, http: httpx.AsyncClient, token_for: TokenFor) -> None:
        self._http = http
        self._token_for = token_for
        self._tokens: dict[tuple[str, str], str] = {}
        self.commands = 0
        self.already = 0

    async def create(self, path: str, by: tuple[str, str], body: Body, on: date) -> str | None:
        """The id of what was created; None if its code is taken, and with it its course."""
        reply = await self._post(path, by, body, on)
        if reply.status_code == 409 and str(_problem(reply).get("code")).endswith(".code-taken"):
            self.already += 1
            return None
        return str(_accepted(reply)["id"])

    async def command(self, path: str, by: tuple[str, str], body: Body, on: date) -> None:
        """One command, to be obeyed."""
        _accepted(await self._post(path, by, body, on))

    async def _post(self, path: str, by: tuple[str, str], body: Body, on: date) -> httpx.Response:
        content = orjson.dumps(
            {**{name: value for name, value in body.items() if value is not None}, "effective_on": on}
        )
        headers = {
            "Authorization": f"Bearer {self._token(by)}",
            "Content-Type": "application/json",
            # The same seed is the same command, however often it is planted; an edited one is another.
            "Idempotency-Key": str(uuid5(NAMESPACE_URL, f"urn:kegai:seed:baseline:{path}:{content.decode()}")),
        }
        deadline, pause = monotonic() + _PATIENCE_SECONDS, 0.05
        while True:
            reply = await self._sent(path, content, headers)
            if not _passing(reply) or monotonic() > deadline:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.5)
        if reply is None:
            raise StackError(f"网关无应答：POST {path}", f"The gateway does not answer: POST {path}")
        self.commands += 1
        return reply

    async def _sent(self, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response | None:
        try:
            return await self._http.post(path, content=content, headers=headers)
        except httpx.TransportError:
            return None

    def _token(self, by: tuple[str, str]) -> str:
        if by not in self._tokens:
            self._tokens[by] = self._token_for(*by)
        return self._tokens[by]


def _passing(reply: httpx.Response | None) -> bool:
    """Whether the same command may well be obeyed in a moment."""
    if reply is None or reply.status_code in _BUSY:
        return True
    return reply.is_client_error and _problem(reply).get("code") in _NOT_YET


async def _units(door: _Door, units: tuple[Unit, ...]) -> None:
    """Parents before those who belong to them."""
    known: set[str | None] = {None}
    while wave := [unit for unit in units if unit.parent in known and unit.code not in known]:
        await _at_once(wave, lambda unit: _unit(door, unit))
        known |= {unit.code for unit in wave}


async def _unit(door: _Door, unit: Unit) -> None:
    await door.create("/api/v1/units", _ADMIN, unit.model_dump(exclude={"note", "effective_on"}), unit.effective_on)


async def _plan(door: _Door, plan: Plan) -> None:
    apart = {"defined_on", "adopted_on", "issuer", "document_number", "phases"}
    phases = [phase.model_dump(exclude={"entered_on"}) for phase in plan.phases]
    body = {**plan.model_dump(exclude=apart), "phases": phases}
    if (plan_id := await door.create("/api/v1/plans", OFFICE, body, plan.defined_on)) is None:
        return
    path = f"/api/v1/plans/{plan_id}"
    adoption = {"issuer": plan.issuer, "document_number": plan.document_number}
    await door.command(f"{path}/adopt", OFFICE, adoption, plan.adopted_on)
    for phase in plan.phases:
        await _enter(door, path, phase)


async def _enter(door: _Door, path: str, phase: Phase) -> None:
    await door.command(f"{path}/phases/{phase.code}/enter", OFFICE, {}, phase.entered_on)


async def _programme(door: _Door, programme: Programme) -> None:
    body = programme.model_dump(exclude={"defined_on", "activated_on"})
    programme_id = await door.create("/api/v1/programmes", _PROGRAMMES, body, programme.defined_on)
    if programme_id is not None:
        await door.command(f"/api/v1/programmes/{programme_id}/activate", _PROGRAMMES, {}, programme.activated_on)


async def _item(door: _Door, plan: str, item: Item) -> None:
    body = {"plan": plan, **item.model_dump(include=_ITEM), "milestones": [_planned(one) for one in item.milestones]}
    item_id = await door.create("/api/v1/items", OFFICE, body, item.added_on)
    if item_id is not None:
        for step in course(item):
            await door.command(f"/api/v1/items/{item_id}/{step.path}", step.by, step.body, step.on)


def _planned(milestone: Milestone) -> dict[str, Any]:
    return {**milestone.model_dump(include=_MILESTONE), "weight": str(milestone.weight)}


async def _at_once(things: Iterable[Thing], plant_one: Callable[[Thing], Awaitable[None]]) -> None:
    """Plant the things side by side, a few at a time; the first refusal ends it."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(thing: Thing) -> None:
        async with places:
            await plant_one(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for thing in things:
                group.create_task(one(thing))
    except* StackError as refused:
        first = refused.exceptions[0]
    else:
        return
    raise first


def _accepted(reply: httpx.Response) -> dict[str, Any]:
    if reply.is_success:
        body: dict[str, Any] = reply.json()
        return body
    problem = _problem(reply)
    what = f"POST {reply.request.url.path}: {reply.status_code} {problem.get('code', '')} {problem.get('detail', '')}"
    raise StackError(f"种子数据被拒绝：{what}", f"A seed was refused: {what}")


def _problem(reply: httpx.Response) -> dict[str, Any]:
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        return {"detail": reply.text[:200]}
    problem: dict[str, Any] = reply.json()
    return problem


def _planted(seeds: Seeds, door: _Door, *, sample: bool) -> Planted:
    return Planted(
        aspects=len(seeds.plan.aspects),
        measures=len(seeds.plan.measures),
        units=sum(unit.kind in {"district", "zone"} for unit in seeds.units),
        items=len(seeds.items),
        milestones=sum(len(item.milestones) for item in seeds.items),
        commands=door.commands,
        already=door.already,
        sample=sample,
    )
