"""What a sheet changes of an item that is there: its dates and further milestones, by the decisions that move those."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from common.decision import Change, Refused, Unit
from measures.item.domain import Item
from measures.item.extension import reschedule_item
from measures.item.milestone import Milestone, PlannedMilestone
from measures.item_sheet.rules import DIFFERS, MOVED_ON, REASON_NEEDED

SETTLED: Final = (
    "measure", "title_zh", "title_en", "owner", "co_units", "responsible_post", "problem", "deliverable", "effect",
    "focus", "planned_start_on", "local_plan", "parent", "progress_basis", "tags",
)  # fmt: skip
"""What is said of an item when it is listed, and changed by no decision afterwards."""
SETTLED_OF_MILESTONE: Final = ("title_zh", "title_en", "kind", "required", "weight")


class Step(NamedTuple):
    """One decision that brings an item nearer to what a sheet says."""

    permission: str
    take: Callable[[Item], Change[Item]]


class Wanted(NamedTuple):
    """What a sheet says of an item, in the domain's words; what it leaves blank it does not speak of."""

    words: Mapping[str, Any]
    """By the fields of ``Item``."""
    milestones: tuple[PlannedMilestone, ...]
    said_of_milestones: tuple[frozenset[str], ...]
    """For each of them the fields that were said, and not only filled in."""
    reason: str | None
    codes: Mapping[UUID, str]
    """What units are called, for who reads why something is refused."""


def against(item: Item, wanted: Wanted) -> list[Refused]:
    """All that the sheet says otherwise and no decision changes; each names its field. Empty if nothing is."""
    return [*_settled(item, wanted), *_settled_milestones(item, wanted)]


def steps_to(item: Item, wanted: Wanted, *, by: Unit | None, on: date) -> list[Step]:
    """The decisions that make the item what the sheet says, in order; none if it is that already.

    :raises Refused: ``sheet.reason-needed``.
    """
    steps = []
    due_on, reason = wanted.words.get("due_on", item.due_on), wanted.reason
    if due_on != item.due_on:
        why = _reason(reason)
        steps.append(Step("item.reschedule", lambda now: reschedule_item(now, due_on=due_on, reason=why, by=by, on=on)))
    known = {milestone.number: milestone for milestone in item.milestones}
    for planned in wanted.milestones:
        if planned.number not in known:
            steps.append(Step("milestone.plan", _planning(planned, on)))
        elif planned.planned_on != known[planned.number].planned_on:
            steps.append(Step("milestone.reschedule", _moving(planned, _reason(reason), on)))
    return steps


def bring_up(item: Item, wanted: Wanted, *, by: Unit | None, on: date) -> Change[Item]:
    """All of these decisions as one change: every one of them, or none.

    :raises Refused: the first of ``against``, ``sheet.reason-needed``, and what the decisions refuse.
    """
    for refused in against(item, wanted):
        raise refused
    change = Change(item, (), on)
    for step in steps_to(item, wanted, by=by, on=on):
        after = step.take(change.state)
        change = Change(after.state, (*change.events, *after.events), on)
    return change


def _reason(reason: str | None) -> str:
    if reason is None:
        raise REASON_NEEDED(pointer="/reason")
    return reason


def _planning(planned: PlannedMilestone, on: date) -> Callable[[Item], Change[Item]]:
    return lambda item: item.plan_milestone(planned, on=on)


def _moving(planned: PlannedMilestone, reason: str, on: date) -> Callable[[Item], Change[Item]]:
    return lambda item: item.reschedule_milestone(planned.number, planned_on=planned.planned_on, reason=reason, on=on)


def _settled(item: Item, wanted: Wanted) -> Iterator[Refused]:
    words = wanted.words
    for name in SETTLED:
        if name not in words:
            continue
        now, said = getattr(item, name), words[name]
        if set(now) != set(said) if isinstance(now, tuple) else now != said:
            yield DIFFERS(pointer=f"/{name}", now=_shown(now, wanted.codes))
    due_on = words.get("due_on", item.due_on)
    if due_on != item.due_on and due_on in item.schedule.baselines:
        yield MOVED_ON(pointer="/due_on", now=item.due_on)


def _settled_milestones(item: Item, wanted: Wanted) -> Iterator[Refused]:
    known: dict[int, Milestone] = {milestone.number: milestone for milestone in item.milestones}
    for place, (planned, said) in enumerate(zip(wanted.milestones, wanted.said_of_milestones, strict=True)):
        if (now := known.get(planned.number)) is None:
            continue
        for name in SETTLED_OF_MILESTONE:
            if name in said and getattr(now, name) != getattr(planned, name):
                yield DIFFERS(pointer=f"/milestones/{place}/{name}", now=_shown(getattr(now, name), {}))
        if planned.planned_on != now.planned_on and planned.planned_on in now.baselines:
            yield MOVED_ON(pointer=f"/milestones/{place}/planned_on", now=now.planned_on)


def _shown(now: Any, codes: Mapping[UUID, str]) -> str:
    told = [str(codes.get(one, one)) for one in (now if isinstance(now, tuple) else (now,)) if one is not None]
    return " ".join(told)[:80] or "–"
