"""What a command of evidence needs beyond it: its file, what it proves, and the document that takes its place."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from common.call import Call
from common.contracts.measures import EvidenceLink, Proven
from common.decision import Kind, Refusal, Refused
from common.files import Files
from measures.evidence.domain import register
from measures.evidence.file import name_of, require_taken_in
from measures.evidence.requests import Link, OneLink, Registration, Succession
from measures.evidence.rules import SUCCESSOR_UNFIT
from measures.evidence.store import evidences
from measures.item.store import items

PROVES_UNKNOWN = Refusal(
    "evidence.proves-unknown",
    zh="未找到所要佐证的节点、事项或举措",
    en="There is no such milestone, item or measure to prove",
    kind=Kind.INVALID,
)


class Ground(NamedTuple):
    """What evidence is linked to, and who did that."""

    links: tuple[EvidenceLink, ...]
    parties: frozenset[UUID]


async def register_evidence(call: Call, files: Files, request: Registration) -> Response:
    """Put a document on record whose file was sent before.

    :raises Refused: ``evidence.no-such-file``, ``evidence.uploaded-long-ago``, ``evidence.proves-unknown``,
        ``files.away``, ``caller.no-unit``, and what ``register`` refuses.
    """
    on, unit = call.effective(request.effective_on), call.unit
    name = name_of(unit.id, request.sha256, request.media_type)
    kept = await require_taken_in(call, files, name)
    ground = await _ground(call, request.links)
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
            links=ground.links,
            parties=ground.parties,
            by=unit,
            on=on,
        ),
    )


async def link(call: Call, evidence_id: UUID, request: OneLink) -> Response:
    """It is to prove one thing more, which is there.

    :raises Refused: ``evidence.proves-unknown``, and what ``Evidence.link`` refuses.
    """
    on = call.effective(request.effective_on)
    (one,), _ = await _ground(call, [request], pointer="")
    return await evidences.change(call, evidence_id, lambda evidence: evidence.link(one, by=call.unit, on=on))


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


async def _ground(call: Call, links: Sequence[Link], *, pointer: str | None = None) -> Ground:
    """What is linked to, all of it there for this caller to see."""
    parties = set[UUID]()
    for number, one in enumerate(links):
        at = f"/links/{number}" if pointer is None else pointer
        parties |= await _parties(call, one, at)
    return Ground(tuple(one.told() for one in links), frozenset(parties))


async def _parties(call: Call, one: Link, at: str) -> set[UUID]:
    if one.kind is Proven.MEASURE or (one.kind is Proven.MILESTONE) != (one.number is not None):
        raise PROVES_UNKNOWN(pointer=f"{at}/kind")
    try:
        item = (await items.load(call, one.id)).state
        if one.number is not None:
            item.milestone(one.number)
    except Refused as refused:
        raise _elsewhere(refused, PROVES_UNKNOWN, f"{at}/{'id' if one.number is None else 'number'}") from None
    return {item.owner, *item.co_units}


def _elsewhere(refused: Refused, instead: Refusal, pointer: str) -> Refused:
    """A body that names what is not there is at fault, and the address that was asked is not."""
    return instead(pointer=pointer) if refused.refusal.kind is Kind.ABSENT else refused
