"""How a reform item comes to be: under one measure, with an owner of its own and milestones that are told apart."""

from datetime import date
from uuid import UUID

from common.contracts.measures import Focus, ItemTag, ProgressBasis, ReformItemAdded
from common.decision import Change, must_follow
from measures.item.domain import Item
from measures.item.milestone import PlannedMilestone
from measures.item.particulars import Schedule
from measures.item.rules import (
    DUE_BEFORE_START,
    LOCAL_BY_LOCAL,
    MILESTONE_NUMBER_TAKEN,
    OWNER_AMONG_CO_UNITS,
    PARENT_BY_MILESTONES,
    PARENT_ELSEWHERE,
    PARENT_ENDED,
    PARENT_OF_MUNICIPAL,
    TERMINAL,
    ItemState,
)
from measures.measure.lead import MeasureAbove
from measures.measure.rules import TAKES_NO_ITEMS, UNDER_JUDGEMENT


def add_item(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    plan: str,
    plan_starts_on: date,
    measure: str,
    code: str,
    title_zh: str,
    title_en: str,
    owner: UUID,
    co_units: tuple[UUID, ...],
    responsible_post: str | None,
    problem: str,
    deliverable: str,
    effect: str,
    focus: Focus,
    planned_start_on: date,
    due_on: date,
    milestones: tuple[PlannedMilestone, ...],
    on: date,
    local_plan: str | None = None,
    parent: Item | None = None,
    progress_basis: ProgressBasis = ProgressBasis.MILESTONES,
    tags: tuple[ItemTag, ...] = (),
    continues: UUID | None = None,
    above: MeasureAbove = MeasureAbove(),  # noqa: B008 - a value like any other default
) -> Change[Item]:
    """Put an item on the list of a measure, with the milestones that are known by then.

    :raises Refused: ``measure.takes-no-items``, ``item.owner-among-co-units``, ``item.due-before-start``,
        ``milestone.number-taken``, ``item.local-by-local``, ``item.parent-of-municipal``, ``item.parent-elsewhere``,
        ``item.parent-by-milestones``, ``item.parent-ended``, ``effective.before-predecessor``.
    """
    if above.state in UNDER_JUDGEMENT:
        raise TAKES_NO_ITEMS(pointer="/measure", state=above.state)
    must_follow(on, above.returned_on or on)  # before that day it was before the judges, and took none
    if local_plan and progress_basis is ProgressBasis.LOCAL_ITEMS:
        raise LOCAL_BY_LOCAL(pointer="/progress_basis")
    if parent:
        _must_take(parent, plan=plan, measure=measure, local_plan=local_plan)
        must_follow(on, parent.added_on)
    if owner in co_units:
        raise OWNER_AMONG_CO_UNITS(pointer="/co_units")
    if due_on < planned_start_on:
        raise DUE_BEFORE_START(pointer="/due_on")
    numbers = [planned.number for planned in milestones]
    for position, number in enumerate(numbers):
        if number in numbers[:position]:
            raise MILESTONE_NUMBER_TAKEN(pointer=f"/milestones/{position}/number", number=number)
    added = ReformItemAdded(
        item=id, plan=plan, measure=measure, code=code, title_zh=title_zh, title_en=title_en, owner=owner,
        co_units=co_units, responsible_post=responsible_post, problem=problem, deliverable=deliverable, effect=effect,
        focus=focus, planned_start_on=planned_start_on, due_on=due_on, local_plan=local_plan,
        parent=parent.id if parent else None, progress_basis=progress_basis,
        tags=tuple(dict.fromkeys(tags)), continues=continues, added_on=on,
    )  # fmt: skip
    item = Item(
        id=id, version=1 + len(milestones), plan=plan, plan_starts_on=plan_starts_on, measure=measure, code=code,
        title_zh=title_zh, title_en=title_en, owner=owner, co_units=co_units, responsible_post=responsible_post,
        problem=problem, deliverable=deliverable, effect=effect, focus=focus, planned_start_on=planned_start_on,
        due_on=due_on, added_on=on, state=ItemState.DRAFT, since=on, claim=None,
        milestones=tuple(planned.on_the_list(on) for planned in milestones), schedule=Schedule(since=on),
        local_plan=local_plan, parent=added.parent, progress_basis=progress_basis, tags=added.tags,
        continues=continues, above=above,
    )  # fmt: skip
    return Change(item, (added, *(planned.told(id, on) for planned in milestones)), on)


def _must_take(parent: Item, *, plan: str, measure: str, local_plan: str | None) -> None:
    """Refuse a parent whose figures this item could not be part of."""
    if local_plan is None:
        raise PARENT_OF_MUNICIPAL(pointer="/parent")
    if (parent.plan, parent.measure, parent.local_plan) != (plan, measure, None):
        raise PARENT_ELSEWHERE(pointer="/parent")
    if parent.progress_basis is not ProgressBasis.LOCAL_ITEMS:
        raise PARENT_BY_MILESTONES(pointer="/parent")
    if parent.state in TERMINAL:
        raise PARENT_ENDED(pointer="/parent", state=parent.state)
