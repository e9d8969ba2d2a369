"""The quickest form of the controls: mutants in this process, scenarios cut down, the same invariants to judge."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from builders import call_of
from common.outbox import Relay
from common.store import Aggregates, Decided
from eventually import eventually
from faults.cases import all_faults
from faults.evidence import Evidence, command_side, told
from faults.history import Accepted, HarnessError, History, Kind, Operation
from faults.invariants import check
from faults.launch import ChangedSource, changed_module, changed_spec
from faults.mutants import MUTANTS, OUTBOX, SAVING, Change, Mutant
from faults.trying import REAL, changed, judge, tried
from keeping import another_process, keep_an_item, planning
from lines import Line, adopt_plan, commit_plan, running
from measures.item.domain import Item
from servers import Database

ON = date(2022, 2, 1)


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
        outcome = Accepted(reply.status_code, bytes(reply.body), decided.id, decided.version)
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


# ── the mutants themselves ──────────────────────────────────────────────────────────────────────────────────────────


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
