"""Seeds are read from files that a person can edit; what contradicts itself is named with its row, not planted."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from kegai.language import StackError

FOLDER = Path(__file__).parent


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Row(_Given):
    """A row of a CSV file: an empty cell is an absent value."""

    note: str | None = None
    """For the reader of the file; "示例数据 sample" marks sample data. It is not sent."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, cells: dict[str, str]) -> dict[str, str]:
        return {name: cell for name, cell in cells.items() if cell}


class Unit(_Row):
    """A unit of the directory, by our own code that is never reused."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    parent: str | None = None
    division_code: str | None = None
    zone_code: str | None = None
    effective_on: date


class Programme(_Given):
    """A talent programme, and the days on which it was put down and put to work."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    audience: str
    admission: str
    held_every_months: int
    measure: str
    defined_on: date
    activated_on: date


class Aspect(_Given):
    """An aspect of the plan."""

    code: str
    name_zh: str
    name_en: str


class Measure(Aspect):
    """A key measure, under one aspect."""

    aspect: str


class Phase(Aspect):
    """A phase of the plan, and the day on which it was entered."""

    mode: str
    starts_on: date
    ends_on: date
    entered_on: date


class Plan(_Given):
    """The plan, and the days on which it was put down and adopted."""

    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    defined_on: date
    adopted_on: date
    issuer: str
    document_number: str
    aspects: tuple[Aspect, ...]
    measures: tuple[Measure, ...]
    phases: tuple[Phase, ...]


class Milestone(_Row):
    """A milestone and its course: a day that is absent has not come."""

    item: str
    number: int
    title_zh: str
    title_en: str
    kind: str
    required: bool
    weight: Decimal
    planned_on: date
    attained_on: date | None = None
    reported_on: date | None = None
    report_note: str | None = None
    returned_on: date | None = None
    return_reason: str | None = None
    reported_again_on: date | None = None
    verified_on: date | None = None
    rescheduled_on: date | None = None
    rescheduled_to: date | None = None
    reschedule_reason: str | None = None
    cancelled_on: date | None = None
    cancel_reason: str | None = None
    cancel_authority: str | None = None

    def course(self) -> list[date]:
        """The days of its report and of what followed, in the order in which these steps can only come."""
        return _days(self.reported_on, self.returned_on, self.reported_again_on, self.verified_on)


class Item(_Row):
    """A reform item and its course, judged by the department `verifier`."""

    code: str
    measure: str
    title_zh: str
    title_en: str
    owner: str
    co_units: Annotated[tuple[str, ...], BeforeValidator(str.split)] = ()
    responsible_post: str | None = None
    problem: str
    deliverable: str
    effect: str
    focus: str
    planned_start_on: date
    due_on: date
    added_on: date
    assigned_on: date | None = None
    acknowledged_on: date | None = None
    started_on: date | None = None
    reported_done_on: date | None = None
    claim: str | None = None
    returned_on: date | None = None
    return_reason: str | None = None
    reported_again_on: date | None = None
    closed_on: date | None = None
    verifier: str
    milestones: Annotated[tuple[Milestone, ...], Field(exclude=True)] = ()

    def opening(self) -> list[date | None]:
        """The days from being added to being started."""
        return [self.added_on, self.assigned_on, self.acknowledged_on, self.started_on]


@dataclass(frozen=True)
class Seeds:
    """Everything that is planted."""

    units: tuple[Unit, ...]
    plan: Plan
    programmes: tuple[Programme, ...]
    items: tuple[Item, ...]


def read(items: Path | None = None, milestones: Path | None = None) -> Seeds:
    """The seeds, with a list of items and milestones of one's own in place of the sample if both files are given.

    Raises:
        StackError: a cell cannot be read, or an item contradicts itself; all that is wrong is named at once.
    """
    if (items is None) != (milestones is None):
        raise StackError("须同时给出事项与节点两个文件。", "Give both files, the items and their milestones.")
    item_rows = rows_of(items or FOLDER / "items.csv", Item)
    milestone_rows = rows_of(milestones or FOLDER / "milestones.csv", Milestone)
    by_item = {item.code: tuple(row for row in milestone_rows if row.item == item.code) for item in item_rows}
    seeds = Seeds(
        units=tuple(rows_of(FOLDER / "units.csv", Unit)),
        plan=Plan.model_validate(yaml.safe_load((FOLDER / "plan.yaml").read_text(encoding="utf-8"))),
        programmes=tuple(
            Programme.model_validate(one)
            for one in yaml.safe_load((FOLDER / "programmes.yaml").read_text(encoding="utf-8"))
        ),
        items=tuple(item.model_copy(update={"milestones": by_item[item.code]}) for item in item_rows),
    )
    faults = [*_strays(milestone_rows, by_item), *(fault for item in seeds.items for fault in _faults(item, seeds))]
    if faults:
        raise StackError("\n".join(zh for zh, _ in faults), "\n".join(en for _, en in faults))
    return seeds


Fault = tuple[str, str]
"""What is wrong, in Chinese and in English."""


def _strays(milestones: Iterable[Milestone], by_item: dict[str, tuple[Milestone, ...]]) -> Iterator[Fault]:
    for milestone in milestones:
        if milestone.item not in by_item:
            yield _fault(milestone.item, "节点所属事项不存在", "a milestone belongs to no item")


def _faults(item: Item, seeds: Seeds) -> Iterator[Fault]:
    units = {unit.code: unit for unit in seeds.units}
    named = [item.owner, *item.co_units]
    for code in [*named, item.verifier]:
        if code not in units:
            yield _fault(item.code, f"没有单位 {code}", f"there is no unit {code}")
    if item.measure not in {measure.code for measure in seeds.plan.measures}:
        yield _fault(item.code, f"没有举措 {item.measure}", f"there is no measure {item.measure}")
    if {item.verifier, units[item.verifier].parent if item.verifier in units else None}.intersection(named):
        yield _fault(item.code, "审定单位不独立", "whoever verifies belongs to the owner or a co-unit")
    if not any(milestone.required and milestone.cancelled_on is None for milestone in item.milestones):
        yield _fault(item.code, "没有必备节点", "it has no required milestone")
    if item.added_on < seeds.plan.adopted_on:
        yield _fault(item.code, "早于方案印发", "it was added before the plan was adopted")
    yield from _disorder(item)


def _disorder(item: Item) -> Iterator[Fault]:
    opening = item.opening()
    done = _days(item.reported_done_on, item.returned_on, item.reported_again_on, item.closed_on)
    events = [day for milestone in item.milestones for day in milestone.course()]
    if None in opening and any([*opening[opening.index(None) :], *done, *events]):
        yield _fault(item.code, "中间步骤缺日期", "a step has no day while a later one has")
    sequence = _days(*opening, *done)
    if sequence != sorted(sequence) or any(day < _days(*opening)[-1] for day in events):
        yield _fault(item.code, "步骤日期先后颠倒", "a step comes before its predecessor")
    if item.closed_on and any(m.required and not (m.verified_on or m.cancelled_on) for m in item.milestones):
        yield _fault(item.code, "销号时仍有节点未审定", "it is closed with a required milestone not verified")
    for milestone in item.milestones:
        course = milestone.course()
        if course != sorted(course) or (course and (milestone.attained_on or date.max) > course[0]):
            where = f"{item.code}/{milestone.number}"
            yield _fault(where, "节点日期先后颠倒", "its days are not in order")


def _fault(where: str, zh: str, en: str) -> Fault:
    return f"{where}：{zh}。", f"{where}: {en}."


def _days(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]


Kind = TypeVar("Kind", bound=_Row)


def rows_of(path: Path, kind: type[Kind]) -> list[Kind]:
    """The rows of a CSV file in UTF-8, with or without the mark that spreadsheets put first."""
    found: list[Kind] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, cells in enumerate(csv.DictReader(file), start=2):
            try:
                found.append(kind.model_validate(cells))
            except ValidationError as error:
                raise _unreadable(path, line, error.errors(include_url=False)[0]) from error
    return found


def _unreadable(path: Path, line: int, error: Any) -> StackError:
    column = ".".join(str(part) for part in error["loc"]) or "?"
    return StackError(
        f"{path.name} 第 {line} 行，列 {column}：{error['msg']}",
        f"{path.name}, row {line}, column {column}: {error['msg']}",
    )
