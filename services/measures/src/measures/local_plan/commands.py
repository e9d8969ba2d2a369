"""What a local plan's command needs beyond it: the municipal plan that it maps to, and whether its items have ended."""

from collections.abc import Callable
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.decision import Change
from common.saving import Ground
from measures.local_plan.domain import LocalPlan, draft_local_plan
from measures.local_plan.requests import LocalPlanDraft, LocalReason, Redraft
from measures.local_plan.store import items_of, local_plans
from measures.plan.domain import Plan
from measures.plan.store import on_ground, plan_named


async def draft(call: Call, request: LocalPlanDraft) -> Response:
    """The caller's unit puts down its plan.

    :raises Refused: ``plan.unknown``, ``plan.wrong-state``, ``plan.takes-no-new-items``, ``plan.unknown-measure``,
        ``effective.before-plan``, and what ``draft_local_plan`` refuses.
    """
    on, by = call.effective(request.effective_on), call.unit

    async def draft_in(plan: Plan, ground: Ground) -> Response:
        for place, measure in enumerate(request.measures):
            plan.require_open_for_items(measure, on=on, pointer=f"/measures/{place}")
        return await local_plans.create(
            call,
            lambda new_id: draft_local_plan(
                request.as_drafted(),
                id=new_id,
                plan=plan.code,
                plan_starts_on=plan.starts_on,
                plan_ends_on=plan.ends_on,
                code=request.code,
                by=by,
                on=on,
            ),
            ground=ground,
        )

    return await on_ground(call, request.plan, draft_in)


async def redraft(call: Call, local_plan_id: UUID, request: Redraft) -> Response:
    """The unit puts its plan in other words.

    :raises Refused: ``local-plan.not-found``, as ``draft``, and what ``LocalPlan.redraft`` refuses.
    """
    on = call.effective(request.effective_on)
    plan = await plan_named(call, (await local_plans.load(call, local_plan_id)).state.plan)
    for place, measure in enumerate(request.measures):
        plan.require_open_for_items(measure, on=on, pointer=f"/measures/{place}")
    return await local_plans.change(
        call,
        local_plan_id,
        lambda local: local.redraft(
            request.as_drafted(), plan_starts_on=plan.starts_on, plan_ends_on=plan.ends_on, by=call.unit, on=on
        ),
    )


async def close(call: Call, local_plan_id: UUID, request: LocalReason) -> Response:
    """The plan is over; none of its items is open.

    :raises Refused: ``local-plan.not-found``, and what ``LocalPlan.close`` refuses.
    """
    on = call.effective(request.effective_on)

    async def look(own: Call) -> Callable[[LocalPlan], Change[LocalPlan]]:
        still_open, settled_on = await items_of(own, (await local_plans.load(own, local_plan_id)).state.code)
        return lambda local: local.close(
            reason=request.reason, still_open=still_open, settled_on=settled_on, by=call.caller_unit, on=on
        )

    return await local_plans.change_in_turn(call, local_plan_id, look)
