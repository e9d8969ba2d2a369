"""What a plan's command needs beyond the plan: one of the same code, the items of a measure, what is still open."""

from collections.abc import Callable
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.contracts.measures import Aspect, Measure, Phase, Siblings
from common.decision import Change
from measures.plan.domain import Plan, define_plan
from measures.plan.requests import Closing, PlanDefinition, Weighting
from measures.plan.rules import NEEDS_REVISION
from measures.plan.store import checklist_of, item_codes, plan_known, plan_named, plans


async def define(call: Call, request: PlanDefinition) -> Response:
    """Put down a plan; what one of the same code does not have yet is put into that one by a revision alone.

    :raises Refused: ``plan.needs-revision``, ``plan.code-taken``, and what ``define_plan`` refuses.
    """
    on = call.effective(request.effective_on)
    known = await plan_known(call, request.code)

    def decide(new_id: UUID) -> Change[Plan]:
        if known and (added := {one.code for one in request.measures} - {one.code for one in known.measures}):
            raise NEEDS_REVISION(code=known.code, added=", ".join(sorted(added)))
        return define_plan(
            id=new_id,
            code=request.code,
            title_zh=request.title_zh,
            title_en=request.title_en,
            starts_on=request.starts_on,
            ends_on=request.ends_on,
            aspects=tuple(Aspect(**one.model_dump()) for one in request.aspects),
            measures=tuple(Measure(**one.model_dump()) for one in request.measures),
            phases=tuple(Phase(**one.model_dump()) for one in request.phases),
            on=on,
        )

    return await plans.create(call, decide)


async def set_weights(call: Call, plan_id: UUID, request: Weighting) -> Response:
    """Weight all siblings below one parent anew; where items are the siblings, those that count on the list now.

    :raises Refused: ``plan.not-found``, and what ``Plan.set_weights`` refuses.
    """
    on = call.effective(request.effective_on)
    items: frozenset[str] = frozenset()
    if request.siblings is Siblings.ITEMS:
        plan = (await plans.load(call, plan_id)).state
        items = await item_codes(call, plan.code, request.parent)
    return await plans.change(
        call,
        plan_id,
        lambda plan: plan.set_weights(request.siblings, request.parent, request.as_told(), items=items, on=on),
    )


async def close(call: Call, plan_id: UUID, request: Closing) -> Response:
    """The plan is over: nothing in it is open, and with what was carried over its successor goes on.

    :raises Refused: ``plan.not-found``, ``plan.unknown`` where there is no such successor, and what ``Plan.close``
        refuses.
    """
    on = call.effective(request.effective_on)
    if request.successor:
        await plan_named(call, request.successor, pointer="/successor")

    async def look(own: Call) -> Callable[[Plan], Change[Plan]]:
        checklist = await checklist_of(own, (await plans.load(own, plan_id)).state.code)
        return lambda plan: plan.close(checklist, successor=request.successor, on=on)

    return await plans.change_in_turn(call, plan_id, look)
