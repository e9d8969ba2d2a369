"""What going on with an item needs beyond it: the successor plan, and how the measure there stands."""

from starlette.responses import Response

from common.call import Call
from common.lanes import CONTENDED
from common.saving import Ground
from measures.continuation.continuing import continue_item, successor_of
from measures.continuation.requests import Continuation
from measures.item.rules import CONTINUED_ALREADY
from measures.item.store import is_continued, items
from measures.measure.store import measure_above
from measures.plan.domain import Plan
from measures.plan.store import on_ground


async def continue_carried(call: Call, request: Continuation) -> Response:
    """Put an item that was carried over on the successor's list; the item in its own plan stays as it is.

    :raises Refused: ``item.not-found``, ``plan.wrong-state``, ``plan.takes-no-new-items``, ``plan.unknown-measure``,
        ``effective.before-plan``, ``item.code-taken`` where the successor has an item of that code,
        ``item.continued-already`` under whatever code, and what ``continue_item`` refuses.
    """
    on = call.effective(request.effective_on)

    async def list_in(plan: Plan, ground: Ground) -> Response:
        before = (await items.load(call, request.item)).state
        if successor_of(before) != plan.code:  # it was carried over elsewhere meanwhile
            raise CONTENDED()
        measure = request.measure or before.measure
        plan.require_open_for_items(measure, on=on)
        if await is_continued(call, before.id):
            raise CONTINUED_ALREADY(pointer="/item")
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

    successor = successor_of((await items.load(call, request.item)).state)
    return await on_ground(call, successor, list_in, pointer="/item")
