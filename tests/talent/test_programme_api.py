"""The programmes' door: who may do what, what is refused with which code, and what it leaves in the database."""

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest
from httpx import AsyncClient

from doors import Door
from refusals import assert_problem

PROGRAMMES = "/api/v1/programmes"


def programme(**changed: Any) -> dict[str, Any]:
    """A yearly class, as a request says it."""
    told = {
        "code": "CLASS",
        "kind": "training-class",
        "name_zh": "研修班",
        "name_en": "Training class",
        "audience": "talents",
        "admission": "nomination",
        "held_every_months": 12,
        "measure": "A2",
        "effective_on": "2022-01-10",
    }
    return told | changed


@pytest.fixture
def manager(talent: Door) -> AsyncClient:
    return talent.client_for("programme-manager", "CQKX-ZZ")


@pytest.fixture
async def draft(manager: AsyncClient) -> str:
    """The address of a programme that was just put down."""
    reply = await manager.post(PROGRAMMES, json=programme())
    assert reply.status_code == 201, reply.text
    return reply.headers["location"]


async def test_a_programme_is_read_where_the_reply_says(manager: AsyncClient) -> None:
    reply = await manager.post(PROGRAMMES, json=programme())

    found = await manager.get(reply.headers["location"])
    assert found.json() == {
        "id": reply.json()["id"],
        "version": 1,
        "code": "CLASS",
        "kind": "training-class",
        "name_zh": "研修班",
        "name_en": "Training class",
        "audience": "talents",
        "admission": "nomination",
        "held_every_months": 12,
        "measure": "A2",
        "state": "draft",
        "since": "2022-01-10",
        "allowed_actions": ["activate"],
        "blocked": [],
    }
    assert found.headers["etag"] == reply.headers["etag"] == '"1"'


async def test_a_programme_goes_from_draft_over_active_to_retired(manager: AsyncClient, draft: str) -> None:
    activated = (await manager.post(f"{draft}/activate", json={"effective_on": "2022-03-01"})).json()
    retired = (await manager.post(f"{draft}/retire", json={"effective_on": "2025-12-31"})).json()

    assert (activated["version"], activated["state"], activated["allowed_actions"]) == (2, "active", ["retire"])
    assert (retired["version"], retired["state"], retired["allowed_actions"]) == (3, "retired", [])


async def test_a_step_needs_no_body(manager: AsyncClient, draft: str) -> None:
    assert (await manager.post(f"{draft}/activate")).json()["state"] == "active"


async def test_a_step_that_was_taken_already_is_no_second_event(manager: AsyncClient, draft: str) -> None:
    await manager.post(f"{draft}/activate")

    again = await manager.post(f"{draft}/activate")

    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert len((await manager.get(f"{draft}/history")).json()["events"]) == 2


async def test_a_draft_cannot_be_retired(manager: AsyncClient, draft: str) -> None:
    assert_problem(await manager.post(f"{draft}/retire"), 409, "programme.wrong-state")


async def test_a_step_does_not_take_effect_before_the_one_before(manager: AsyncClient, draft: str) -> None:
    early = await manager.post(f"{draft}/activate", json={"effective_on": "2022-01-09"})

    assert_problem(early, 422, "effective.before-predecessor", at="/effective_on")


async def test_no_step_is_taken_in_the_future(manager: AsyncClient, draft: str) -> None:
    later = await manager.post(f"{draft}/activate", json={"effective_on": "2199-01-01"})

    assert_problem(later, 422, "effective.in-future", at="/effective_on")


async def test_a_code_is_given_once(manager: AsyncClient, draft: str) -> None:
    assert_problem(await manager.post(PROGRAMMES, json=programme()), 409, "programme.code-taken")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"code": "no spaces"}, "/code"),
        ({"kind": "party"}, "/kind"),
        ({"audience": "everybody"}, "/audience"),
        ({"admission": "lottery"}, "/admission"),
        ({"held_every_months": 0}, "/held_every_months"),
        ({"held_every_months": 61}, "/held_every_months"),
        ({"measure": ""}, "/measure"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_request_that_is_not_as_it_should_be_names_the_field(
    manager: AsyncClient, changed: dict[str, Any], pointer: str
) -> None:
    assert_problem(await manager.post(PROGRAMMES, json=programme(**changed)), 422, "request.invalid", at=pointer)


async def test_whoever_has_seen_an_older_version_is_told(manager: AsyncClient, draft: str) -> None:
    await manager.post(f"{draft}/activate")

    assert_problem(await manager.post(f"{draft}/retire", headers={"If-Match": '"1"'}), 412, "version.stale")


async def test_an_unknown_programme_is_not_found(manager: AsyncClient) -> None:
    nothing = f"{PROGRAMMES}/01900000-0000-7000-8000-000000000000"

    assert_problem(await manager.get(nothing), 404, "programme.not-found")
    assert_problem(await manager.get(f"{nothing}/history"), 404, "programme.not-found")
    assert_problem(await manager.post(f"{nothing}/activate"), 404, "programme.not-found")


@pytest.mark.parametrize("role", ["reform-office", "unit-leader", "auditor", "society-officer"])
async def test_who_does_not_run_programmes_only_reads_them(talent: Door, draft: str, role: str) -> None:
    reader = talent.client_for(role, "CQKX")

    for path, body in ((PROGRAMMES, programme()), (f"{draft}/activate", {}), (f"{draft}/retire", {})):
        assert_problem(await reader.post(path, json=body), 403, "auth.not-permitted")
    assert (await reader.get(draft)).json()["allowed_actions"] == []


async def test_nobody_enters_without_a_token(talent: Door, draft: str) -> None:
    stranger = talent.client()

    for reply in (await stranger.get(PROGRAMMES), await stranger.get(draft), await stranger.post(f"{draft}/activate")):
        assert_problem(reply, 401, "auth.token-missing")


async def test_the_list_goes_through_all_programmes_by_code_page_by_page(manager: AsyncClient) -> None:
    for code in ("C", "A", "B"):
        await manager.post(PROGRAMMES, json=programme(code=code))

    first = (await manager.get(PROGRAMMES, params={"limit": 2})).json()
    second = (await manager.get(PROGRAMMES, params={"limit": 2, "cursor": first["next"]})).json()

    assert [one["code"] for one in first["items"]] == ["A", "B"]
    assert [one["code"] for one in second["items"]] == ["C"]
    assert second["next"] is None


async def test_defining_leaves_one_event_that_says_what_when_and_by_whom(talent: Door, draft: str) -> None:
    [told] = await talent.pool.fetch("SELECT * FROM event")
    programme_id = draft.rsplit("/", 1)[1]

    assert (told["aggregate_type"], told["aggregate_version"]) == ("programme", 1)
    assert told["type"] == "cn.cqast.talent.programme-defined.v1"
    assert told["effective_on"].isoformat() == "2022-01-10"
    particulars = programme()
    assert orjson.loads(told["payload"]) == {
        "programme": programme_id,
        "defined_on": particulars.pop("effective_on"),
        **particulars,
    }
    headers = orjson.loads(told["headers"])
    assert headers["ce_source"] == "urn:cqast:talent"
    assert headers["ce_subject"] == programme_id
    assert headers["ce_actor"] == told["actor"]
    assert await talent.pool.fetchval("SELECT position FROM outbox") == told["position"]


async def test_the_history_tells_all_three_steps_and_its_chain_holds(manager: AsyncClient, draft: str) -> None:
    await manager.post(f"{draft}/activate", json={"effective_on": "2022-03-01"})
    await manager.post(f"{draft}/retire", json={"effective_on": "2025-12-31"})

    history = (await manager.get(f"{draft}/history")).json()

    assert history["chain"] == "ok"
    assert [(one["version"], one["type"].split(".")[3], one["effective_on"]) for one in history["events"]] == [
        (1, "programme-defined", "2022-01-10"),
        (2, "programme-activated", "2022-03-01"),
        (3, "programme-retired", "2025-12-31"),
    ]


async def test_a_command_said_many_times_at_once_with_its_key_happens_once(talent: Door, manager: AsyncClient) -> None:
    said: dict[str, Any] = {"url": PROGRAMMES, "json": programme(), "headers": {"Idempotency-Key": "k"}}

    replies = await asyncio.gather(*(manager.post(**said) for _ in range(8)))

    assert {(one.status_code, one.content, one.headers["location"]) for one in replies} == {
        (201, replies[0].content, replies[0].headers["location"])
    }
    assert await talent.pool.fetchval("SELECT count(*) FROM event") == 1


async def test_the_reply_to_a_step_is_kept_though_further_steps_were_taken(manager: AsyncClient, draft: str) -> None:
    said: dict[str, Any] = {"url": f"{draft}/activate", "headers": {"Idempotency-Key": "k"}}
    first = await manager.post(**said)
    await manager.post(f"{draft}/retire")

    again = await manager.post(**said)

    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, '"2"')


async def test_a_key_is_not_used_for_another_body(manager: AsyncClient) -> None:
    await manager.post(PROGRAMMES, json=programme(), headers={"Idempotency-Key": "k"})

    other = await manager.post(PROGRAMMES, json=programme(code="HALL"), headers={"Idempotency-Key": "k"})

    assert_problem(other, 422, "idempotency.key-reused")


@pytest.mark.parametrize("statement", ["DELETE FROM programme", "DELETE FROM event", "UPDATE event SET actor = 'x'"])
async def test_the_service_itself_cannot_undo_what_was_said(talent: Door, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await talent.pool.execute(statement)


async def test_a_cursor_that_is_no_code_is_refused(manager: AsyncClient) -> None:
    reply = await manager.get(PROGRAMMES, params={"cursor": "abc"})
    assert_problem(reply, 422, "request.cursor-invalid", at="/query/cursor")
