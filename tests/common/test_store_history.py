"""What happened is never rewritten by who runs the service, and whoever else rewrites it is found out."""

from datetime import date
from uuid import UUID

import asyncpg
import pytest

from builders import call_of, plan_words
from common.store import Decided
from keeping import keep_an_item
from measures.plan.domain import define_plan
from measures.plan.store import plans


@pytest.mark.parametrize("attempt", ["UPDATE event SET actor = 'x'", "DELETE FROM event", "TRUNCATE event"])
async def test_the_runtime_role_cannot_rewrite_history(pool: asyncpg.Pool, attempt: str) -> None:
    await keep_an_item(pool)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(attempt)


async def test_the_role_that_owns_the_tables_could(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await keep_an_item(pool)
    assert await owner.execute("UPDATE event SET actor = 'x'") == "UPDATE 2"


@pytest.fixture
async def plan(pool: asyncpg.Pool) -> UUID:
    """A plan with three events."""
    reply = await plans.create(call_of(pool), lambda new_id: define_plan(**plan_words(id=new_id)))
    plan = Decided.model_validate_json(bytes(reply.body)).id
    await plans.change(call_of(pool), plan, lambda p: p.adopt(issuer="x", document_number="1", on=date(2021, 2, 1)))
    await plans.change(call_of(pool), plan, lambda p: p.enter_phase("P0", on=date(2021, 3, 1)))
    return plan


async def test_an_untouched_history_holds(pool: asyncpg.Pool, plan: UUID) -> None:
    history = await plans.history(call_of(pool), plan)
    assert (history.chain, [event.version for event in history.events]) == ("ok", [1, 2, 3])


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            "UPDATE event SET payload = set_byte(payload, 0, get_byte(payload, 0) # 1) WHERE aggregate_version = 2",
            "version 2 was altered",
        ),
        (
            "UPDATE event SET payload = payload || ' ' WHERE aggregate_version = 2",
            "version 2 was altered",
        ),
        (
            """UPDATE event SET headers = headers::jsonb || '{"ce_actor": "x"}' WHERE aggregate_version = 1""",
            "version 1 was altered",
        ),
        (
            """UPDATE event SET headers = headers::jsonb || '{"ce_actor": 7}' WHERE aggregate_version = 2""",
            "version 2 was altered",
        ),
        ("UPDATE event SET headers = '[]' WHERE aggregate_version = 2", "version 2 was altered"),
        ("UPDATE event SET headers = '{}' WHERE aggregate_version = 1", "version 1 is missing or out of its place"),
        (
            """UPDATE event SET headers = headers::jsonb || '{"ce_unitid": "nobody"}' WHERE aggregate_version = 2""",
            "version 2 was altered",
        ),
        ("UPDATE event SET payload = '[]' WHERE aggregate_version = 2", "version 2 was altered"),
        ("DELETE FROM event WHERE aggregate_version = 2", "version 2 is missing or out of its place"),
        (
            """UPDATE event SET (payload, headers) = (SELECT payload, headers FROM event other
               WHERE other.aggregate_version = 5 - event.aggregate_version) WHERE aggregate_version > 1""",
            "version 2 is missing or out of its place",
        ),
    ],
    ids=[
        "a flipped bit",
        "a further byte",
        "another actor",
        "an actor that is no text",
        "headers that are none",
        "no headers",
        "a unit that is none",
        "data that are none",
        "a removed event",
        "two swapped events",
    ],
)
async def test_a_history_that_was_tampered_with_says_where(
    pool: asyncpg.Pool, owner: asyncpg.Connection, plan: UUID, tamper: str, found: str
) -> None:
    await owner.execute(tamper)
    assert (await plans.history(call_of(pool), plan)).chain == found


async def test_the_row_keeps_the_hash_of_its_last_event(pool: asyncpg.Pool, plan: UUID) -> None:
    last = await pool.fetchval("SELECT hash FROM event ORDER BY position DESC LIMIT 1")
    assert (await plans.load(call_of(pool), plan)).hash == last
