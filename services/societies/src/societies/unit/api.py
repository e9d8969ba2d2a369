"""The door to association units."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from common.call import Call
from common.contracts.directory import UnitKind
from common.door import Door, needs
from common.history import History
from common.http import Cursor, Limit, Page, page
from common.store import Decided
from societies.unit import commands
from societies.unit.requests import Establishment, NewName
from societies.unit.store import list_units, units

router = APIRouter(prefix="/api/v1/units", tags=["units"], route_class=Door)


@router.post("", status_code=201, response_model=Decided, name="establish_unit")
async def establish(call: Annotated[Call, needs("unit.establish")], unit: Establishment) -> Response:
    """Enter a unit in the directory; its code is its own for good."""
    return await commands.establish(call, unit)


@router.post("/{unit_id}/rename", response_model=Decided, name="rename_unit")
async def rename(call: Annotated[Call, needs("unit.rename")], unit_id: UUID, name: NewName) -> Response:
    """The unit bears another name from the effective date on; the names before stay in its history."""
    on = call.effective(name.effective_on)
    return await units.change(
        call, unit_id, lambda unit: unit.rename(name_zh=name.name_zh, name_en=name.name_en, on=on)
    )


@router.get("", response_model=Page[units.read_model], name="list_units")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("unit.read")], kind: UnitKind | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The directory's units by code, of one kind if it is given."""
    found = await list_units(call, kind=kind, after=cursor, limit=limit)
    return page(found, limit, key=lambda unit: unit.code, show=lambda unit: units.seen(call, unit))


@router.get("/{unit_id}", response_model=units.read_model, name="read_unit")
async def read(call: Annotated[Call, needs("unit.read")], unit_id: UUID) -> Response:
    """One unit and what the caller may do next; its ETag is its version."""
    return await units.read(call, unit_id)


@router.get("/{unit_id}/history", name="read_unit_history")
async def history(call: Annotated[Call, needs("unit.read")], unit_id: UUID) -> History:
    """All that happened to the unit, its former names among it, with its hash chain checked."""
    return await units.history(call, unit_id)
