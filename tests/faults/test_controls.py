"""The quickest form of the controls: mutants in this process, scenarios cut down, the same invariants to judge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from builders import call_of
from common.cloudevents import Recorded
from common.database import Connection
from common.outbox import Relay
from common.projection import Projector
from common.store import Aggregates, Decided
from events.projector import ReformProgress
from events.views import progress
from eventually import eventually
from faults.cases import all_faults
from faults.cases.everything_three_times import put_again
from faults.evidence import Evidence, Sources, collect_from, command_side, tables_of, told
from faults.history import Accepted, HarnessError, History, Kind, Operation
from faults.holds import WAITING
from faults.invariants import check
from faults.launch import ChangedSource, changed_function, changed_module, changed_spec
from faults.mutants import INBOX, MUTANTS, OUTBOX, PROGRESS, PROJECTION, SAVING, Change, Mutant
from keeping import another_process, keep_an_item, planning
from lines import Line, adopt_plan, commit_plan, running
from measures.item.domain import Item
from servers import Database
from stories import Told as Stories
from stories import learn

ON = date(2022, 2, 1)
REAL = "the real module"


def tried(*mutants: str) -> pytest.MarkDecorator:
    """Each of these mutants, and the real module: what reveals a mistake must not be one itself."""
    return pytest.mark.parametrize("name", [REAL, *mutants])


def changed(name: str, module: str) -> Any:
    """A module with the mutant in it, or None for the real one."""
    return None if name == REAL else changed_module(MUTANTS[name], module)


def judge(name: str, evidence: Evidence, *, by: str | None = None) -> None:
    """The real module violates nothing, the mutant at least what must catch it."""
    violated = {invariant: found for invariant, found in check(evidence).items() if found}
    if name == REAL:
        assert violated == {}
    else:
        assert (by or MUTANTS[name].caught_by) in violated


@pytest.fixture
async def database(database_of: Callable[[str], Awaitable[Database]]) -> Database:
    """A database of measures."""
    return await database_of("measures")


@pytest.fixture
async def pool(database: Database, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]) -> asyncpg.Pool:
    """Connections of its runtime role."""
    return await pool_of(database)


@pytest.fixture
async def line(database: Database, pool: asyncpg.Pool, bootstrap: str, topic_of: Callable[..., Awaitable[str]]) -> Line:
    """The way from it to a topic."""
    return Line(database, pool, bootstrap, await topic_of(3), 3, f"test-{uuid4().hex}")


# ── the relay ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def published(line: Line) -> Evidence:
    """The evidence of a relay alone; of the views it is taken for granted that they have everything."""
    found = await command_side(line.database.owner_url)
    records = sorted(await line.published(), key=lambda record: (record.partition, record.offset))
    return Evidence(history=History(), records=told(records), applied=found["versions"], **_without_figures(found))


def _without_figures(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "decided"}


async def _relayed(line: Line, position: int) -> None:
    """A position is published and what lies below it had its chance."""

    async def out() -> bool:
        return not await line.pool.fetchval("SELECT count(*) FROM outbox WHERE position = $1", position)

    await eventually(out)


async def _commit_late(line: Line) -> None:
    """Of two positions that are given, the higher one's transaction has the lower id and commits first."""
    await commit_plan(line.pool)
    await commit_plan(line.pool)
    low, high = sorted(row["position"] for row in await line.pool.fetch("DELETE FROM outbox RETURNING position"))
    queue = "INSERT INTO outbox (position, slice) VALUES ($1, 0)"
    async with line.pool.acquire() as second, second.transaction():
        async with line.pool.acquire() as first, first.transaction():
            await first.execute("SELECT pg_current_xact_id()")
            await second.execute(queue, low)
            await first.execute(queue, high)
        await _relayed(line, high)
    await _relayed(line, await _next_position(line))


async def _next_position(line: Line) -> int:
    await commit_plan(line.pool)
    position: int = await line.pool.fetchval("SELECT max(position) FROM event")
    return position


@tried("position-cursor", "snapshot-cursor")
async def test_a_cursor_passes_by_what_commits_late(line: Line, name: str) -> None:
    module = changed(name, OUTBOX)
    async with running(line.relay(module.Relay if module else Relay)):
        await _commit_late(line)
    judge(name, await published(line))


class Stalling:
    """The first transaction of this process stalls before it begins, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go_on, begin = asyncio.Event(), asyncio.Event(), AIOKafkaProducer.begin_transaction

        async def stalled(producer: AIOKafkaProducer) -> None:
            if not self.reached.is_set():
                self.reached.set()
                await self.go_on.wait()
            await begin(producer)

        monkeypatch.setattr(AIOKafkaProducer, "begin_transaction", stalled)


@tried("skip-locked")
async def test_workers_that_share_by_skip_locked_overtake_each_other(
    line: Line, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, stalling = changed(name, OUTBOX), Stalling(monkeypatch)
    relay = module.Relay if module else Relay
    plan = await commit_plan(line.pool)
    async with running(line.relay(relay), line.relay(relay)):
        await stalling.reached.wait()
        await adopt_plan(line.pool, plan)
        if module:
            await _relayed(line, await line.pool.fetchval("SELECT max(position) FROM event"))
        stalling.go_on.set()
        await line.drained()
    judge(name, await published(line))


# ── the save ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def saving(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Aggregates[Item]]:
    """Call it with a mutant's name: the store of items, as another process has it, with its statement."""

    def store(name: str) -> Aggregates[Item]:
        if module := changed(name, SAVING):
            monkeypatch.setattr("common.store.update_statement", module.update_statement)
        return another_process()

    return store


async def saved(database: Database, history: History) -> Evidence:
    """The evidence of the command side alone."""
    found = await command_side(database.owner_url)
    return Evidence(history=history, **found | {"decided": {}})


@tried("no-key", "key-conflict-ignored")
async def test_without_its_key_a_late_repeat_takes_effect_again(
    database: Database, pool: asyncpg.Pool, saving: Callable[[str], Aggregates[Item]], name: str
) -> None:
    store, item, history = saving(name), await keep_an_item(pool), History()
    for sent_at, (key, days) in enumerate([("k1", 1), ("k2", 2), ("k1", 1)]):
        call = call_of(pool, key=key, correlation=key)
        reply = await store.change(call, item, _rescheduling(days))
        decided = Decided.model_validate_json(bytes(reply.body))
        outcome = Accepted(reply.status_code, bytes(bytes(reply.body)), decided.id, decided.version)
        history.add(Operation("client", Kind.COMMAND, "reschedule", sent_at, sent_at + 0.5, outcome, item, key))
    evidence = await saved(database, history)
    violated = {invariant for invariant, found in check(evidence).items() if found} - _UNPUBLISHED
    assert violated == (set() if name == REAL else {MUTANTS[name].caught_by})


_UNPUBLISHED = {"I1"}
"""Violated where nothing is relayed: a test of the save alone does not look at it."""


def _rescheduling(days: int) -> Callable[[Item], Any]:
    day = date(2023, 1, 1) + timedelta(days=days)
    return lambda item: item.reschedule_milestone(1, planned_on=day, reason="x", on=ON)


@tried("no-version-check")
async def test_without_its_version_check_two_doors_save_the_same_version(
    database: Database, pool: asyncpg.Pool, saving: Callable[[str], Aggregates[Item]], name: str
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(MUTANTS["no-version-check"].without)
    await owner.close()
    item, doors = await keep_an_item(pool), [saving(name), saving(name)]
    for number in range(10, 30, 2):
        calls = (door.change(call_of(pool), item, planning(number + nth)) for nth, door in enumerate(doors))
        await asyncio.gather(*calls)
    evidence = await saved(database, History())
    violated = {invariant for invariant, found in check(evidence).items() if found} - _UNPUBLISHED
    assert violated >= (set() if name == REAL else {MUTANTS[name].caught_by})
    assert name != REAL or not violated


# ── the projection ───────────────────────────────────────────────────────────────────────────────────────────────────


class Interrupted(ReformProgress):
    """The views of one topic, under a name of their own; ``faults`` are raised in the middle of a batch, one each."""

    def __init__(self, topic: str) -> None:
        self.name = f"test-{uuid4().hex}"
        self.topics = (topic,)
        self.faults: list[Exception] = []

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """As ever, and then the database is gone."""
        await super().apply(connection, records)
        if records and self.faults:
            raise self.faults.pop()


@dataclass
class Way:
    """The whole way, from commands to views, and an empty database to rebuild them in."""

    line: Line
    live: Database
    scratch: Database
    pool: asyncpg.Pool
    views: Interrupted

    @asynccontextmanager
    async def projecting(self, kind: type[Projector] = Projector) -> AsyncIterator[None]:
        """The projector runs while the test goes on."""
        task = asyncio.create_task(kind(self.views, pool=self.pool, bootstrap=self.line.bootstrap).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def caught_up(self) -> None:
        """All that was published until now was read."""
        await self.line.drained()
        since = await self.pool.fetchval("SELECT clock_timestamp()")

        async def read() -> bool:
            sql = "SELECT count(*) FROM projection_offset WHERE projection = $1 AND caught_up_at > $2"
            return bool(await self.pool.fetchval(sql, self.views.name, since) == self.line.partitions)

        await eventually(read, seconds=20)

    async def evidence(self) -> Evidence:
        """All that there is, but for figures: there are no items."""
        sources = Sources(
            commands=[self.line.database.owner_url],
            views=self.live.owner_url,
            scratch=self.scratch.owner_url,
            bootstrap=self.line.bootstrap,
            topics=[self.line.topic],
            projection=self.views.name,
        )
        return await collect_from(sources, History())


@pytest.fixture
async def way(
    line: Line,
    database_of: Callable[[str], Awaitable[Database]],
    pool_of: Callable[[Database], Awaitable[asyncpg.Pool]],
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    """A way of this test's own; its projector looks often whether it has reached the end."""
    monkeypatch.setattr("common.projection.TICK_SECONDS", 0.05)
    live = await database_of("events")
    return Way(line, live, await database_of("events"), await pool_of(live), Interrupted(line.topic))


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
        monkeypatch.setattr(progress, "refresh", changed_function(MUTANTS[name], PROGRESS, "refresh"))
    await _race(way.pool, *([record for record in after if record.aggregate_id == item.item.id] for item in items))
    live, rebuilt = await tables_of(way.live.owner_url), await tables_of(way.scratch.owner_url)
    judge(name, Evidence(history=History(), live=live, rebuilt=rebuilt), by="I6")


def test_every_mutant_finds_its_place() -> None:
    for mutant in MUTANTS.values():
        for module in mutant.modules:
            loader = changed_spec(module, mutant).loader
            assert isinstance(loader, ChangedSource)
            changed, real = loader.get_code(module), compile(Path(loader.path).read_text(), loader.path, "exec")
            assert changed != real


def test_a_mutant_whose_text_is_gone_is_an_error() -> None:
    gone = Mutant("gone", "", (Change(OUTBOX, "a text that nobody wrote", ""),), scenario="", caught_by="I1")
    with pytest.raises(HarnessError, match="0 times"):
        changed_module(gone, OUTBOX)


def test_every_mutant_has_a_fault_that_reveals_it() -> None:
    assert {mutant.scenario for mutant in MUTANTS.values()} <= all_faults().keys()
