"""What giving an assurance needs beyond the assurance: that there is what is rated, and whose work it is."""

from starlette.responses import Response

from common.call import Call
from measures.assurance.domain import give_assurance
from measures.assurance.requests import AssuranceGiving
from measures.assurance.store import assurances
from measures.subject.lookup import partakers_of


async def give(call: Call, request: AssuranceGiving) -> Response:
    """Rate a measure or an item that was never rated.

    :raises Refused: as ``partakers_of`` and ``give_assurance``; ``assurance.given-already``.
    """
    on, by = call.effective(request.effective_on), call.unit
    partakers = await partakers_of(call, plan=request.plan, kind=request.subject_kind, subject=request.subject, on=on)
    told = request.model_dump(exclude={"effective_on"})
    return await assurances.create(
        call, lambda new_id: give_assurance(id=new_id, partakers=partakers, by=by, on=on, **told)
    )
