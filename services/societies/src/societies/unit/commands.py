"""What a unit's command needs beyond the unit: the parent that it names by its code."""

from starlette.responses import Response

from common.call import Call
from societies.unit.domain import establish_unit
from societies.unit.requests import Establishment
from societies.unit.store import parent_named, units


async def establish(call: Call, request: Establishment) -> Response:
    """Enter a unit in the directory, below its parent.

    :raises Refused: ``unit.unknown``, ``unit.code-taken``, ``unit.division-taken``, ``unit.zone-taken``,
        ``unit.municipal-taken``, and what ``establish_unit`` refuses.
    """
    on = call.effective(request.effective_on)
    parent = await parent_named(call, request.parent) if request.parent else None
    return await units.create(
        call,
        lambda new_id: establish_unit(
            id=new_id,
            code=request.code,
            kind=request.kind,
            name_zh=request.name_zh,
            name_en=request.name_en,
            parent=parent,
            division_code=request.division_code,
            zone_code=request.zone_code,
            on=on,
        ),
    )
