"""The story is told to the API act by act: it opens, chapters go on side by side, and it ends when all have ended."""

from enum import Enum, auto
from typing import Any, Final

from kegai.language import StackError
from kegai.seeds.door import Body, By, Door, at_once
from kegai.seeds.papers import paper
from kegai.seeds.story import Act, Chapter, Story

_PUT_DOWN: Final = {
    "plan": "/api/v1/plans",
    "local-plan": "/api/v1/local-plans",
    "item": "/api/v1/items",
    "continuation": "/api/v1/items/continuations",
    "evidence": "/api/v1/evidence",
    "assurance": "/api/v1/assurances",
    "risk": "/api/v1/risks",
}
"""Where each kind of thing is put down."""
_AT: Final = {**_PUT_DOWN, "continuation": "/api/v1/items", "measure": "/api/v1/measures"}
"""Where each kind of thing stands afterwards."""
_CODED: Final = {"plan", "local-plan", "item", "risk"}
"""What is known to everybody by the code that it is called by here."""
_OF_THE_PLAN: Final = {"local-plan", "item", "assurance", "risk"}
"""What is said to be of the story's plan."""
_ATTESTED: Final = {"classification": "internal", "not_a_state_secret": True}
"""What is said of every document, unless it is said otherwise."""
_REFERENCE: Final = "id of "
"""So begins a word in a body that stands for the id of a thing."""


class Telling(Enum):
    """What became of a telling."""

    TOLD = auto()
    """All of it stands, by this telling and those before it."""
    THERE_ALREADY = auto()
    """It stood before, with all that became of it."""
    HALF_THERE = auto()
    """It was broken off so long ago that what was told of it is not known again: it goes on no more."""


async def tell(door: Door, story: Story) -> Telling:
    """Tell the whole story, unless its plan is there already.

    What was told within the last day is told again under the same keys and changes nothing, so that a telling that was
    broken off goes on where it stopped. Later the plan's code is taken and nothing is told.

    Raises:
        StackError: something was refused.
    """
    teller = _Teller(door, story.plan)
    if not await teller.opens(story.opening):
        return Telling.THERE_ALREADY if await teller.finds_whole(story) else Telling.HALF_THERE
    await at_once(story.chapters, teller.tells)
    await teller.tells(story.ending)
    return Telling.TOLD


class _Teller:
    """Knows the ids of what was put down so far."""

    def __init__(self, door: Door, plan: str) -> None:
        self._door = door
        self._plan = plan
        self._ids: dict[str, str] = {}

    async def opens(self, opening: Chapter) -> bool:
        """Tell the first chapter; False if its plan, which it puts down first, is there already."""
        first, *others = opening.acts
        if not await self._puts_down(first):
            return False
        for act in others:
            await self._does(act)
        return True

    async def finds_whole(self, story: Story) -> bool:
        """Whether the plan has taken all its steps: the last of them is among the last acts of all."""
        acts = [act for act in story.acts if act.thing == story.acts[0].thing]
        plans = (await self._door.read("/api/v1/plans", acts[0].by))["items"]
        return any(plan["code"] == self._plan and plan["version"] >= len(acts) for plan in plans)

    async def tells(self, chapter: Chapter) -> None:
        """One act after the other."""
        for act in chapter.acts:
            await self._does(act)

    async def _does(self, act: Act) -> None:
        if act.step is None:
            if not await self._puts_down(act):
                raise StackError(f"{act.thing} 的代码已被占用", f"The code of {act.thing} is taken")
            return
        await self._door.command(f"{self._at(act.thing)}/{act.step}", act.by, self._resolved(act.body), act.on)
        if act.step == "revise":
            await self._learn_measures(act.by)

    async def _puts_down(self, act: Act) -> bool:
        """Whether it was: not, if its code is taken."""
        kind, _, name = act.thing.partition(" ")
        body: Body = self._resolved(act.body)
        if kind in _OF_THE_PLAN:
            body = {"plan": self._plan} | body
        if kind in _CODED:
            body = {"code": name} | body
        if kind == "evidence":
            content = paper(body["media_type"], body["title"])
            body = _ATTESTED | body | {"sha256": await self._door.send_file(act.by, content, body["media_type"])}
        found = await self._door.create(_PUT_DOWN[kind], act.by, body, act.on)
        if found is None:
            return False
        self._ids[act.thing] = found
        if name == self._plan:
            await self._learn_measures(act.by)
        return True

    async def _learn_measures(self, by: By) -> None:
        """The measures of the plan are there without being put down one by one."""
        measures = await self._door.read("/api/v1/measures", by, plan=self._plan)
        self._ids |= {f"measure {measure['code']}": measure["id"] for measure in measures["items"]}

    def _at(self, thing: str) -> str:
        return f"{_AT[thing.partition(' ')[0]]}/{self._ids[thing]}"

    def _resolved(self, said: Any) -> Any:
        """What is said, with ids for the names of things."""
        if isinstance(said, dict):
            return {name: self._resolved(one) for name, one in said.items()}
        if isinstance(said, list | tuple):
            return [self._resolved(one) for one in said]
        if isinstance(said, str) and said.startswith(_REFERENCE):
            return self._ids[said.removeprefix(_REFERENCE)]
        return said
