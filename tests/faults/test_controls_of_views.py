"""The quickest form of the controls of the projection and its roll-ups, each beside the real module."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

import asyncpg
import pytest

from common.cloudevents import Recorded
from common.projection import Projector
from events.projector import ReformProgress
from events.views import progress
from eventually import eventually
from faults.cases.everything_three_times import put_again
from faults.evidence import Evidence, tables_of
from faults.history import History
from faults.holds import WAITING
from faults.launch import changed_function
from faults.mutants import INBOX, MUTANTS, PROGRESS, PROJECTION
from faults.trying import REAL, changed, judge, tried
from faults.ways import Way
from lines import adopt_plan, commit_plan, running
from servers import Database
from stories import Told as Stories
from stories import learn


@tried("offset-before-view")
async def test_an_offset_that_is_committed_first_loses_what_was_not_applied(way: Way, name: str) -> None:
    module = changed(name, PROJECTION)
    way.views.faults = [ConnectionResetError("gone in the middle of a batch")]
    async with running(way.line.relay()), way.projecting(module.Projector if module else Projector):
        plan = await commit_plan(way.line.pool)
        await eventually(lambda: not way.views.faults)
        await adopt_plan(way.line.pool, plan)
        await way.caught_up()
    judge(name, await way.evidence())


@tried("no-version-guard")
async def test_without_the_version_guard_repeats_are_applied(
    way: Way, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module := changed(name, INBOX):
        monkeypatch.setattr("common.projection.Inbox", module.Inbox)
        monkeypatch.setattr("common.projection.Refuses", module.Refuses)
    async with running(way.line.relay()), way.projecting():
        plan = await commit_plan(way.line.pool)
        await way.caught_up()
        await put_again(way.line.bootstrap, way.line.topic)
        await way.caught_up()
        await adopt_plan(way.line.pool, plan)
        await way.caught_up()
    judge(name, await way.evidence())


async def _race(pool: asyncpg.Pool, first: Sequence[Recorded], second: Sequence[Recorded]) -> None:
    """Two batches of two partitions at once: the first is held open until the second has done what it can."""
    async with pool.acquire() as one, one.transaction():
        await ReformProgress().apply(one, first)
        other = asyncio.create_task(learn(pool, second))

        async def waits() -> bool:
            assert not other.done()
            return bool(await one.fetchval(WAITING))

        await eventually(waits)
    await other


@tried("no-roll-up-lock")
async def test_without_its_lock_a_measure_forgets_what_came_at_the_same_moment(
    way: Way, name: str, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told_of = Stories()
    told_of.plan()
    items = [told_of.item("A1-01"), told_of.item("A1-02")]
    before = list(told_of.records)
    for item in items:
        item.attains(1, date(2022, 6, 1))
    after = [record for record in told_of.records if record not in before]
    await learn(await pool_of(way.scratch), told_of.records)
    await learn(way.pool, before)
    if name != REAL:
        monkeypatch.setattr(progress, "locked", changed_function(MUTANTS[name], PROGRESS, "locked"))
    await _race(way.pool, *([record for record in after if record.aggregate_id == item.item.id] for item in items))
    live, rebuilt = await tables_of(way.live.owner_url), await tables_of(way.scratch.owner_url)
    judge(name, Evidence(history=History(), live=live, rebuilt=rebuilt), by="I6")
