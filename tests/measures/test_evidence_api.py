"""The door to evidence: a file is taken in whole or not at all, and its record counts once others have judged it."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from builders import unit_id
from common.contracts.measures import MediaType
from common.files import Files
from doors import Door
from measures.measure.domain import measure_id
from papers import FILES, PDF, aged, evidence_body, sha256_of
from refusals import assert_problem

EVIDENCE, KEPT = "/api/v1/evidence", "/api/v1/evidence-files"


@pytest.fixture
def folder(measures: Door, tmp_path: Path) -> Path:
    """Where measures keeps its files."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    return tmp_path / "files"


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


@pytest.fixture
async def uploaded(reporter: httpx.AsyncClient, folder: Path) -> str:
    """The digest of a file that ORG has sent."""
    reply = await _send(reporter, PDF)
    assert reply.status_code == 201, reply.text
    return sha256_of(PDF)


@pytest.fixture
async def evidence(reporter: httpx.AsyncClient, item: str, uploaded: str) -> str:
    """The address of evidence for the first milestone of an item of ORG's, by ORG."""
    reply = await reporter.post(EVIDENCE, json=evidence_body(item))
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


async def _send(
    client: httpx.AsyncClient, content: bytes | AsyncIterator[bytes], sha256: str | None = None, **headers: str
) -> httpx.Response:
    told = {"content-type": "application/pdf"} | {name.replace("_", "-"): value for name, value in headers.items()}
    address = sha256 or sha256_of(content if isinstance(content, bytes) else b"")
    return await client.put(f"{KEPT}/{address}", content=content, headers=told)


def _kept(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", MediaType)
async def test_a_file_of_each_kind_is_kept_under_its_unit_and_digest(
    reporter: httpx.AsyncClient, folder: Path, kind: MediaType
) -> None:
    reply = await _send(reporter, FILES[kind], content_type=f"{kind}; charset=utf-8")
    assert reply.status_code == 201, reply.text
    digest = sha256_of(FILES[kind])
    assert reply.json() == {"sha256": digest, "media_type": kind, "size_bytes": len(FILES[kind])}
    (name,) = _kept(folder)
    assert name.startswith(f"{unit_id('ORG')}/{digest}.")
    assert (folder / name).read_bytes() == FILES[kind]


async def test_a_file_that_is_sent_again_is_the_same(reporter: httpx.AsyncClient, folder: Path, uploaded: str) -> None:
    assert (await _send(reporter, PDF)).status_code == 201
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
    assert_problem(await _send(reporter, content, **headers), status, code)
    assert _kept(folder) == []


async def test_what_arrives_otherwise_than_declared_is_not_kept(reporter: httpx.AsyncClient, folder: Path) -> None:
    assert_problem(await _send(reporter, PDF, sha256="a" * 64), 422, "evidence.digest-mismatch")
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

    reply = await _send(reporter, large if declared else piecemeal(), sha256=sha256_of(large))
    assert_problem(reply, 413, "evidence.file-too-large")
    assert _kept(folder) == []


async def test_a_file_may_be_larger_than_any_other_body(reporter: httpx.AsyncClient, folder: Path) -> None:
    large = PDF[:20] + bytes(12 * 1024 * 1024) + PDF
    assert (await _send(reporter, large)).status_code == 201
    (name,) = _kept(folder)
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256_of(large)


async def test_a_digest_that_is_none_is_no_address(reporter: httpx.AsyncClient, folder: Path) -> None:
    assert_problem(await _send(reporter, PDF, sha256="A" * 64), 422, "request.invalid")


async def test_there_is_room_for_so_many_files_on_their_way(
    measures: Door, reporter: httpx.AsyncClient, uploaded: str, evidence: str
) -> None:
    measures.app.state.transfers.limit = 0
    assert_problem(await _send(reporter, PDF), 503, "service.busy")
    assert_problem(await reporter.get(f"{KEPT}/{uploaded}"), 503, "service.busy")


async def test_a_store_that_is_away_is_told_and_nothing_else_stands_still(
    measures: Door, reporter: httpx.AsyncClient, item: str
) -> None:
    assert_problem(await _send(reporter, PDF), 503, "files.away")
    measures.app.state.files = Files("s3://nowhere?endpoint=http://127.0.0.1:1&region=x&skip_signature=true")
    assert_problem(await _send(reporter, PDF), 503, "files.away")
    assert_problem(await reporter.post(EVIDENCE, json=evidence_body(item)), 503, "files.away")
    assert (await reporter.get(item)).status_code == 200


# ── its record ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_evidence_goes_from_its_file_to_the_day_it_counts(
    reporter: httpx.AsyncClient, judge: httpx.AsyncClient, evidence: str
) -> None:
    seen = (await judge.get(evidence)).json()
    assert (seen["state"], seen["size_bytes"], seen["registered_by"]) == ("registered", len(PDF), str(unit_id("ORG")))
    assert set(seen["allowed_actions"]) == {"verify", "reject"}
    assert {"action": "verify", "code": "auth.not-permitted"} in (await reporter.get(evidence)).json()["blocked"]
    verified = await judge.post(f"{evidence}/verify", json={"effective_on": "2022-06-20"})
    assert (verified.json()["state"], verified.json()["allowed_actions"]) == ("verified", ["invalidate"])
    history = (await judge.get(f"{evidence}/history")).json()
    assert history["chain"] == "ok"
    assert [event["type"].split(".")[-2] for event in history["events"]] == ["evidence-registered", "evidence-verified"]


async def test_every_step_of_evidence_has_its_address(
    reporter: httpx.AsyncClient, judge: httpx.AsyncClient, item: str, evidence: str
) -> None:
    link = {"kind": "item", "id": item.rsplit("/", maxsplit=1)[-1], "effective_on": "2022-06-13"}
    why = {"reason": "有误", "effective_on": "2022-06-25"}
    successor = (await reporter.post(EVIDENCE, json=evidence_body(item, title="修订版"))).json()["id"]
    other = (await reporter.post(EVIDENCE, json=evidence_body(item))).headers["location"]
    for client, address, body, state in (
        (reporter, f"{evidence}/link", link, "registered"),
        (reporter, f"{evidence}/unlink", link | {"reason": "有误"}, "registered"),
        (judge, f"{other}/reject", why, "rejected"),
        (judge, f"{EVIDENCE}/{successor}/verify", {"effective_on": "2022-06-20"}, "verified"),
        (reporter, f"{evidence}/supersede", {"successor": successor}, "superseded"),
        (judge, f"{EVIDENCE}/{successor}/invalidate", why | {"authority": "纪要 4"}, "invalidated"),
    ):
        reply = await client.post(address, json=body)
        assert (reply.status_code, reply.json()["state"]) == (200, state), reply.text


@pytest.mark.parametrize(
    ("changed", "code", "at"),
    [
        ({"sha256": "c" * 64}, "evidence.no-such-file", "/sha256"),
        ({"media_type": "image/png"}, "evidence.no-such-file", "/sha256"),
        ({"not_a_state_secret": False}, "evidence.not-attested", "/not_a_state_secret"),
        ({"not_a_state_secret": None}, "request.invalid", "/not_a_state_secret"),
        ({"issued_on": "2022-06-13"}, "evidence.issued-later", "/issued_on"),
        ({"classification": "secret"}, "request.invalid", "/classification"),
        ({"links": [{"kind": "item", "id": str(uuid4())}]}, "evidence.proves-unknown", "/links/0/id"),
        ({"sha256": "C" * 64}, "request.invalid", "/sha256"),
    ],
)
async def test_what_is_not_as_it_should_be_is_not_registered(
    reporter: httpx.AsyncClient, item: str, uploaded: str, changed: dict[str, Any], code: str, at: str
) -> None:
    assert_problem(await reporter.post(EVIDENCE, json=evidence_body(item, **changed)), 422, code, at=at)


@pytest.mark.parametrize(
    ("link", "at"),
    [
        ({"kind": "milestone", "number": 9}, "/links/0/number"),
        ({"kind": "milestone"}, "/links/0/kind"),
        ({"kind": "item", "number": 1}, "/links/0/kind"),
    ],
)
async def test_what_it_is_to_prove_is_there(
    reporter: httpx.AsyncClient, item: str, uploaded: str, link: dict[str, Any], at: str
) -> None:
    body = evidence_body(item, links=[link | {"id": item.rsplit("/", maxsplit=1)[-1]}])
    assert_problem(await reporter.post(EVIDENCE, json=body), 422, "evidence.proves-unknown", at=at)


async def test_a_digest_that_one_knows_is_no_file_that_one_has(
    measures: Door, item: str, uploaded: str, evidence: str
) -> None:
    """Digests are on the topic: whoever reads them there must not get at the files by registering them."""
    stranger = measures.client_for("unit-reporter", "YB")
    reply = await stranger.post(EVIDENCE, json=evidence_body(item, links=[]))
    assert_problem(reply, 422, "evidence.no-such-file", at="/sha256")
    assert_problem(await stranger.get(f"{KEPT}/{uploaded}"), 404, "evidence.not-found")


async def test_a_file_that_was_sent_long_ago_is_sent_again_unless_it_is_on_record(
    measures: Door, reporter: httpx.AsyncClient, folder: Path, item: str, uploaded: str
) -> None:
    aged(folder, minutes=31)
    reply = await reporter.post(EVIDENCE, json=evidence_body(item))
    assert_problem(reply, 409, "evidence.uploaded-long-ago", at="/sha256")
    await _send(reporter, PDF)
    assert (await reporter.post(EVIDENCE, json=evidence_body(item))).status_code == 201
    aged(folder, minutes=31)
    assert (await reporter.post(EVIDENCE, json=evidence_body(item, title="另一份"))).status_code == 201


async def test_a_registration_that_is_sent_again_registers_once(
    measures: Door, reporter: httpx.AsyncClient, item: str, uploaded: str
) -> None:
    again = {"idempotency-key": "k-1"}
    replies = [await reporter.post(EVIDENCE, json=evidence_body(item), headers=again) for _ in range(2)]
    assert replies[0].content == replies[1].content
    assert await measures.pool.fetchval("SELECT count(*) FROM evidence") == 1


async def test_it_may_prove_a_measure_and_then_its_lead_sees_it_and_does_not_judge_it(
    measures: Door, office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, item: str, uploaded: str
) -> None:
    measure = measure_id(UUID(plan.rpartition("/")[2]), "A1")
    body = evidence_body(item, links=[{"kind": "measure", "id": str(measure)}])
    as_office = measures.client_for("municipal-admin", "ORG")
    assert_problem(await as_office.post(EVIDENCE, json=body), 422, "evidence.proves-unknown", at="/links/0/id")
    lead = {"lead_unit": "SOC", "co_units": [], "effective_on": "2022-01-05"}
    assert (await office.post(f"/api/v1/measures/{measure}/lead", json=lead)).status_code == 200
    evidence = (await as_office.post(EVIDENCE, json=body)).headers["location"]
    leading = measures.client_for("measure-lead", "SOC")
    assert {"action": "verify", "code": "auth.not-permitted"} in (await leading.get(evidence)).json()["blocked"]
    assert len((await leading.get(EVIDENCE, params={"proves": str(measure)})).json()["items"]) == 1
    judged = measures.client_for("reform-office", "SOC")
    assert_problem(await judged.post(f"{evidence}/verify"), 403, "judge.not-independent")
    by = measures.client_for("reform-office", "YB")
    assert (await by.post(f"{evidence}/verify", json={"effective_on": "2022-06-20"})).status_code == 200


# ── who may see it ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_comes_back_as_it_was_sent_to_be_saved_and_not_to_be_shown(
    judge: httpx.AsyncClient, uploaded: str, evidence: str
) -> None:
    reply = await judge.get(f"{KEPT}/{uploaded}")
    assert (reply.status_code, reply.content) == (200, PDF)
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E5%85%B3" in reply.headers["content-disposition"]
    assert reply.headers["repr-digest"].startswith("sha-256=:")


@pytest.mark.parametrize(
    ("role", "unit", "classification", "sees"),
    [
        ("unit-reporter", "ORG", "internal", True),
        ("unit-leader", "FIN", "internal", True),
        ("unit-reporter", "YB", "internal", False),
        ("unit-reporter", "YB", "public", False),
        ("auditor", None, "sensitive", True),
        ("reform-office", "CQ", "sensitive", True),
        ("unit-reporter", "ORG", "sensitive", True),
        ("unit-leader", "FIN", "sensitive", False),
    ],
)
async def test_who_may_not_see_it_finds_neither_record_nor_file_nor_line(
    measures: Door,
    reporter: httpx.AsyncClient,
    item: str,
    uploaded: str,
    role: str,
    unit: str | None,
    classification: str,
    *,
    sees: bool,
) -> None:
    body = evidence_body(item, classification=classification)
    address = (await reporter.post(EVIDENCE, json=body)).headers["location"]
    client = measures.client_for(role, unit)
    for one in (address, f"{address}/history", f"{KEPT}/{uploaded}"):
        reply = await client.get(one)
        if sees:
            assert reply.status_code == 200
        else:
            assert_problem(reply, 404, "evidence.not-found")
    assert len((await client.get(EVIDENCE)).json()["items"]) == int(sees)


async def test_a_file_that_is_gone_is_told_to_whoever_may_know_of_it(
    measures: Door, judge: httpx.AsyncClient, uploaded: str, evidence: str
) -> None:
    (kept,) = await measures.app.state.files.listed()
    await measures.app.state.files.remove(kept.name)
    assert_problem(await judge.get(f"{KEPT}/{uploaded}"), 404, "evidence.file-missing")


async def test_evidence_is_listed_for_an_item_in_a_state_and_of_a_unit_page_by_page(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, item: str, evidence: str
) -> None:
    other = (await reporter.post(EVIDENCE, json=evidence_body(item, links=[]))).json()["id"]
    number = item.rsplit("/", maxsplit=1)[-1]
    for asked, count in (
        ({}, 2), ({"proves": number}, 1), ({"state": "verified"}, 0), ({"registered_by": "ORG"}, 2),
        ({"registered_by": "FIN"}, 0),
    ):  # fmt: skip
        assert len((await office.get(EVIDENCE, params=asked)).json()["items"]) == count
    first = (await office.get(EVIDENCE, params={"limit": 1})).json()
    second = (await office.get(EVIDENCE, params={"limit": 1, "cursor": first["next"]})).json()
    assert (second["items"][0]["id"], second["next"]) == (other, None)
