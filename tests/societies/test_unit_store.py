"""What a command leaves in the database, once, and what the database itself does not let happen."""

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest
from httpx import AsyncClient

from doors import Door

UNITS = "/api/v1/units"


def district(code: str = "KX-YUZHONG", **changed: Any) -> dict[str, Any]:
    """The association of a district, as a request says it."""
    told = {"code": code, "kind": "district", "name_zh": "渝中区科协", "name_en": "Yuzhong District Association"}
    return told | {"parent": "CQKX", "division_code": "500103", "effective_on": "2021-01-01"} | changed


@pytest.fixture
def officer(societies: Door) -> AsyncClient:
    return societies.client_for("society-officer", "CQKX")


async def test_establishing_leaves_one_event_that_says_what_when_and_by_whom(
    societies: Door, officer: AsyncClient
) -> None:
    unit = (await officer.post(UNITS, json=district(), headers={"X-Request-Id": "req-1"})).json()["id"]

    [told] = await societies.pool.fetch("SELECT * FROM event WHERE aggregate_id = $1", unit)
    municipal = str(await societies.pool.fetchval("SELECT id FROM unit WHERE code = 'CQKX'"))
    assert (told["aggregate_type"], told["aggregate_version"]) == ("unit", 1)
    assert told["type"] == "cn.cqast.societies.unit-established.v1"
    assert told["effective_on"].isoformat() == "2021-01-01"
    assert orjson.loads(told["payload"]) == {
        "unit": unit,
        "code": "KX-YUZHONG",
        "kind": "district",
        "name_zh": "渝中区科协",
        "name_en": "Yuzhong District Association",
        "parent": municipal,
        "division_code": "500103",
        "zone_code": None,
        "established_on": "2021-01-01",
    }
    headers = orjson.loads(told["headers"])
    assert headers["ce_source"] == "urn:cqast:societies"
    assert headers["ce_subject"] == headers["ce_partitionkey"] == unit
    assert headers["ce_unitid"] == municipal
    assert headers["ce_correlationid"] == told["correlation"] == "req-1"
    assert headers["ce_actor"] == told["actor"]
    assert headers["ce_hash"] == told["hash"].hex()


async def test_every_event_waits_to_be_published(societies: Door, officer: AsyncClient) -> None:
    unit = (await officer.post(UNITS, json=district())).json()["id"]
    await officer.post(f"{UNITS}/{unit}/rename", json={"name_zh": "新名", "name_en": "New name"})

    events = await societies.pool.fetch("SELECT position FROM event ORDER BY position")
    assert await societies.pool.fetch("SELECT position FROM outbox ORDER BY position") == events
    assert len(events) == 3


async def test_a_refused_command_leaves_nothing(societies: Door, officer: AsyncClient) -> None:
    await officer.post(UNITS, json=district())
    before = await societies.pool.fetchval("SELECT count(*) FROM event")

    await officer.post(UNITS, json=district("KX-YUZHONG-2"), headers={"Idempotency-Key": "k"})

    assert await societies.pool.fetchval("SELECT count(*) FROM event") == before
    assert await societies.pool.fetchval("SELECT count(*) FROM unit WHERE code = 'KX-YUZHONG-2'") == 0
    assert await societies.pool.fetchval("SELECT count(*) FROM idempotency") == 0


async def test_a_command_said_twice_with_its_key_gets_the_same_reply_byte_for_byte(
    societies: Door, officer: AsyncClient
) -> None:
    said: dict[str, Any] = {"url": UNITS, "json": district(), "headers": {"Idempotency-Key": "k"}}

    first, second = await officer.post(**said), await officer.post(**said)

    assert (second.status_code, second.content) == (201, first.content)
    assert [second.headers[name] for name in ("etag", "location")] == [
        first.headers[name] for name in ("etag", "location")
    ]
    assert await societies.pool.fetchval("SELECT count(*) FROM event") == 2


async def test_a_command_said_many_times_at_once_with_its_key_happens_once(
    societies: Door, officer: AsyncClient
) -> None:
    said: dict[str, Any] = {"url": UNITS, "json": district(), "headers": {"Idempotency-Key": "k"}}

    replies = await asyncio.gather(*(officer.post(**said) for _ in range(8)))

    assert {(reply.status_code, reply.content) for reply in replies} == {(201, replies[0].content)}
    assert await societies.pool.fetchval("SELECT count(*) FROM event") == 2


async def test_the_reply_to_a_rename_is_kept_though_the_unit_was_renamed_since(officer: AsyncClient) -> None:
    unit = (await officer.post(UNITS, json=district())).headers["location"]
    said: dict[str, Any] = {
        "url": f"{unit}/rename",
        "json": {"name_zh": "一", "name_en": "One"},
        "headers": {"Idempotency-Key": "k"},
    }
    first = await officer.post(**said)
    await officer.post(f"{unit}/rename", json={"name_zh": "二", "name_en": "Two"})

    again = await officer.post(**said)

    assert (again.status_code, again.content) == (200, first.content)
    assert (await officer.get(unit)).json()["name_zh"] == "二"


async def test_a_key_is_not_used_for_another_body(officer: AsyncClient) -> None:
    await officer.post(UNITS, json=district(), headers={"Idempotency-Key": "k"})

    other = await officer.post(UNITS, json=district("KX-FULING"), headers={"Idempotency-Key": "k"})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key-reused")


async def establish_at_once(officer: AsyncClient, count: int = 6) -> int:
    """Several associations for one division, all at the same time; how many were established."""
    replies = await asyncio.gather(*(officer.post(UNITS, json=district(f"KX-{n}")) for n in range(count)))
    return sum(reply.status_code == 201 for reply in replies)


async def test_of_many_associations_established_at_once_for_a_division_one_stands(officer: AsyncClient) -> None:
    assert await establish_at_once(officer) == 1


async def test_it_is_the_index_that_keeps_a_division_to_one_association(societies: Door, officer: AsyncClient) -> None:
    owner = await asyncpg.connect(societies.database.owner_url)
    await owner.execute("DROP INDEX uq_unit_division_code")
    await owner.close()

    assert await establish_at_once(officer) == 6


async def test_a_division_is_free_once_its_association_was_merged_but_the_code_is_not(
    societies: Door, officer: AsyncClient
) -> None:
    await officer.post(UNITS, json=district())
    await societies.pool.execute("UPDATE unit SET state = 'merged' WHERE code = 'KX-YUZHONG'")

    reused = await officer.post(UNITS, json=district())
    successor = await officer.post(UNITS, json=district("KX-YUZHONG-2"))

    assert (reused.status_code, reused.json()["code"]) == (409, "unit.code-taken")
    assert successor.status_code == 201


@pytest.mark.parametrize("statement", ["DELETE FROM unit", "DELETE FROM event", "UPDATE event SET actor = 'x'"])
async def test_the_service_itself_cannot_undo_what_was_said(societies: Door, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await societies.pool.execute(statement)


async def test_an_altered_event_shows_in_the_history(societies: Door, officer: AsyncClient) -> None:
    unit = (await officer.post(UNITS, json=district())).headers["location"]
    owner = await asyncpg.connect(societies.database.owner_url)
    await owner.execute(
        "UPDATE event SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '渝中', '渝东'), 'UTF8')"
    )
    await owner.close()

    assert (await officer.get(f"{unit}/history")).json()["chain"] == "version 1 was altered"
