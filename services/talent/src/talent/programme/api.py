"""The door to talent programmes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from common.call import Call
from common.contracts import Code
from common.contracts.talent import Admission, Audience, ProgrammeKind
from common.door import Door, needs
from common.fields import Title
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Limit, Page, page
from common.store import Decided
from talent.programme.domain import define_programme
from talent.programme.store import list_programmes, programmes

router = APIRouter(prefix="/api/v1/programmes", tags=["programmes"], route_class=Door)


class ProgrammeDefinition(Command):
    """A programme as it is put down."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "TALENT-CLASS",
                    "kind": "training-class",
                    "name_zh": "科技英才专题研修班",
                    "name_en": "S&T elite special training class",
                    "audience": "talents",
                    "admission": "nomination",
                    "held_every_months": 12,
                    "measure": "A2",
                    "effective_on": "2022-01-10",
                }
            ]
        }
    )

    code: Code
    kind: ProgrammeKind
    name_zh: Title
    name_en: Title
    audience: Audience
    admission: Admission
    held_every_months: int = Field(ge=1, le=60)
    """The expected interval between two cohorts, in months."""
    measure: Code
    """The reform measure that the programme serves."""


@router.post("", status_code=201, response_model=Decided, name="define_programme")
async def define(call: Annotated[Call, needs("programme.define")], programme: ProgrammeDefinition) -> Response:
    """Put down a programme, as a draft; its code never changes afterwards."""
    on = call.effective(programme.effective_on)
    return await programmes.create(
        call,
        lambda new_id: define_programme(
            id=new_id,
            code=programme.code,
            kind=programme.kind,
            name_zh=programme.name_zh,
            name_en=programme.name_en,
            audience=programme.audience,
            admission=programme.admission,
            held_every_months=programme.held_every_months,
            measure=programme.measure,
            on=on,
        ),
    )


@router.post("/{programme_id}/activate", response_model=Decided, name="activate_programme")
async def activate(
    call: Annotated[Call, needs("programme.activate")], programme_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """Cohorts of the programme may be held from the effective date on."""
    on = call.effective(command.effective_on)
    return await programmes.change(call, programme_id, lambda programme: programme.activate(on=on))


@router.post("/{programme_id}/retire", response_model=Decided, name="retire_programme")
async def retire(
    call: Annotated[Call, needs("programme.retire")], programme_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """No new cohort of the programme is held from the effective date on."""
    on = call.effective(command.effective_on)
    return await programmes.change(call, programme_id, lambda programme: programme.retire(on=on))


@router.get("", response_model=Page[programmes.read_model], name="list_programmes")  # type: ignore[name-defined]
async def list_(call: Annotated[Call, needs("programme.read")], limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All programmes, by code."""
    found = await list_programmes(call, after=cursor, limit=limit)
    return page(found, limit, key=lambda one: one.code, show=lambda one: programmes.seen(call, one))


@router.get("/{programme_id}", response_model=programmes.read_model, name="read_programme")
async def read(call: Annotated[Call, needs("programme.read")], programme_id: UUID) -> Response:
    """One programme and what the caller may do next; its ETag is its version."""
    return await programmes.read(call, programme_id)


@router.get("/{programme_id}/history", name="read_programme_history")
async def history(call: Annotated[Call, needs("programme.read")], programme_id: UUID) -> History:
    """All that happened to the programme, with its hash chain checked."""
    return await programmes.history(call, programme_id)
