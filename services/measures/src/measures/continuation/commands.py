"""What going on with an item needs beyond it: the successor plan, and how the measure there stands."""

from starlette.responses import Response

from common.call import Call
from measures.continuation.continuing import continue_item, successor_of
from measures.continuation.requests import Continuation
from measures.item.store import items
from measures.measure.store import measure_above
from measures.plan.store import ground_named


async def continue_carried(call: Call, request: Continuation) -> Response:
    """Put an item that was carried over on the successor's list; the item in its own plan stays as it is.

    :raises Refused: ``item.not-found``, ``plan.wrong-state``, ``plan.takes-no-new-items``, ``plan.unknown-measure``,
        ``effective.before-plan``, ``item.code-taken`` where the successor has an item of that code,
        ``item.continued-already`` where it goes on with this one under another, and what ``continue_item`` refuses.
    """
    on = call.effective(request.effective_on)
    before = (await items.load(call, request.item)).state
    plan, ground = await ground_named(call, successor_of(before), pointer="/item")
    measure = request.measure or before.measure
    plan.require_open_for_items(measure, on=on)
    above = await measure_above(call, plan.code, measure)
    return await items.create(
        call,
        lambda new_id: continue_item(
            before,
            id=new_id,
            plan_starts_on=plan.starts_on,
            measure=measure,
            code=request.code or before.code,
            planned_start_on=request.planned_start_on,
            due_on=request.due_on,
            above=above,
            on=on,
        ),
        ground=ground,
    )
