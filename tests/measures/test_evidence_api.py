"""The door to evidence: its record is made for a file that was sent, counts once others judged it, is seen by few."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from builders import unit_id
from doors import Door
from measures.measure.domain import measure_id
from papers import PDF, aged, evidence_body, send_file
from refusals import assert_problem

EVIDENCE, KEPT = "/api/v1/evidence", "/api/v1/evidence-files"


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


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


@pytest.mark.parametrize("day", ["0001-01-01", "2020-12-31"])
async def test_it_proves_nothing_from_a_day_on_which_its_plan_had_not_begun(
    reporter: httpx.AsyncClient, item: str, evidence: str, day: str
) -> None:
    body = evidence_body(item) | {"effective_on": day}
    link = {"kind": "item", "id": item.rsplit("/", maxsplit=1)[-1], "effective_on": day}
    for address, said in ((EVIDENCE, body), (f"{evidence}/link", link)):
        refused = await reporter.post(address, json=said)
        assert refused.status_code == 422
        code = "request.invalid" if day < "1900" else "effective.before-plan"
        assert (refused.json()["code"], refused.json()["errors"][0]["pointer"]) == (code, "/effective_on")
    assert (await reporter.get(item)).status_code == 200


async def test_it_proves_no_item_before_that_was_listed_and_no_measure_before_the_plan_was_adopted(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, item: str, uploaded: str
) -> None:
    measure = str(measure_id(UUID(plan.rpartition("/")[2]), "A1"))
    assert (await office.post(f"/api/v1/measures/{measure}/launch", json={"effective_on": "2022-01-01"})).is_success
    lead = {"lead_unit": "ORG", "effective_on": "2022-01-01"}
    assert (await office.post(f"/api/v1/measures/{measure}/lead", json=lead)).is_success
    the_item = {"kind": "item", "id": item.rpartition("/")[2]}
    the_measure = {"kind": "measure", "id": measure}
    for link, early, soonest in ((the_item, "2022-01-04", "2022-01-05"), (the_measure, "2021-01-31", "2021-02-01")):
        body = evidence_body(item, links=[link], issued_on=None)
        refused = await reporter.post(EVIDENCE, json=body | {"effective_on": early})
        assert_problem(refused, 422, "effective.before-predecessor", at="/effective_on")
        assert (await reporter.post(EVIDENCE, json=body | {"effective_on": soonest})).status_code == 201


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
    await send_file(reporter, PDF)
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
