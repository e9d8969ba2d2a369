"""What an item's command needs beyond the item: the plan that it stands in, and the directory of units."""

from starlette.responses import Response

from common.call import Call
from common.directory import Directory
from measures.item.addition import add_item
from measures.item.requests import ItemAddition
from measures.item.store import items
from measures.plan.store import plan_named


async def add(call: Call, directory: Directory, request: ItemAddition) -> Response:
    """Put an item on the list of one measure of an adopted plan.

    :raises Refused: ``plan.unknown``, ``plan.wrong-state``, ``plan.unknown-measure``, ``effective.before-plan``,
        ``unit.unknown``, and what ``add_item`` refuses.
    """
    on = call.effective(request.effective_on)
    plan = await plan_named(call, request.plan)
    plan.require_open_for_items(request.measure, on=on)
    owner = await directory.unit(request.owner, pointer="/owner")
    co_units = [await directory.unit(code, pointer=f"/co_units/{n}") for n, code in enumerate(request.co_units)]
    return await items.create(
        call,
        lambda new_id: add_item(
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
        ),
    )
