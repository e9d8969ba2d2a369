"""What a command of evidence needs beyond it: its file, what it proves, and the document that takes its place."""

from datetime import date
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.contracts.measures import Proven
from common.decision import EFFECTIVE_BEFORE_PLAN, Kind, Refusal, Refused, must_follow
from common.files import Files
from measures.evidence.domain import register
from measures.evidence.file import name_of, require_taken_in
from measures.evidence.requests import Link, OneLink, Registration, Succession
from measures.evidence.rules import SUCCESSOR_UNFIT
from measures.evidence.store import evidences
from measures.item.store import items
from measures.measure.store import measures
from measures.subject.partakers import Partakers

PROVES_UNKNOWN = Refusal(
    "evidence.proves-unknown",
    zh="未找到所要佐证的节点、事项或举措",
    en="There is no such milestone, item or measure to prove",
    kind=Kind.INVALID,
)


async def register_evidence(call: Call, files: Files, request: Registration) -> Response:
    """Put a document on record whose file was sent before.

    :raises Refused: ``evidence.no-such-file``, ``evidence.uploaded-long-ago``, ``evidence.proves-unknown``,
        ``effective.before-plan``, ``effective.before-predecessor``, ``files.away``, ``caller.no-unit``,
        and what ``register`` refuses.
    """
    on, unit = call.effective(request.effective_on), call.unit
    name = name_of(unit.id, request.sha256, request.media_type)
    kept = await require_taken_in(call, files, name)
    partakers = [await _partakers(call, one, f"/links/{number}", on=on) for number, one in enumerate(request.links)]
    return await evidences.create(
        call,
        lambda new_id: register(
            id=new_id,
            file=name,
            sha256=request.sha256,
            size_bytes=kept.size_bytes,
            media_type=request.media_type,
            title=request.title,
            document_number=request.document_number,
            issuer=request.issuer,
            issued_on=request.issued_on,
            classification=request.classification,
            redacted=request.redacted,
            not_a_state_secret=request.not_a_state_secret,
            links=tuple(one.told() for one in request.links),
            partakers=tuple(partakers),
            by=unit,
            on=on,
        ),
    )


async def link(call: Call, evidence_id: UUID, request: OneLink) -> Response:
    """It is to prove one thing more, which is there.

    :raises Refused: ``evidence.proves-unknown``, ``effective.before-plan``, ``effective.before-predecessor``, and what
        ``Evidence.link`` refuses.
    """
    on = call.effective(request.effective_on)
    await _partakers(call, request, "", on=on)
    return await evidences.change(
        call, evidence_id, lambda evidence: evidence.link(request.told(), by=call.unit, on=on)
    )


async def supersede(call: Call, evidence_id: UUID, request: Succession) -> Response:
    """Another document takes its place.

    :raises Refused: ``evidence.successor-unfit`` if there is none, and what ``Evidence.supersede`` refuses.
    """
    on = call.effective(request.effective_on)
    try:
        successor = (await evidences.load(call, request.successor)).state
    except Refused as refused:
        raise _elsewhere(refused, SUCCESSOR_UNFIT, "/successor") from None
    return await evidences.change(
        call, evidence_id, lambda evidence: evidence.supersede(successor, by=call.unit, on=on)
    )


async def _partakers(call: Call, one: Link, at: str, *, on: date) -> Partakers:
    """Whose work that is which is to be proven: the caller may know of it, it is there, and was by then."""
    if (one.kind is Proven.MILESTONE) != (one.number is not None):
        raise PROVES_UNKNOWN(pointer=f"{at}/kind")
    try:
        if one.kind is Proven.MEASURE:
            measure = (await measures.load(call, one.id)).state
            if not measure.version:
                raise PROVES_UNKNOWN(pointer=f"{at}/id")  # nothing was done about it yet
            _require_begun(on, measure.put_down.starts_on)
            must_follow(on, measure.put_down.binds_from or on)
            return Partakers(measure.work.units, measure.leads)
        item = (await items.load(call, one.id)).state
        if one.number is not None:
            item.milestone(one.number)
    except Refused as refused:
        raise _elsewhere(refused, PROVES_UNKNOWN, f"{at}/{'id' if one.number is None else 'number'}") from None
    _require_begun(on, item.plan_starts_on)
    must_follow(on, item.added_on)
    return Partakers((item.owner, *item.co_units), item.above.leads)


def _require_begun(on: date, starts_on: date) -> None:
    if on < starts_on:
        raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=starts_on)


def _elsewhere(refused: Refused, instead: Refusal, pointer: str) -> Refused:
    """A body that names what is not there is at fault, and the address that was asked is not."""
    return instead(pointer=pointer) if refused.refusal.kind is Kind.ABSENT else refused
