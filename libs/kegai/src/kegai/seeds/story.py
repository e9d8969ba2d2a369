"""The story is read from files that a person can edit: who did what to which thing, on which day, in which words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from kegai.language import StackError
from kegai.seeds.course import OFFICE, course, listing
from kegai.seeds.data import Item, Milestone, rows_of
from kegai.seeds.door import Body, By

FOLDER = Path(__file__).parent / "story"

STORY = "SF-2021-2025"
"""The code of its plan."""
OPENING, ENDING = "opening", "ending"
"""The chapters before and after those of the units, which are told side by side and are called by their codes."""


class StoryItem(Item):
    """An item of the story's plan; one of a local plan may be part of a municipal one."""

    local_plan: str | None = None
    parent: str | None = None
    progress_basis: str = "milestones"
    tags: Annotated[tuple[str, ...], BeforeValidator(str.split)] = ()


class _Line(BaseModel):
    """A line of a chapter: something new is put down, or a step is taken about what was put down before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    by: str
    new: str | None = None
    do: str | None = None
    of: str | None = None
    say: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "_Line":
        if (self.new is None) == (self.do is None) or (self.do is None) != (self.of is None):
            raise ValueError("either new, or do and of")
        return self


@dataclass(frozen=True)
class Act:
    """One command: about which thing, called by its kind and name, in whose name, with what, on which day."""

    on: date
    by: By
    thing: str
    step: str | None
    """Its path below the thing; None puts the thing down."""
    body: Body


@dataclass(frozen=True)
class Chapter:
    """What happened, in the order of days."""

    name: str
    title_zh: str
    title_en: str
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Story:
    """A plan of its own: it opens, each of its units has a chapter, and all come together at its end."""

    plan: str
    """Its code."""
    opening: Chapter
    chapters: tuple[Chapter, ...]
    ending: Chapter

    @property
    def acts(self) -> tuple[Act, ...]:
        """All of it, chapter by chapter."""
        return tuple(act for one in (self.opening, *self.chapters, self.ending) for act in one.acts)

    def until(self, day: date) -> "Story":
        """As far as it has come by the end of that day: no service takes in what is still to come."""

        def so_far(chapter: Chapter) -> Chapter:
            return replace(chapter, acts=tuple(act for act in chapter.acts if act.on <= day))

        return Story(self.plan, so_far(self.opening), tuple(map(so_far, self.chapters)), so_far(self.ending))


def read_story(folder: Path = FOLDER) -> Story:
    """The story as its files have it.

    Raises:
        StackError: a line cannot be read, names nobody of the cast, or something that nobody has put down.
    """
    cast, items = read_cast(folder), _items(folder)
    names = [OPENING, *dict.fromkeys(item.owner for item in items), ENDING]
    opening, *chapters, ending = (_chapter(folder / f"{name}.yaml", cast, items) for name in names)
    plan = next(act.thing for act in opening.acts if act.step is None)
    story = Story(plan.partition(" ")[2], opening, tuple(chapters), ending)
    known = {act.thing for act in story.acts if act.step is None}
    if strays := sorted({act.thing for act in story.acts if not act.thing.startswith("measure ")} - known):
        raise StackError(f"未曾列入：{', '.join(strays)}", f"Nobody has put these down: {', '.join(strays)}")
    return story


def read_cast(folder: Path = FOLDER) -> dict[str, By]:
    """Who may act, by name: somebody in every role of the table."""
    return {name: (one["role"], one["unit"]) for name, one in _yaml(folder / "cast.yaml").items()}


def _items(folder: Path) -> list[StoryItem]:
    milestones = rows_of(folder / "milestones.csv", Milestone)
    return [
        item.model_copy(update={"milestones": tuple(one for one in milestones if one.item == item.code)})
        for item in rows_of(folder / "items.csv", StoryItem)
    ]


def _chapter(path: Path, cast: dict[str, By], items: Iterable[StoryItem]) -> Chapter:
    """What the file tells, with what the items' rows tell of whoever the chapter is about, in the order of days."""
    told = _yaml(path)
    acts = [_act(path, number, line, cast) for number, line in enumerate(told["steps"], 1)]
    if path.stem == OPENING:
        acts += [_listed(item) for item in items if item.local_plan is None]
    acts += [act for item in items if item.owner == path.stem for act in _course(item)]
    in_order = sorted(acts, key=lambda act: act.on)  # a stable sort: what was told first stays first
    return Chapter(path.stem, told["title_zh"], told["title_en"], tuple(in_order))


def _act(path: Path, number: int, line: Any, cast: dict[str, By]) -> Act:
    try:
        one = _Line.model_validate(line)
        by = cast[one.by]
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise StackError(f"{path.name} 第 {number} 条：{said}", f"{path.name}, step {number}: {said}") from error
    except KeyError as nobody:
        raise StackError(
            f"{path.name} 第 {number} 条：没有 {nobody}", f"{path.name}, step {number}: who is {nobody}?"
        ) from None
    return Act(one.day, by, one.new or one.of or "", one.do, one.say)


def _course(item: StoryItem) -> Iterator[Act]:
    if item.local_plan is not None:
        yield _listed(item)
    for step in course(item):
        yield Act(step.on, step.by, f"item {item.code}", step.path, step.body)


def _listed(item: StoryItem) -> Act:
    body = listing(item) | item.model_dump(include={"local_plan", "parent", "progress_basis", "tags"})
    return Act(item.added_on, OFFICE, f"item {item.code}", None, body)


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
