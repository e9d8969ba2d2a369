"""The door to plans."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from common.call import Call
from common.contracts import Code, Title
from common.contracts.measures import Aspect, Measure, Phase
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Day, Limit, Page, page
from common.store import Decided
from measures.plan.domain import define_plan
from measures.plan.store import list_plans, plans

router = APIRouter(prefix="/api/v1/plans", tags=["plans"], route_class=Door)


PLAN_SHOWN: Final[dict[str, Any]] = {
    "code": "CQ-KX-2021-2025",
    "title_zh": "科协系统深化改革实施方案",
    "title_en": "Implementation plan for the reform of the associations",
    "starts_on": "2021-01-01",
    "ends_on": "2025-12-31",
    "aspects": [{"code": "B", "name_zh": "破解组织建设难题", "name_en": "Solve problems of organisation building"}],
    "measures": [{"code": "B2", "aspect": "B", "name_zh": "优化社团布局", "name_en": "A better layout"}],
    "phases": [
        {"code": "P1", "name_zh": "部分试点", "name_en": "Pilots", "mode": "pilot",
         "starts_on": "2022-01-01", "ends_on": "2022-12-31"}
    ],
    "effective_on": "2021-12-06",
}  # fmt: skip


class AspectGiven(Aspect):
    """An aspect as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid")


class MeasureGiven(Measure):
    """A measure as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid")


class PhaseGiven(Phase):
    """A phase as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid")


class PlanDefinition(Command):
    """A plan as its document has it."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLAN_SHOWN]})

    code: Code
    title_zh: Title
    title_en: Title
    starts_on: Day
    ends_on: Day
    aspects: tuple[AspectGiven, ...] = Field(min_length=1, max_length=20)
    measures: tuple[MeasureGiven, ...] = Field(min_length=1, max_length=100)
    phases: tuple[PhaseGiven, ...] = Field(min_length=1, max_length=20)


class Adoption(Command):
    """By whom and with which document the plan was issued."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-12-20"}]
        }
    )

    issuer: Title
    document_number: Title


@router.post("", status_code=201, response_model=Decided, name="define_plan")
async def define(call: Annotated[Call, needs("plan.define")], plan: PlanDefinition) -> Response:
    """Put down a plan with its aspects, measures and phases; their codes never change afterwards."""
    on = call.effective(plan.effective_on)
    return await plans.create(
        call,
        lambda new_id: define_plan(
            id=new_id,
            code=plan.code,
            title_zh=plan.title_zh,
            title_en=plan.title_en,
            starts_on=plan.starts_on,
            ends_on=plan.ends_on,
            aspects=tuple(Aspect(**one.model_dump()) for one in plan.aspects),
            measures=tuple(Measure(**one.model_dump()) for one in plan.measures),
            phases=tuple(Phase(**one.model_dump()) for one in plan.phases),
            on=on,
        ),
    )


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


@router.get("", response_model=Page[plans.read_model], name="list_plans")  # type: ignore[name-defined]
async def list_(call: Annotated[Call, needs("plan.read")], limit: Limit = 50, cursor: Cursor = None) -> Page[Any]:
    """All plans, by code."""
    found = await list_plans(call, after=cursor or "", limit=limit)
    return page(found, limit, key=lambda plan: plan.code, show=lambda plan: plans.seen(call, plan))


@router.get("/{plan_id}", response_model=plans.read_model, name="read_plan")
async def read(call: Annotated[Call, needs("plan.read")], plan_id: UUID) -> Response:
    """One plan; its ETag is its version."""
    return await plans.read(call, plan_id)


@router.get("/{plan_id}/history", name="read_plan_history")
async def history(call: Annotated[Call, needs("plan.read")], plan_id: UUID) -> History:
    """All that happened to the plan, with its hash chain checked."""
    return await plans.history(call, plan_id)
