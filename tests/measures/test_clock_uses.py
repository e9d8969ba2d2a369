"""Ratings expire on their day, and owners are reminded on theirs: what the worker's clock is used for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from builders import OWNER, call_of
from common.clock import SHANGHAI
from common.history import history_of
from measures.item.store import items
from measures.measure.rules import MeasureState
from ticking import clock_on, hand_out, happened, rate


async def test_a_rating_expires_on_its_day_and_is_told_with_its_cause(pool: asyncpg.Pool) -> None:
    rated = await rate(pool, "A1-01", expires_on=date(2026, 10, 5))
    await clock_on(pool, date(2026, 10, 4)).catch_up()
    assert await happened(pool) == []
    await clock_on(pool, date(2026, 10, 9)).catch_up()
    assert await happened(pool) == [(date(2026, 10, 5), "assurance-expired", rated)]
    row = await pool.fetchrow("SELECT * FROM event WHERE actor = 'clock'")
    assert row is not None
    headers = orjson.loads(row["headers"])
    assert headers["ce_causationid"] == row["causation"] == f"assurance-expiry/{rated}@1"
    assert (headers["ce_actor"], "ce_unitid" in headers) == ("clock", False)
    assert row["recorded_at"].astimezone(SHANGHAI).date() >= date(2026, 10, 9)  # effective then, recorded now
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE position = $1", row["position"]) == 1
    assert (await history_of(pool, "assurance", rated)).chain == "ok"


async def test_an_owner_is_reminded_a_month_and_a_week_before_and_when_it_is_overdue(pool: asyncpg.Pool) -> None:
    item = await hand_out(pool, "A1-01", due_on=date(2026, 10, 31))
    for day in range(70):
        await clock_on(pool, date(2026, 9, 20) + timedelta(days=day)).catch_up()
    days = (date(2026, 10, 1), date(2026, 10, 24), date(2026, 11, 1))
    assert await happened(pool) == [(day, "reform-item-reminded", item) for day in days]


async def _done(pool: asyncpg.Pool, item: UUID) -> None:
    for take in (
        lambda item: item.acknowledge(by=OWNER, on=date(2022, 2, 1)),
        lambda item: item.start(by=OWNER, on=date(2022, 2, 1)),
        lambda item: item.report_done(claim="完成", by=OWNER, on=date(2022, 2, 1)),
    ):
        await items.change(call_of(pool), item, take)


async def _acknowledged_late(pool: asyncpg.Pool, item: UUID) -> None:
    await items.change(call_of(pool), item, lambda item: item.acknowledge(by=OWNER, on=date(2026, 10, 2)))


def _measure(state: MeasureState, since: date) -> Callable[[asyncpg.Pool, UUID], Any]:
    """Its measure stands so since that day."""

    async def stands(pool: asyncpg.Pool, _item: UUID) -> None:
        await pool.execute(
            "INSERT INTO measure (id, version, hash, recorded_at, plan, code, state, since, leads, tags, acceptance) "
            "VALUES ($1, 1, '', now(), 'PLAN-1', 'A1', $2, $3, '[]', '{}', 'null')",
            uuid4(), state, since,
        )  # fmt: skip

    return stands


async def _left_alone(pool: asyncpg.Pool, item: UUID) -> None:
    pass


@pytest.mark.parametrize(
    ("meanwhile", "day", "times"),
    [
        (_left_alone, date(2026, 10, 1), 1),
        (_done, date(2026, 10, 1), 0),
        (_acknowledged_late, date(2026, 10, 2), 0),
        (_measure(MeasureState.SUSPENDED, date(2026, 9, 1)), date(2026, 10, 1), 0),
        (_measure(MeasureState.IN_PROGRESS, date(2026, 10, 2)), date(2026, 10, 5), 0),
        (_measure(MeasureState.IN_PROGRESS, date(2026, 9, 1)), date(2026, 10, 5), 1),
        (_left_alone, date(2026, 9, 30), 0),
        (_left_alone, date(2027, 1, 10), 2),
        (_left_alone, date(2027, 1, 29), 1),
        (_left_alone, date(2027, 6, 1), 0),
    ],
    ids=[
        "it waits for its owner", "it does not", "its last step came later", "its measure is suspended",
        "its measure was suspended on that day", "its measure goes on", "the day has not come",
        "the first reminder has lapsed", "two have lapsed", "all have lapsed",
    ],
)  # fmt: skip
async def test_an_owner_is_reminded_only_where(
    pool: asyncpg.Pool, meanwhile: Callable[[asyncpg.Pool, UUID], Any], day: date, times: int
) -> None:
    await meanwhile(pool, await hand_out(pool, "A1-01", due_on=date(2026, 10, 31)))
    await clock_on(pool, day).catch_up()
    assert len(await happened(pool)) == times
