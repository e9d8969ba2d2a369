"""Things of every noun in every state, put into a database so that a request finds one on which it can act."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from builders import (
    UNITS,
    a_closed_item,
    a_closed_plan,
    a_draft_item,
    a_plan,
    a_plan_in_final_evaluation,
    a_plan_in_force,
    an_item_in_progress,
    call_of,
)
from common.contracts.measures import PlanAdopted
from common.decision import Change
from common.roles import ROLES, permissions_of
from common.store import Aggregates
from measures.evidence.store import evidences
from measures.item.domain import Item
from measures.item.store import items
from measures.local_plan.store import local_plans
from measures.measure.domain import measure_id
from measures.measure.lead import MeasureAbove
from measures.measure.store import measures
from measures.plan.domain import Plan
from measures.plan.store import plans
from nouns import NOUNS
from papers import verified_evidence
from putting_down import a_launched_measure

ALL_ROLES: Final = frozenset(ROLES)
"""Of somebody who may do anything that anybody may; whose things it may be done to, the unit still decides."""
_LONG_AGO: Final = date(2021, 2, 1)


@dataclass(frozen=True)
class Found:
    """Something on which a request can act, and the code of the unit that may do so."""

    noun: str
    state: Any
    unit: str
    path: Mapping[str, str]
    """What stands for the further parameters in the path."""


@dataclass(frozen=True)
class Planted:
    """What was put down, and the words by which a request may name it and what stands beside it."""

    id: UUID
    words: Mapping[str, Any] = field(default_factory=dict)
    """By the name of a field in a body."""


@dataclass
class Planter:
    """Puts things into one database, each once and each under codes of its own."""

    pool: asyncpg.Pool
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def find(self, method: str, path: str) -> Found | None:
        """What fits a request, one after the other if several do; None where its path names nothing of a noun."""
        if not (fitting := _fitting(method, path)):
            return None
        self._asked[method, path] += 1
        return fitting[self._asked[method, path] % len(fitting)]

    async def plant(self, found: Found) -> Planted:
        """A new thing in this state, with all that stands above and beside it."""
        return await _PLANTING.get(found.noun, Planter._alone)(self, found)

    async def keep(self, store: Aggregates[Any], state: Any) -> UUID:
        """The id of a thing that is kept as it is, with one event, whatever that tells."""
        told = PlanAdopted(plan=state.id, issuer="机关", document_number="1", adopted_on=_LONG_AGO)
        call = call_of(self.pool, permission=store.to_see, permissions=permissions_of(ALL_ROLES))
        await store.create(call, lambda _: Change(replace(state, version=1), (told,), _LONG_AGO))
        kept: UUID = state.id
        return kept

    async def keep_plan(self, state: Plan, **changed: Any) -> Plan:
        """A plan that is kept as it is, under a code of its own if none is given."""
        told: dict[str, Any] = {"id": uuid4(), "code": f"P-{next(self._numbers)}"} | changed
        kept = replace(state, **told)
        await self.keep(plans, kept)
        return kept

    async def keep_item(self, plan: Plan, state: Item | None = None, **changed: Any) -> UUID:
        """An item of a plan; in progress unless a state is given."""
        return await self.keep(items, replace(state or an_item_in_progress(), id=uuid4(), plan=plan.code, **changed))

    async def _alone(self, found: Found) -> Planted:
        changed = {"id": uuid4(), "code": f"N-{next(self._numbers)}"}
        changed |= {"parent": None} if hasattr(found.state, "parent") else {}
        return Planted(await self.keep(NOUNS[found.noun].store, replace(found.state, **changed)))

    async def _plan(self, found: Found) -> Planted:
        plan = await self.keep_plan(found.state)
        return Planted(plan.id, {"parent": "A", "successor": None})

    async def _local_plan(self, found: Found) -> Planted:
        plan = await self.keep_plan(a_plan_in_force())
        state = replace(found.state, id=uuid4(), plan=plan.code, code=f"N-{next(self._numbers)}")
        return Planted(await self.keep(local_plans, state), {"measures": ["A1"]})

    async def _measure(self, found: Found) -> Planted:
        measure = found.state
        put_down = a_closed_plan if measure.put_down.closed else a_plan_in_force
        plan = await self.keep_plan((put_down if measure.put_down.adopted_on else a_plan)())
        ended = a_closed_item if measure.work.unfinished == 0 else an_item_in_progress
        await self.keep_item(plan, (ended if measure.work.started else a_draft_item)())
        kept = replace(measure, id=measure_id(plan.id, measure.code), plan=plan.code)
        if measure.version:
            await self.keep(measures, kept)
        return Planted(kept.id, {"lead_unit": "YB", "co_units": [], "reviewers": ["SOC"]})

    async def _item(self, found: Found) -> Planted:
        above: MeasureAbove = found.state.above
        ending = a_plan_in_final_evaluation if above.plan_in_final_evaluation else a_plan_in_force
        plan = await self.keep_plan(ending())
        if above != MeasureAbove():
            led = replace(a_launched_measure(), leads=above.leads, state=above.state)
            await self.keep(measures, replace(led, id=measure_id(plan.id, led.code), plan=plan.code))
        await self.keep_item(plan, code="A1-02")
        return Planted(await self.keep_item(plan, found.state), {"into": "A1-02", "successor": "PLAN-2", "number": 3})

    async def _evidence(self, found: Found) -> Planted:
        plan = await self.keep_plan(a_plan_in_force())
        item, other = await self.keep_item(plan), await self.keep_item(plan, code="A1-02")
        links = tuple(link.model_copy(update={"id": item}) for link in found.state.links)
        successor = await self.keep(evidences, replace(verified_evidence(), id=uuid4(), links=links))
        words = {"id": str((item, other)[next(self._numbers) % 2]), "number": 1, "successor": str(successor)}
        return Planted(await self.keep(evidences, replace(found.state, id=uuid4(), links=links)), words)

    async def _about_an_item(self, found: Found) -> Planted:
        plan = await self.keep_plan(a_plan_in_force())
        await self.keep_item(plan)
        return Planted(await self.keep(NOUNS[found.noun].store, replace(found.state, id=uuid4(), plan=plan.code)))


_PLANTING: Final[Mapping[str, Callable[[Planter, Found], Awaitable[Planted]]]] = {
    "plan": Planter._plan,
    "local-plan": Planter._local_plan,
    "measure": Planter._measure,
    "item": Planter._item,
    "evidence": Planter._evidence,
    "assurance": Planter._about_an_item,
    "risk": Planter._about_an_item,
}


@cache
def _fitting(method: str, path: str) -> tuple[Found, ...]:
    """Every thing on which a request can act, by every unit that may."""
    for name, noun in NOUNS.items():
        if told := re.fullmatch(rf"{noun.store.at}/{{\w+_id}}(?:/(.+))?", path):
            below = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", told[1] or "")
            return tuple(_acting(name, below) if method == "POST" else _reading(name))
    return ()


def _acting(noun: str, below: str) -> Iterator[Found]:
    for state in NOUNS[noun].states.values():
        for code, unit in UNITS.items():
            for _, step, against in state.steps(unit):
                if against is None and (fits := re.fullmatch(below, step)):
                    yield Found(noun, state, code, fits.groupdict())


def _reading(noun: str) -> Iterator[Found]:
    for state in NOUNS[noun].states.values():
        yield Found(noun, state, "CQ", {})
