"""The door to files of evidence: each is taken in whole, as it was declared, or not at all."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from builders import unit_id
from common.contracts.measures import MediaType
from common.files import Files
from doors import Door
from papers import FILES, PDF, evidence_body, send_file, sha256_of
from refusals import assert_problem

EVIDENCE, KEPT = "/api/v1/evidence", "/api/v1/evidence-files"


def _kept(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("kind", MediaType)
async def test_a_file_of_each_kind_is_kept_under_its_unit_and_digest(
    reporter: httpx.AsyncClient, folder: Path, kind: MediaType
) -> None:
    reply = await send_file(reporter, FILES[kind], content_type=f"{kind}; charset=utf-8")
    assert reply.status_code == 201, reply.text
    digest = sha256_of(FILES[kind])
    assert reply.json() == {"sha256": digest, "media_type": kind, "size_bytes": len(FILES[kind])}
    (name,) = _kept(folder)
    assert name.startswith(f"{unit_id('ORG')}/{digest}.")
    assert (folder / name).read_bytes() == FILES[kind]


async def test_a_file_that_is_sent_again_is_the_same(reporter: httpx.AsyncClient, folder: Path, uploaded: str) -> None:
    assert (await send_file(reporter, PDF)).status_code == 201
    assert len(_kept(folder)) == 1


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (PDF, {"content_type": "application/x-msdownload"}, 422, "evidence.type-not-taken"),
        (PDF, {"content_type": ""}, 422, "evidence.type-not-taken"),
        (FILES[MediaType.PNG], {}, 422, "evidence.not-of-type"),
        (b"MZ" + bytes(100), {"content_type": str(MediaType.DOCX)}, 422, "evidence.not-of-type"),
        (b"", {}, 422, "evidence.file-empty"),
    ],
)
async def test_what_is_not_what_it_is_said_to_be_is_not_kept(
    reporter: httpx.AsyncClient, folder: Path, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    assert_problem(await send_file(reporter, content, **headers), status, code)
    assert _kept(folder) == []


async def test_what_arrives_otherwise_than_declared_is_not_kept(reporter: httpx.AsyncClient, folder: Path) -> None:
    assert_problem(await send_file(reporter, PDF, sha256="a" * 64), 422, "evidence.digest-mismatch")
    assert _kept(folder) == []


@pytest.mark.parametrize("declared", [True, False])
async def test_what_is_too_large_is_refused_whether_or_not_it_says_so(
    measures: Door, reporter: httpx.AsyncClient, folder: Path, *, declared: bool
) -> None:
    measures.app.state.file_bytes_max = 3 * 1024 * 1024
    large = PDF + bytes(3 * 1024 * 1024)

    async def piecemeal() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    reply = await send_file(reporter, large if declared else piecemeal(), sha256=sha256_of(large))
    assert_problem(reply, 413, "evidence.file-too-large")
    assert _kept(folder) == []


async def test_a_file_may_be_larger_than_any_other_body(reporter: httpx.AsyncClient, folder: Path) -> None:
    large = PDF[:20] + bytes(12 * 1024 * 1024) + PDF
    assert (await send_file(reporter, large)).status_code == 201
    (name,) = _kept(folder)
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256_of(large)


async def test_a_digest_that_is_none_is_no_address(reporter: httpx.AsyncClient, folder: Path) -> None:
    assert_problem(await send_file(reporter, PDF, sha256="A" * 64), 422, "request.invalid")


async def test_there_is_room_for_so_many_files_on_their_way(
    measures: Door, reporter: httpx.AsyncClient, uploaded: str, evidence: str
) -> None:
    measures.app.state.transfers.limit = 0
    assert_problem(await send_file(reporter, PDF), 503, "service.busy")
    assert_problem(await reporter.get(f"{KEPT}/{uploaded}"), 503, "service.busy")


async def test_a_store_that_is_away_is_told_and_nothing_else_stands_still(
    measures: Door, reporter: httpx.AsyncClient, item: str
) -> None:
    assert_problem(await send_file(reporter, PDF), 503, "files.away")
    measures.app.state.files = Files("s3://nowhere?endpoint=http://127.0.0.1:1&region=x&skip_signature=true")
    assert_problem(await send_file(reporter, PDF), 503, "files.away")
    assert_problem(await reporter.post(EVIDENCE, json=evidence_body(item)), 503, "files.away")
    assert (await reporter.get(item)).status_code == 200
