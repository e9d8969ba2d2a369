"""An aggregate may begin with its first change: of two first changes both are kept, one after the other."""

import asyncio
from collections.abc import Callable
from copy import copy
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest

from builders import UNITS, call_of
from common.decision import Change
from common.lanes import Lanes
from common.store import Aggregates
from keeping import count
from lines import adopt_plan, commit_plan
from measures.measure.domain import Measure, measure_id
from measures.measure.store import measures
from refusals import refused

ON = date(2022, 1, 10)
Decide = Callable[[Measure], Change[Measure]]


@pytest.fixture
async def measure(pool: asyncpg.Pool) -> UUID:
    """A measure of an adopted plan, before its first command."""
    plan = await commit_plan(pool)
    await adopt_plan(pool, plan)
    return measure_id(plan, "A1")


def _launch(measure: Measure) -> Change[Measure]:
    return measure.launch(by=None, on=ON)


def _lead(unit: str) -> Decide:
    return lambda measure: measure.assign_lead(lead=UNITS[unit].id, co_units=(), by=None, on=ON)


def _another_process() -> Aggregates[Measure]:
    """The same store as another process has it: with lanes of its own."""
    store = copy(measures)
    store._lanes = Lanes()
    return store


async def test_what_has_no_row_yet_is_read_as_it_begins_and_its_first_change_makes_the_row(
    pool: asyncpg.Pool, measure: UUID
) -> None:
    before = await measures.load(call_of(pool), measure)
    assert (before.state.version, before.state.state, await count(pool, "measure")) == (0, "planned", 0)
    reply = await measures.change(call_of(pool), measure, _launch)
    assert (reply.status_code, reply.headers["etag"]) == (200, '"1"')
    assert (await measures.load(call_of(pool), measure)).state.state == "launched"
    assert (await measures.history(call_of(pool), measure)).chain == "ok"


async def test_of_first_changes_at_once_all_are_kept_one_after_the_other(pool: asyncpg.Pool, measure: UUID) -> None:
    first = [(measures, _launch), (_another_process(), _lead("ORG")), (_another_process(), _lead("SOC"))]
    await asyncio.gather(*(store.change(call_of(pool), measure, decide) for store, decide in first))
    after = (await measures.load(call_of(pool), measure)).state
    assert (after.version, after.state, {lead.unit for lead in after.leads}) == (
        3, "launched", {UNITS["ORG"].id, UNITS["SOC"].id},
    )  # fmt: skip
    assert (await measures.history(call_of(pool), measure)).chain == "ok"


async def test_whoever_does_not_decide_again_loses_the_race(
    pool: asyncpg.Pool, measure: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.store.ATTEMPTS_MAX", 1)
    stores = [measures, *(_another_process() for _ in range(3))]
    replies = await asyncio.gather(
        *(store.change(call_of(pool), measure, _lead(unit)) for store, unit in zip(stores, UNITS, strict=False)),
        return_exceptions=True,
    )
    assert any(isinstance(reply, Exception) for reply in replies)
    assert (await measures.load(call_of(pool), measure)).state.version == len(replies) - sum(
        isinstance(reply, Exception) for reply in replies
    )


async def test_what_changes_nothing_makes_no_row(pool: asyncpg.Pool, measure: UUID) -> None:
    reply = await measures.change(call_of(pool, key="k-1"), measure, lambda now: Change(now, (), ON))
    assert (reply.status_code, await count(pool, "measure"), await count(pool, "idempotency")) == (200, 0, 0)


async def test_under_an_id_of_nothing_nothing_begins(pool: asyncpg.Pool, measure: UUID) -> None:
    with refused("measure.not-found"):
        await measures.change(call_of(pool), uuid4(), _launch)
    assert await count(pool, "measure") == 0
