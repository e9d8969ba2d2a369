"""Many milestones verified at once: every row has its own decision, its own verdict and its own event."""

from typing import Any

import httpx
import pytest

from builders import item_body, milestone_body
from doors import Door
from refusals import assert_problem

BATCH = "/api/v1/items/verify-batch"
NOWHERE = "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f"
ATTAINED = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}


@pytest.fixture
def judge(measures: Door) -> httpx.AsyncClient:
    """Another department, which took no part."""
    return measures.client_for("reform-office", "SOC")


@pytest.fixture
async def reported(office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str) -> list[str]:
    """The ids of two items, each with its first milestone reported and its second not."""
    found: list[str] = []
    for _ in range(2):
        body = item_body(milestones=[milestone_body(1), milestone_body(2)])
        address = (await office.post("/api/v1/items", json=body)).headers["location"]
        for client, step, words in (
            (office, "assign", {"effective_on": "2022-01-10"}),
            (reporter, "acknowledge", {"effective_on": "2022-01-20"}),
            (reporter, "start", {"effective_on": "2022-02-01"}),
            (reporter, "milestones/1/report", ATTAINED),
        ):
            reply = await client.post(f"{address}/{step}", json=words)
            assert reply.status_code == 200, reply.text
        found.append(address.rsplit("/")[-1])
    return found


def _batch(*rows: tuple[Any, ...]) -> dict[str, Any]:
    names = ("item", "number", "version")
    return {"rows": [dict(zip(names, row, strict=False)) for row in rows], "effective_on": "2022-06-20"}


async def test_each_row_has_its_own_verdict(judge: httpx.AsyncClient, reported: list[str]) -> None:
    one, two = reported
    rows = _batch((one, 1), (one, 2), (NOWHERE, 1), (two, 9), (two, 1, 3), (two, 1), (one, 1))
    reply = await judge.post(BATCH, json=rows)
    assert reply.status_code == 200, reply.text
    verdicts = reply.json()["rows"]
    assert [(row["item"], row["number"]) for row in verdicts] == [
        (one, 1), (one, 2), (NOWHERE, 1), (two, 9), (two, 1), (two, 1), (one, 1),
    ]  # fmt: skip
    assert [row["code"] for row in verdicts] == [
        None, "milestone.wrong-state", "item.not-found", "milestone.not-found", "version.stale", None, None,
    ]  # fmt: skip
    assert [row["verified"] for row in verdicts] == [True, False, False, False, False, True, True]
    assert verdicts[0]["position"] == verdicts[6]["position"]  # said twice, done once
    for item in (one, two):
        milestones = (await judge.get(f"/api/v1/items/{item}")).json()["milestones"]
        assert [milestone["state"] for milestone in milestones] == ["verified", "planned"]


async def test_a_refusal_is_told_in_the_callers_language(measures: Door, reported: list[str]) -> None:
    partial = measures.client_for("reform-office", "FIN")
    for language, word in (("zh", "核验单位"), ("en", "judges")):
        reply = await partial.post(BATCH, json=_batch((reported[0], 1)), headers={"accept-language": language})
        (verdict,) = reply.json()["rows"]
        assert verdict["code"] == "judge.not-independent"
        assert word in verdict["detail"]


async def test_the_same_key_verifies_once_and_is_answered_alike(judge: httpx.AsyncClient, reported: list[str]) -> None:
    rows, key = _batch((reported[0], 1), (reported[1], 2)), {"idempotency-key": "k-1"}
    first, again = [await judge.post(BATCH, json=rows, headers=key) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    other = await judge.post(BATCH, json=_batch((reported[1], 1)), headers=key)
    assert_problem(other, 422, "idempotency.key-reused")


async def test_a_row_that_was_obeyed_is_answered_alike_though_it_would_be_refused_now(
    judge: httpx.AsyncClient, reported: list[str]
) -> None:
    rows, key = _batch((reported[0], 1)), {"idempotency-key": "k-1"}
    first = await judge.post(BATCH, json=rows, headers=key)
    words = {"reason": "材料有误", "authority": "会议纪要", "effective_on": "2022-06-21"}
    assert (await judge.post(f"/api/v1/items/{reported[0]}/milestones/1/revoke", json=words)).status_code == 200
    again, new = [await judge.post(BATCH, json=rows, headers=headers) for headers in (key, {})]
    assert (again.status_code, again.content) == (200, first.content)
    assert new.json()["rows"][0]["code"] == "milestone.wrong-state"


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        (("unit-reporter", "ORG"), _batch((NOWHERE, 1)), 403, "auth.not-permitted"),
        (("reform-office", None), _batch((NOWHERE, 1)), 403, "caller.no-unit"),
        (("reform-office", "SOC"), {"rows": []}, 422, "request.invalid"),
        (("reform-office", "SOC"), _batch(*[(NOWHERE, 1)] * 101), 422, "request.invalid"),
        (("reform-office", "SOC"), _batch((NOWHERE, 0)), 422, "request.invalid"),
        (("reform-office", "SOC"), _batch((NOWHERE, 1)) | {"effective_on": "2199-01-01"}, 422, "effective.in-future"),
    ],
)
async def test_a_batch_that_cannot_be_judged_at_all_is_refused_as_a_whole(
    measures: Door, who: tuple[str, str | None], body: dict[str, Any], status: int, code: str
) -> None:
    assert_problem(await measures.client_for(*who).post(BATCH, json=body), status, code)
