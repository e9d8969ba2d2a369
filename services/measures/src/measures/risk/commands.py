"""What raising a risk needs beyond the risk: that there is what it threatens, and the unit that answers for it."""

from starlette.responses import Response

from common.call import Call
from common.directory import Directory
from measures.risk.domain import raise_risk
from measures.risk.requests import RiskGiven
from measures.risk.store import risks
from measures.subject.lookup import partakers_of


async def raise_(call: Call, directory: Directory, request: RiskGiven) -> Response:
    """Put a risk to a measure or an item on record.

    :raises Refused: as ``partakers_of``; ``unit.unknown``, ``risk.code-taken``.
    """
    on = call.effective(request.effective_on)
    partakers = await partakers_of(call, plan=request.plan, kind=request.subject_kind, subject=request.subject, on=on)
    owner = await directory.unit(request.owner, pointer="/owner")
    told = request.model_dump(exclude={"effective_on", "owner"})
    return await risks.create(
        call, lambda new_id: raise_risk(id=new_id, owner=owner.id, partakers=partakers, on=on, **told)
    )
