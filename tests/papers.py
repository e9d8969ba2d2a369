"""Evidence for tests, lawful unless a test says otherwise; and files that are what they are said to be, or are not."""

import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from builders import CO_UNIT, JUDGE, OWNER
from common.contracts.measures import Classification, EvidenceLink, MediaType, Proven
from measures.evidence.domain import Evidence, register
from measures.subject.partakers import Partakers

LINK = EvidenceLink(kind=Proven.MILESTONE, id=uuid4(), number=1)


def evidence_words(**changed: Any) -> dict[str, Any]:
    """What ``register`` is told: a notice of ORG's for a milestone in which FIN took part, on 2022-06-12."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "file": f"{OWNER.id}/{'a' * 64}.pdf",
        "sha256": "a" * 64,
        "size_bytes": 1024,
        "media_type": MediaType.PDF,
        "title": "关于印发办法的通知",
        "document_number": "渝科协发〔2022〕1号",
        "issuer": "市科协",
        "issued_on": date(2022, 6, 1),
        "classification": Classification.INTERNAL,
        "redacted": False,
        "not_a_state_secret": True,
        "links": (EvidenceLink(kind=Proven.MILESTONE, id=uuid4(), number=1),),
        "partakers": (Partakers(units=(OWNER.id, CO_UNIT.id)),),
        "by": OWNER,
        "on": date(2022, 6, 12),
    }
    return told | changed


def some_evidence(**changed: Any) -> Evidence:
    """Evidence that was just registered."""
    return register(**evidence_words(**changed)).state


def verified_evidence(**changed: Any) -> Evidence:
    """Evidence that was verified on 2022-06-15."""
    return some_evidence(**changed).verify(by=JUDGE, on=date(2022, 6, 15)).state


def evidence_body(item: str, **changed: Any) -> dict[str, Any]:
    """The evidence of ``evidence_words`` as a request says it: the file ``PDF``, for milestone 1 of the item there."""
    told = evidence_words()
    texts = ("media_type", "title", "document_number", "issuer", "classification", "redacted", "not_a_state_secret")
    body: dict[str, Any] = {name: told[name] for name in texts}
    body |= {
        "sha256": sha256_of(PDF),
        "issued_on": told["issued_on"].isoformat(),
        "effective_on": told["on"].isoformat(),
    }
    return body | {"links": [{"kind": "milestone", "id": item.rsplit("/", maxsplit=1)[-1], "number": 1}]} | changed


def sha256_of(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def aged(folder: Path, **by: float) -> None:
    """Every file in a folder is that much older."""
    for file in folder.rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - timedelta(**by).total_seconds()
            os.utime(file, (then, then))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

PDF: Final = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def a_package(*parts: str, **more: bytes) -> bytes:
    """A ZIP archive with these parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.writestr(part, f"<{part}/>" * 10)
        for part, data in more.items():
            archive.writestr(part, data)
    return content.getvalue()


FILES: Final[Mapping[MediaType, bytes]] = {
    MediaType.PDF: PDF,
    MediaType.PNG: b"\x89PNG\r\n\x1a\n" + bytes(40) + b"\0\0\0\0IEND\xaeB\x60\x82",
    MediaType.JPEG: b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9",
    MediaType.DOCX: a_package("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    MediaType.XLSX: a_package("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    MediaType.TEXT: "会议纪要\n第一条\r\n".encode(),
    MediaType.CSV: "\ufeff单位,数量\n渝北,13\n".encode(),
}
"""A file of each kind."""


async def send_file(
    client: httpx.AsyncClient, content: bytes | AsyncIterator[bytes], sha256: str | None = None, **headers: str
) -> httpx.Response:
    """Send a file under its own digest, unless another is given, as a PDF, unless a header says otherwise."""
    told = {"content-type": "application/pdf"} | {name.replace("_", "-"): value for name, value in headers.items()}
    digest = sha256 or sha256_of(content if isinstance(content, bytes) else b"")
    return await client.put(f"/api/v1/evidence-files/{digest}", content=content, headers=told)
