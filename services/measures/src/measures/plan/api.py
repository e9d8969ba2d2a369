"""The door to plans."""

from dataclasses import asdict
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from common.call import Call
from common.contracts import Code
from common.contracts.measures import Method, Thresholds
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Limit, Page, page
from common.store import Decided
from measures.item.rules import STEPS as ITEM_STEPS
from measures.item.store import items
from measures.local_plan.rules import STEPS_FROM as LOCAL_PLAN_STEPS_FROM
from measures.local_plan.rules import LocalPlanState
from measures.local_plan.store import local_plans
from measures.plan import commands
from measures.plan.checklist import OpenKind, StillOpen
from measures.plan.requests import (
    Adoption,
    Closing,
    PlanDefinition,
    PolicyAdoption,
    PutRight,
    Revision,
    Weighting,
)
from measures.plan.store import checklist_of, list_plans, plans

router = APIRouter(prefix="/api/v1/plans", tags=["plans"], route_class=Door)


class StillOpenShown(BaseModel):
    """Something that keeps the plan open, and where to go on with it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kind: OpenKind
    id: UUID
    code: str
    state: str
    address: str = Field(examples=["/api/v1/items/0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f"])
    steps: tuple[str, ...] = Field(examples=[["return", "close", "cancel", "carry-over"]])
    """What begins in this state, as paths relative to the address; whose steps they are, a read of it tells."""


class ClosingChecklist(BaseModel):
    """What has to be settled before the plan can be closed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    plan: str
    state: str
    open_count: int
    """How many there are in all; the list has the first 200 of them by code."""
    open: tuple[StillOpenShown, ...]
    carried_over: tuple[str, ...]
    """The codes of the items with which a successor goes on."""
    successors: tuple[str, ...]
    """The plans into which they were carried over: closing names it, so all have to be carried into one."""
    settled_on: date | None
    """The day on which the last of what ended did so: the plan is not closed before it."""


@router.post("", status_code=201, response_model=Decided, name="define_plan")
async def define(call: Annotated[Call, needs("plan.define")], plan: PlanDefinition) -> Response:
    """Put down a plan with its aspects, measures and phases; their codes never change afterwards."""
    return await commands.define(call, plan)


@router.post("/{plan_id}/adopt", response_model=Decided, name="adopt_plan")
async def adopt(call: Annotated[Call, needs("plan.adopt")], plan_id: UUID, adoption: Adoption) -> Response:
    """The plan was issued: from then on it binds, and items may be put on its list."""
    on = call.effective(adoption.effective_on)
    return await plans.change(
        call,
        plan_id,
        lambda plan: plan.adopt(issuer=adoption.issuer, document_number=adoption.document_number, on=on),
    )


@router.post("/{plan_id}/phases/{code}/enter", response_model=Decided, name="enter_phase")
async def enter_phase(
    call: Annotated[Call, needs("plan.enter-phase")], plan_id: UUID, code: Code, command: Command = JUST_DO_IT
) -> Response:
    """A phase begins; with the first one the plan is in force."""
    on = call.effective(command.effective_on)
    return await plans.change(call, plan_id, lambda plan: plan.enter_phase(code, on=on))


@router.post("/{plan_id}/revise", response_model=Decided, name="revise_plan")
async def revise(call: Annotated[Call, needs("plan.revise")], plan_id: UUID, revision: Revision) -> Response:
    """Add aspects, measures or phases, or call them differently, for a reason and by an authority."""
    on, diff = call.effective(revision.effective_on), revision.diff.as_told()
    return await plans.change(
        call,
        plan_id,
        lambda plan: plan.revise(diff, reason=revision.reason, authority=revision.authority, on=on),
    )


@router.post("/{plan_id}/weights", response_model=Decided, name="set_weights")
async def set_weights(call: Annotated[Call, needs("plan.set-weights")], plan_id: UUID, weights: Weighting) -> Response:
    """Weight all siblings below one parent anew, from the effective date on."""
    return await commands.set_weights(call, plan_id, weights)


@router.post("/{plan_id}/scoring-policy", response_model=Decided, name="adopt_scoring_policy")
async def adopt_policy(
    call: Annotated[Call, needs("plan.adopt-policy")], plan_id: UUID, policy: PolicyAdoption
) -> Response:
    """From the effective date on progress is scored and rated this way; the policies before stay in force before it."""
    on = call.effective(policy.effective_on)
    return await plans.change(
        call,
        plan_id,
        lambda plan: plan.adopt_policy(
            method=Method.model_validate(policy.method.model_dump()),
            thresholds=Thresholds.model_validate(policy.thresholds.model_dump()),
            evidence_from=policy.evidence_from,
            on=on,
        ),
    )


@router.post("/{plan_id}/start-final-evaluation", response_model=Decided, name="start_final_evaluation")
async def start_final_evaluation(
    call: Annotated[Call, needs("plan.start-final-evaluation")], plan_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """The plan is evaluated for the last time; from now on it takes no new items."""
    on = call.effective(command.effective_on)
    return await plans.change(call, plan_id, lambda plan: plan.start_final_evaluation(on=on))


@router.get("/{plan_id}/closing-checklist", name="read_closing_checklist")
async def closing_checklist(call: Annotated[Call, needs("plan.check")], plan_id: UUID) -> ClosingChecklist:
    """Everything in the plan that has neither ended nor been carried over, and where to go on with it."""
    plan = (await plans.load(call, plan_id)).state
    found = await checklist_of(call, plan.code)
    return ClosingChecklist(
        plan=plan.code,
        state=plan.state,
        open_count=found.open_count,
        open=tuple(_shown(one) for one in found.open),
        carried_over=tuple(one.code for one in found.carried),
        successors=tuple(sorted({one.successor for one in found.carried})),
        settled_on=found.settled_on,
    )


def _shown(one: StillOpen) -> StillOpenShown:
    if one.kind is OpenKind.ITEM:
        at, steps = items.at, [step for step, (states, _) in ITEM_STEPS.items() if one.state in states]
    else:
        at, steps = local_plans.at, list(LOCAL_PLAN_STEPS_FROM[LocalPlanState(one.state)])
    return StillOpenShown(**asdict(one), address=f"{at}/{one.id}", steps=tuple(steps))


@router.post("/{plan_id}/close", response_model=Decided, name="close_plan")
async def close(call: Annotated[Call, needs("plan.close")], plan_id: UUID, closing: Closing) -> Response:
    """The plan is over: all that the checklist names has ended, or goes on in the successor."""
    return await commands.close(call, plan_id, closing)


@router.post("/{plan_id}/amend", response_model=Decided, name="amend_closed_plan")
async def amend(call: Annotated[Call, needs("plan.amend")], plan_id: UUID, right: PutRight) -> Response:
    """Put something about a closed plan right, by an authority; it stays closed."""
    on = call.effective(right.effective_on)
    return await plans.change(call, plan_id, lambda plan: plan.amend(what=right.what, authority=right.authority, on=on))


@router.get("", response_model=Page[plans.read_model], name="list_plans")  # type: ignore[name-defined]
async def list_(call: Annotated[Call, needs("plan.read")], limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All plans, by code."""
    found = await list_plans(call, after=cursor, limit=limit)
    return page(found, limit, key=lambda plan: plan.code, show=lambda plan: plans.seen(call, plan))


@router.get("/{plan_id}", response_model=plans.read_model, name="read_plan")
async def read(call: Annotated[Call, needs("plan.read")], plan_id: UUID) -> Response:
    """One plan; its ETag is its version."""
    return await plans.read(call, plan_id)


@router.get("/{plan_id}/history", name="read_plan_history")
async def history(call: Annotated[Call, needs("plan.read")], plan_id: UUID) -> History:
    """All that happened to the plan, with its hash chain checked."""
    return await plans.history(call, plan_id)
