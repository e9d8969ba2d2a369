"""What an item's command needs beyond the item: the plan that it stands in, and the directory of units."""

from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.decision import Change
from common.directory import Directory
from common.http import Command
from common.saving import Ground
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.ending import cancel_item, carry_over_item, merge_item
from measures.item.requests import CarryOver, ItemAddition, Merger, ReasonWithAuthority
from measures.item.rules import LOCAL_PLAN_ELSEWHERE
from measures.item.store import is_continued, item_named, items
from measures.local_plan.store import local_plan_named
from measures.measure.lead import MeasureAbove
from measures.measure.store import measure_above
from measures.plan.domain import Plan
from measures.plan.rules import PlanState
from measures.plan.store import on_ground, plan_named

AS_THEY_ARE: Final = "SELECT FROM item WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
"""Items that take no step until the turn is over."""
JOINED_ON: Final = """
SELECT max(other.since) FROM item JOIN item other USING (plan)
WHERE item.id = $1 AND other.state = 'merged' AND other.ending->>'into' = $1::text
"""
NOBODY_GOES_ON: Final = "UPDATE plan SET version = version WHERE code = $1"
"""The plan that is no longer to go on with an item lists nothing until the turn is over."""
OVER: Final = (PlanState.FINAL_EVALUATION, PlanState.CLOSED)
"""Plans in these states take no items."""


async def add(call: Call, directory: Directory, request: ItemAddition) -> Response:
    """Put an item on the list of one measure of an adopted plan.

    :raises Refused: ``plan.unknown``, and what ``addition`` and its decision refuse.
    """

    async def list_in(plan: Plan, ground: Ground) -> Response:
        return await items.create(call, await addition(call, directory, request, plan=plan), ground=ground)

    return await on_ground(call, request.plan, list_in)


async def addition(
    call: Call,
    directory: Directory,
    request: ItemAddition,
    *,
    plan: Plan,
    parent: Item | None = None,
    above: MeasureAbove | None = None,
) -> Callable[[UUID], Change[Item]]:
    """The decision to put an item on the list, under an id that is still to be given; all that it needs is looked up.

    :param parent: the item that it is to be part of, for who knows it already.
    :param above: how its measure stands, for who knows it already.
    :raises Refused: ``plan.wrong-state``, ``plan.unknown-measure``, ``effective.before-plan``,
        ``unit.unknown``, ``local-plan.unknown``, ``local-plan.wrong-state``, ``local-plan.unknown-measure``,
        ``local-plan.owner-outside``, ``local-plan.due-outside``, ``effective.before-predecessor``,
        ``item.local-plan-elsewhere``, ``item.unknown``; the decision what ``add_item`` refuses.
    """
    on = call.effective(request.effective_on)
    plan.require_open_for_items(request.measure, on=on)
    owner = await directory.unit(request.owner, pointer="/owner")
    co_units = [await directory.unit(code, pointer=f"/co_units/{n}") for n, code in enumerate(request.co_units)]
    if request.local_plan:
        local_plan = await local_plan_named(call, request.local_plan)
        if local_plan.plan != plan.code:
            raise LOCAL_PLAN_ELSEWHERE(pointer="/local_plan")
        local_plan.require_open_for_items(request.measure, owner=owner, due_on=request.due_on, on=on)
    if request.parent and parent is None:
        parent = await item_named(call, plan.code, request.parent, pointer="/parent")
    above = above or await measure_above(call, plan.code, request.measure)
    return lambda new_id: add_item(
        id=new_id,
        plan=plan.code,
        plan_starts_on=plan.starts_on,
        measure=request.measure,
        code=request.code,
        title_zh=request.title_zh,
        title_en=request.title_en,
        owner=owner.id,
        co_units=tuple(unit.id for unit in co_units),
        responsible_post=request.responsible_post,
        problem=request.problem,
        deliverable=request.deliverable,
        effect=request.effect,
        focus=request.focus,
        planned_start_on=request.planned_start_on,
        due_on=request.due_on,
        milestones=tuple(one.as_planned() for one in request.milestones),
        on=on,
        local_plan=request.local_plan,
        parent=parent,
        progress_basis=request.progress_basis,
        tags=request.tags,
        above=above,
    )


async def close(call: Call, item_id: UUID, request: Command) -> Response:
    """Judge an item done and strike it off.

    :raises Refused: ``item.not-found``, and what ``Item.close`` refuses.
    """
    on, joined_on = call.effective(request.effective_on), await _joined_on(call, item_id)
    # No turn for what happens to every item: all that is being listed in the plan would have to be looked at again.
    return await items.change(call, item_id, lambda item: item.close(by=call.unit, on=on, joined_on=joined_on))


async def cancel(call: Call, item_id: UUID, request: ReasonWithAuthority) -> Response:
    """Give an item up.

    :raises Refused: ``item.not-found``, and what ``cancel_item`` refuses.
    """
    on, why = call.effective(request.effective_on), {"reason": request.reason, "authority": request.authority}

    async def look(own: Call) -> Callable[[Item], Change[Item]]:
        joined_on = await _joined_on(own, item_id)
        return lambda item: cancel_item(item, **why, by=call.caller_unit, on=on, joined_on=joined_on)

    return await items.change_in_turn(call, item_id, look)


async def merge(call: Call, item_id: UUID, request: Merger) -> Response:
    """Merge an item into another of its plan, which is looked up by its code.

    :raises Refused: ``item.not-found``, ``item.unknown``, and what ``merge_item`` refuses.
    """
    on, why = call.effective(request.effective_on), {"reason": request.reason, "authority": request.authority}

    async def look(own: Call) -> Callable[[Item], Change[Item]]:
        plan = (await items.load(own, item_id)).state.plan
        into = await item_named(own, plan, request.into, pointer="/into")
        await own.service.pool.execute(AS_THEY_ARE, [item_id, into.id])
        into = await item_named(own, plan, request.into, pointer="/into")
        joined_on = await _joined_on(own, item_id)
        return lambda item: merge_item(item, into=into, **why, by=call.caller_unit, on=on, joined_on=joined_on)

    return await items.change_in_turn(call, item_id, look)


async def carry_over(call: Call, item_id: UUID, request: CarryOver) -> Response:
    """Carry an item over into a successor plan, which is looked up by its code.

    :raises Refused: ``item.not-found``, ``plan.unknown``, and what ``carry_over_item`` refuses.
    """
    on, why = call.effective(request.effective_on), {"reason": request.reason, "authority": request.authority}

    async def look(own: Call) -> Callable[[Item], Change[Item]]:
        before = (await items.load(own, item_id)).state
        if before.ending and before.ending.successor:
            await own.service.pool.execute(NOBODY_GOES_ON, before.ending.successor)
        plan, joined_on = await plan_named(own, before.plan), await _joined_on(own, item_id)
        successor = await plan_named(own, request.successor, pointer="/successor")
        continued = await is_continued(own, item_id)
        return lambda item: carry_over_item(
            item,
            successor=successor.code,
            plan_since=plan.since,
            fit=successor.ends_on > plan.ends_on and successor.state not in OVER,
            continued=continued,
            **why,
            by=call.caller_unit,
            on=on,
            joined_on=joined_on,
        )

    return await items.change_in_turn(call, item_id, look)


async def _joined_on(call: Call, item_id: UUID) -> date | None:
    """The day on which another item was merged into this one last: what it does for two does not end before that."""
    found: date | None = await call.service.pool.fetchval(JOINED_ON, item_id)
    return found
