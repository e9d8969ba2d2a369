"""How a successor plan goes on with an item: an item of its own there, with what was left unfinished and no more."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from common.decision import Change, Refusal, must_follow
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.milestone import Milestone, MilestoneState, PlannedMilestone
from measures.item.rules import ItemState
from measures.measure.lead import MeasureAbove

NOT_CARRIED_OVER = Refusal(
    "item.not-carried-over",
    zh="事项 {code} 未结转，不能在接续方案中列入",
    en="The item {code} was not carried over: no other plan goes on with it",
)
LOCAL_NOT_CONTINUED = Refusal(
    "item.local-not-continued",
    zh="地方事项须列入单位自己的新方案",
    en="An item of a local plan goes on in a new plan of its unit, on whose list it is put anew",
)
UNFINISHED = (MilestoneState.PLANNED, MilestoneState.REPORTED)


def successor_of(item: Item) -> str:
    """The plan that goes on with an item, by its code.

    :raises Refused: ``item.not-carried-over``, ``item.local-not-continued``.
    """
    if item.state is not ItemState.CARRIED_OVER or item.ending is None or item.ending.successor is None:
        raise NOT_CARRIED_OVER(pointer="/item", code=item.code)
    if item.local_plan is not None:
        raise LOCAL_NOT_CONTINUED(pointer="/item")
    return item.ending.successor


def continue_item(
    before: Item,
    *,
    id: UUID,  # noqa: A002 - the trade's word
    plan_starts_on: date,
    measure: str,
    code: str,
    planned_start_on: date,
    due_on: date,
    above: MeasureAbove,
    on: date,
) -> Change[Item]:
    """The successor's item: of the same owner and words, a draft, with the milestones that were not verified.

    One that was planned for a day before work begins anew is planned for the day on which the item is due.

    :raises Refused: as ``successor_of`` and ``add_item``, ``effective.before-predecessor``.
    """
    plan = successor_of(before)
    must_follow(on, before.since)
    return add_item(
        id=id,
        plan=plan,
        plan_starts_on=plan_starts_on,
        measure=measure,
        code=code,
        title_zh=before.title_zh,
        title_en=before.title_en,
        owner=before.owner,
        co_units=before.co_units,
        responsible_post=before.responsible_post,
        problem=before.problem,
        deliverable=before.deliverable,
        effect=before.effect,
        focus=before.focus,
        planned_start_on=planned_start_on,
        due_on=due_on,
        milestones=tuple(_anew(m, planned_start_on, due_on) for m in before.milestones if m.state in UNFINISHED),
        on=on,
        progress_basis=before.progress_basis,
        tags=before.tags,
        continues=before.id,
        above=above,
    )


def _anew(milestone: Milestone, planned_start_on: date, due_on: date) -> PlannedMilestone:
    planned = PlannedMilestone(**milestone.words())
    return planned if planned.planned_on >= planned_start_on else replace(planned, planned_on=due_on)
