"""The door to evidence: its file first, then its record, then what others judge of it."""

import base64
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from common.admission import Transfers
from common.call import Call
from common.contracts import Code
from common.contracts.measures import MediaType
from common.cursors import id_in
from common.decision import Kind, Refusal
from common.door import Door, needs
from common.history import History
from common.http import JUST_DO_IT, Command, Cursor, Limit, Page, page
from common.store import JSON, Decided
from measures.evidence import commands
from measures.evidence.content import EXTENSIONS
from measures.evidence.domain import Evidence
from measures.evidence.file import Uploaded, files_of, take_in
from measures.evidence.requests import OneLink, Registration, Sha256, Succession, Unlinking, Why, WhyWithAuthority
from measures.evidence.rules import EvidenceState
from measures.evidence.store import EvidenceFilter, evidences, list_evidence, with_file
from measures.running import directory_of

router = APIRouter(prefix="/api/v1/evidence", tags=["evidence"], route_class=Door)
files = APIRouter(prefix="/api/v1/evidence-files", tags=["evidence"], route_class=Door)
FILE_MISSING = Refusal(
    "evidence.file-missing",
    zh="登记在案，但存储中没有此文件；请告知运维人员（kegai evidence check）",
    en="It is on record, but its file is not there: tell the operators (kegai evidence check)",
    kind=Kind.ABSENT,
)
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
Digest = Annotated[Sha256, Path(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@files.put(
    "/{sha256}",
    status_code=201,
    response_model=Uploaded,
    name="upload_evidence_file",
    openapi_extra={"requestBody": {"required": True, "content": {str(kind): BINARY for kind in MediaType}}},
)
async def upload(
    call: Annotated[Call, needs("evidence.upload", streamed=True)], request: Request, sha256: Digest
) -> Response:
    """Send a file ahead of its record, by its digest: sent again it is the same, so it needs no key.

    What arrives otherwise than declared, in length, digest or kind, is not kept. Register it within half an hour.
    """
    uploaded = await take_in(call, request, sha256)
    headers = {"ETag": f'"{sha256}"', "Location": f"{files.prefix}/{sha256}"}
    return Response(uploaded.model_dump_json(), 201, headers, media_type=JSON)


@files.get(
    "/{sha256}",
    name="download_evidence_file",
    response_class=Response,
    responses={200: {"description": "The file", "content": {str(kind): BINARY for kind in MediaType}}},
)
async def download(call: Annotated[Call, needs("evidence.read")], request: Request, sha256: Digest) -> Response:
    """The file of evidence that the caller may know of; who may not, finds none."""
    known = await with_file(call, sha256)
    seen = next((one for one in known if call.permission in evidences.permitted(call, one)), None)
    if seen is None:
        raise evidences.absent(of=evidences.of)
    if (chunks := await files_of(request).read(seen.file)) is None:
        raise FILE_MISSING()
    transfers: Transfers = request.app.state.transfers
    return transfers.given_out(request, chunks, headers=_headers(seen), media_type=seen.media_type)


def _headers(evidence: Evidence) -> dict[str, str]:
    """A file is saved and never shown in our name, whatever it claims to be (RFC 6266, RFC 9530)."""
    extension = EXTENSIONS[evidence.media_type]
    digest = base64.b64encode(bytes.fromhex(evidence.sha256)).decode()
    return {
        "Content-Disposition": f'attachment; filename="{evidence.sha256[:12]}.{extension}"; '
        f"filename*=UTF-8''{quote(evidence.title, safe='')}.{extension}",
        "ETag": f'"{evidence.sha256}"',
        "Content-Length": str(evidence.size_bytes),
        "Repr-Digest": f"sha-256=:{digest}:",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.post("", status_code=201, response_model=Decided, name="register_evidence")
async def register(
    call: Annotated[Call, needs("evidence.register")], request: Request, registration: Registration
) -> Response:
    """Put a document on record whose file was sent before, and say what it is to prove."""
    return await commands.register_evidence(call, files_of(request), registration)


@router.get("", response_model=Page[evidences.read_model], name="list_evidence")  # type: ignore[name-defined]
async def list_(
    call: Annotated[Call, needs("evidence.read")],
    request: Request,
    proves: UUID | None = None,
    state: EvidenceState | None = None,
    registered_by: Code | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Evidence, oldest first, for an item with its milestones or a measure, in a state, of a unit."""
    unit = await directory_of(request).unit(registered_by, pointer="/query/registered_by") if registered_by else None
    wanted = EvidenceFilter(proves=proves, state=state, registered_by=unit.id if unit else None)
    found = await list_evidence(call, wanted, after=id_in(cursor), limit=limit)
    return page(found, limit, key=lambda one: str(one.id), show=lambda one: evidences.seen(call, one))


@router.get("/{evidence_id}", response_model=evidences.read_model, name="read_evidence")
async def read(call: Annotated[Call, needs("evidence.read")], evidence_id: UUID) -> Response:
    """One document with what it is to prove and what the caller may do next; its ETag is its version."""
    return await evidences.read(call, evidence_id)


@router.get("/{evidence_id}/history", name="read_evidence_history")
async def history(call: Annotated[Call, needs("evidence.read")], evidence_id: UUID) -> History:
    """All that happened to it: who, when, effective when, what; with its hash chain checked."""
    return await evidences.history(call, evidence_id)


@router.post("/{evidence_id}/link", response_model=Decided, name="link_evidence")
async def link(call: Annotated[Call, needs("evidence.link")], evidence_id: UUID, link: OneLink) -> Response:
    """It is to prove one thing more; once it was judged, what it proves is settled."""
    return await commands.link(call, evidence_id, link)


@router.post("/{evidence_id}/unlink", response_model=Decided, name="unlink_evidence")
async def unlink(call: Annotated[Call, needs("evidence.unlink")], evidence_id: UUID, link: Unlinking) -> Response:
    """It is not to prove that any more."""
    on = call.effective(link.effective_on)
    return await evidences.change(
        call, evidence_id, lambda evidence: evidence.unlink(link.told(), reason=link.reason, by=call.unit, on=on)
    )


@router.post("/{evidence_id}/verify", response_model=Decided, name="verify_evidence")
async def verify(
    call: Annotated[Call, needs("evidence.verify")], evidence_id: UUID, command: Command = JUST_DO_IT
) -> Response:
    """It is genuine and proves what it is linked to: it counts from now on; nobody judges their own."""
    on = call.effective(command.effective_on)
    return await evidences.change(call, evidence_id, lambda evidence: evidence.verify(by=call.unit, on=on))


@router.post("/{evidence_id}/reject", response_model=Decided, name="reject_evidence")
async def reject(call: Annotated[Call, needs("evidence.reject")], evidence_id: UUID, why: Why) -> Response:
    """It proves nothing."""
    on = call.effective(why.effective_on)
    return await evidences.change(
        call, evidence_id, lambda evidence: evidence.reject(reason=why.reason, by=call.unit, on=on)
    )


@router.post("/{evidence_id}/invalidate", response_model=Decided, name="invalidate_evidence")
async def invalidate(
    call: Annotated[Call, needs("evidence.invalidate")], evidence_id: UUID, why: WhyWithAuthority
) -> Response:
    """It was wrongly verified: what was judged by it is flagged where it stands, and reopened by nobody."""
    on = call.effective(why.effective_on)
    return await evidences.change(
        call,
        evidence_id,
        lambda evidence: evidence.invalidate(reason=why.reason, authority=why.authority, by=call.unit, on=on),
    )


@router.post("/{evidence_id}/supersede", response_model=Decided, name="supersede_evidence")
async def supersede(call: Annotated[Call, needs("evidence.supersede")], evidence_id: UUID, by: Succession) -> Response:
    """Another document of the same unit takes its place: a newer version, or one with parts made unreadable."""
    return await commands.supersede(call, evidence_id, by)
