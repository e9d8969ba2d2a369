"""A request that comes again under its key is told what it was told before, however far everything has moved on."""

import httpx
import pytest

from builders import item_body
from common.call import Call
from refusals import assert_problem

ITEMS, BODY = "/api/v1/items", item_body(code="A1-01")
REASON = {"reason": "任务重复", "authority": "会议纪要"}


async def _moves_on(office: httpx.AsyncClient, plan: str) -> None:
    for step, on in (("phases/P1/enter", "2022-01-05"), ("start-final-evaluation", "2026-01-05")):
        assert (await office.post(f"{plan}/{step}", json={"effective_on": on})).status_code == 200


@pytest.mark.parametrize("key", ["k-1", "k-2"])
async def test_what_a_request_stood_on_may_be_gone_when_it_is_repeated(
    office: httpx.AsyncClient, plan: str, key: str
) -> None:
    first = await office.post(ITEMS, json=BODY, headers={"idempotency-key": "k-1"})
    await _moves_on(office, plan)
    again = await office.post(ITEMS, json=BODY, headers={"idempotency-key": key})
    if key == "k-1":
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["location"] == first.headers["location"]
    else:
        assert_problem(again, 409, "plan.takes-no-new-items")


async def test_a_refused_request_is_looked_for_once(
    office: httpx.AsyncClient, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str | None] = []

    async def never_told(call: Call) -> None:
        looked.append(call.key)

    monkeypatch.setattr("common.replies.told_before", never_told)
    for headers in ({"idempotency-key": "k-1"}, {}):
        assert_problem(await office.post(f"{item}/start", json={}, headers=headers), 403, "auth.not-permitted")
        assert_problem(await office.post(f"{item}/reopen", json=REASON, headers=headers), 409, "item.wrong-state")
    assert looked == ["k-1", None]


async def test_a_key_that_nobody_looks_for_would_be_told_how_things_stand_now(
    office: httpx.AsyncClient, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign, key = f"{item}/assign", {"idempotency-key": "k-1"}
    words = {"effective_on": "2022-01-10"}
    first = await office.post(assign, json=words, headers=key)
    assert (await office.post(f"{item}/cancel", json=REASON)).status_code == 200
    assert (await office.post(assign, json=words, headers=key)).content == first.content

    async def never_told(_call: Call) -> None:
        return None

    monkeypatch.setattr("common.replies.told_before", never_told)
    assert_problem(await office.post(assign, json=words, headers=key), 409, "item.wrong-state")


async def test_a_key_that_was_used_for_other_words_says_so_first(office: httpx.AsyncClient, plan: str) -> None:
    await office.post(ITEMS, json=BODY, headers={"idempotency-key": "k-1"})
    await _moves_on(office, plan)
    other = await office.post(ITEMS, json=item_body(code="A1-02"), headers={"idempotency-key": "k-1"})
    assert_problem(other, 422, "idempotency.key-reused")
