"""An item's course as the commands that its people gave, each on its day and never before the one it builds on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kegai.seeds.data import Item, Milestone
from kegai.seeds.door import Body, By

OFFICE = ("reform-office", "CQKX-BG")
"""Who lists items, assigns them and moves their dates: the reform office, sample data like all departments."""

_ITEM = {
    *("code", "measure", "title_zh", "title_en", "owner", "co_units", "responsible_post"),
    *("problem", "deliverable", "effect", "focus", "planned_start_on", "due_on"),
}
_MILESTONE = {"number", "title_zh", "title_en", "kind", "required", "planned_on"}


@dataclass(frozen=True)
class Step:
    """One command on an item: its path below the item, in whose name (role and unit), with what, on which day."""

    on: date
    path: str
    by: By
    body: Body


def listing(item: Item) -> Body:
    """The item as it is put on the list of its plan, with its milestones."""
    milestones = [{**one.model_dump(include=_MILESTONE), "weight": str(one.weight)} for one in item.milestones]
    return {**item.model_dump(include=_ITEM), "milestones": milestones}


def course(item: Item) -> list[Step]:
    """The steps after the item was added, in the order of their days; within a day as their rules ask for."""
    steps = [*_opening(item), *(step for one in item.milestones for step in _milestone(item, one)), *_end(item)]
    return sorted(steps, key=lambda step: step.on)  # a stable sort: what was yielded first stays first


def _opening(item: Item) -> Iterator[Step]:
    if item.assigned_on:
        yield Step(item.assigned_on, "assign", OFFICE, {})
    if item.acknowledged_on:
        yield Step(item.acknowledged_on, "acknowledge", _owner(item), {})
    if item.started_on:
        yield Step(item.started_on, "start", _owner(item), {})


def _milestone(item: Item, one: Milestone) -> Iterator[Step]:
    path = f"milestones/{one.number}"
    if one.rescheduled_on:
        body: Body = {"planned_on": one.rescheduled_to, "reason": one.reschedule_reason}
        yield Step(one.rescheduled_on, f"{path}/reschedule", OFFICE, body)
    if one.cancelled_on:
        body = {"reason": one.cancel_reason, "authority": one.cancel_authority}
        yield Step(one.cancelled_on, f"{path}/cancel", OFFICE, body)
    report: Body = {"attained_on": one.attained_on, "note": one.report_note}
    if one.reported_on:
        yield Step(one.reported_on, f"{path}/report", _owner(item), report)
    if one.returned_on:
        yield Step(one.returned_on, f"{path}/return", _judge(item), {"reason": one.return_reason})
    if one.reported_again_on:
        yield Step(one.reported_again_on, f"{path}/report", _owner(item), report)
    if one.verified_on:
        yield Step(one.verified_on, f"{path}/verify", _judge(item), {})


def _end(item: Item) -> Iterator[Step]:
    claim: Body = {"claim": item.claim}
    if item.reported_done_on:
        yield Step(item.reported_done_on, "report-done", _owner(item), claim)
    if item.returned_on:
        yield Step(item.returned_on, "return", _judge(item), {"reason": item.return_reason})
    if item.reported_again_on:
        yield Step(item.reported_again_on, "report-done", _owner(item), claim)
    if item.closed_on:
        yield Step(item.closed_on, "close", _judge(item), {})


def _owner(item: Item) -> By:
    return "unit-reporter", item.owner


def _judge(item: Item) -> By:
    return "reform-office", item.verifier
