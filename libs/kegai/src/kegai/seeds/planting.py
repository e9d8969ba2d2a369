"""Seeds go in by the public door, each command in the name of who would give it; planting twice changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kegai.language import say
from kegai.seeds.course import OFFICE, course, listing
from kegai.seeds.data import Item, Phase, Plan, Programme, Seeds, Unit, read
from kegai.seeds.door import Door, TokenFor, at_once
from kegai.seeds.story import read_story
from kegai.seeds.telling import Telling, tell

Report = Callable[[str], object]
"""Is told of each part that stands."""

_ADMIN = ("municipal-admin", "CQKX")
_PROGRAMMES = ("programme-manager", "CQKX-ZZ")


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
    report: Report = lambda _line: None,
    *,
    items: Path | None = None,
    milestones: Path | None = None,
) -> Planted:
    """Plant the scenario `baseline` through the gateway at this address, telling `report` of each part that stands.

    `items` and `milestones` take the place of the sample list and of the story. Whatever exists already under its code
    keeps its course; a planting that was broken off goes on where it stopped, for as long as the services keep
    idempotency keys (24 h).

    Raises:
        StackError: the files contradict themselves, or a command was refused.
    """
    seeds = read(items, milestones)
    with Door(gateway, token_for) as door:
        await _units(door, seeds.units)
        report(say(f"单位 {len(seeds.units)}", f"{len(seeds.units)} units"))
        await _plan(door, seeds.plan)
        await at_once(seeds.programmes, lambda programme: _programme(door, programme))
        report(say("方案与人才项目", "the plan and the talent programmes"))
        await at_once(
            [_list_of_items] if items else [_list_of_items, _story], lambda plant_all: plant_all(door, seeds, report)
        )
    return _planted(seeds, door, sample=items is None)


async def _units(door: Door, units: tuple[Unit, ...]) -> None:
    """Parents before those who belong to them."""
    known: set[str | None] = {None}
    while wave := [unit for unit in units if unit.parent in known and unit.code not in known]:
        await at_once(wave, lambda unit: _unit(door, unit))
        known |= {unit.code for unit in wave}


async def _unit(door: Door, unit: Unit) -> None:
    await door.create("/api/v1/units", _ADMIN, unit.model_dump(exclude={"note", "effective_on"}), unit.effective_on)


async def _plan(door: Door, plan: Plan) -> None:
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


async def _enter(door: Door, path: str, phase: Phase) -> None:
    await door.command(f"{path}/phases/{phase.code}/enter", OFFICE, {}, phase.entered_on)


async def _programme(door: Door, programme: Programme) -> None:
    body = programme.model_dump(exclude={"defined_on", "activated_on"})
    programme_id = await door.create("/api/v1/programmes", _PROGRAMMES, body, programme.defined_on)
    if programme_id is not None:
        await door.command(f"/api/v1/programmes/{programme_id}/activate", _PROGRAMMES, {}, programme.activated_on)


async def _list_of_items(door: Door, seeds: Seeds, report: Report) -> None:
    await at_once(seeds.items, lambda item: _item(door, seeds.plan.code, item))
    report(say(f"事项 {len(seeds.items)}", f"{len(seeds.items)} items"))


async def _story(door: Door, _seeds: Seeds, report: Report) -> None:
    """It has a plan of its own, so that both may be planted at once."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    told = await tell(door, read_story().until(today))
    if told is Telling.TOLD:
        report(say("三家单位、两个部门的经过", "the story of three units and two departments"))
    if told is Telling.HALF_THERE:
        report(
            say(
                "三家单位、两个部门的经过只讲了一部分，且已中断一天以上，不再续讲：kegai reset 后kegai up 从头讲起",
                "the story of three units and two departments is half told: it was broken off more than a day ago and "
                "goes on no more; kegai reset and kegai up tell it anew",
            )
        )


async def _item(door: Door, plan: str, item: Item) -> None:
    item_id = await door.create("/api/v1/items", OFFICE, {"plan": plan, **listing(item)}, item.added_on)
    if item_id is not None:
        for step in course(item):
            await door.command(f"/api/v1/items/{item_id}/{step.path}", step.by, step.body, step.on)


def _planted(seeds: Seeds, door: Door, *, sample: bool) -> Planted:
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
