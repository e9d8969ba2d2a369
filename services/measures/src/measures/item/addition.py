"""How a reform item comes to be: under one measure, with an owner of its own and milestones that are told apart."""

from datetime import date
from uuid import UUID

from common.contracts.measures import Focus, ReformItemAdded
from common.decision import Change
from measures.item.domain import Item
from measures.item.milestone import PlannedMilestone
from measures.item.particulars import Schedule
from measures.item.rules import DUE_BEFORE_START, MILESTONE_NUMBER_TAKEN, OWNER_AMONG_CO_UNITS, ItemState


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
) -> Change[Item]:
    """Put an item on the list of a measure, with the milestones that are known by then.

    :raises Refused: ``item.owner-among-co-units``, ``item.due-before-start``, ``milestone.number-taken``.
    """
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
        focus=focus, planned_start_on=planned_start_on, due_on=due_on, added_on=on,
    )  # fmt: skip
    item = Item(
        id=id, version=1 + len(milestones), plan=plan, plan_starts_on=plan_starts_on, measure=measure, code=code,
        title_zh=title_zh, title_en=title_en, owner=owner, co_units=co_units, responsible_post=responsible_post,
        problem=problem, deliverable=deliverable, effect=effect, focus=focus, planned_start_on=planned_start_on,
        due_on=due_on, state=ItemState.DRAFT, since=on, claim=None,
        milestones=tuple(planned.on_the_list(on) for planned in milestones), schedule=Schedule(since=on),
    )  # fmt: skip
    return Change(item, (added, *(planned.told(id, on) for planned in milestones)), on)
