"""What must happen on a day happens once, in order of days, whoever finds it due and however late."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY

from builders import PUBLIC_URL, a_milestone
from common.call import Call, Service
from common.clock import seconds_until_midnight
from common.decision import Change
from common.due import Clock, Due, WhatIsDue
from common.lanes import Lanes
from common.telemetry import CLOCK_LOOKED
from eventually import eventually
from keeping import keep_an_item
from measures import worker
from measures.item.domain import Item
from measures.item.store import items
from measures.worker import DUE
from ticking import clock_on, hand_out, happened, noon, rate

HERE = Path(worker.__file__).parent
STOPPED_ON = date(2026, 10, 1)
"""The day on which the worker was seen last."""
BACK_ON = STOPPED_ON + timedelta(days=40)


async def forty_days_of_things(pool: asyncpg.Pool) -> list[tuple[date, str, UUID]]:
    """What comes due while the worker is away, in the order in which it must happen, but for ties."""
    expected = []
    for n, days in enumerate((3, 11, 11, 26, 40)):
        day = STOPPED_ON + timedelta(days=days)
        expected.append((day, "assurance-expired", await rate(pool, f"R-{n}", expires_on=day)))
    await rate(pool, "R-LATER", expires_on=BACK_ON + timedelta(days=1))
    for n, days in enumerate((5, 20, 37)):
        due_on = STOPPED_ON + timedelta(days=days)
        item = await hand_out(pool, f"A1-{n}", due_on=due_on)
        remind_on = [due_on + timedelta(days=after) for after in (-30, -7, 1)]
        expected += [(day, "reform-item-reminded", item) for day in remind_on if day <= BACK_ON]
    return expected


def in_order(found: Sequence[tuple[date, str, UUID]]) -> bool:
    return [day for day, *_ in found] == sorted(day for day, *_ in found)


# ── after an outage ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_after_forty_days_each_due_thing_happens_once_in_order(pool: asyncpg.Pool) -> None:
    expected = await forty_days_of_things(pool)
    for _ in range(3):
        await clock_on(pool, BACK_ON).catch_up()
    found = await happened(pool)
    assert sorted(found) == sorted(expected)
    assert in_order(found)


async def test_two_workers_that_come_back_at_once_do_each_once_and_in_order(pool: asyncpg.Pool) -> None:
    expected = await forty_days_of_things(pool)
    both, before = asyncio.Barrier(2), _done()
    await asyncio.gather(*(clock_on(pool, BACK_ON, as_a_process(DUE, both)).catch_up() for _ in range(2)))
    found = await happened(pool)
    assert sorted(found) == sorted(expected)
    assert in_order(found)
    assert _done() - before == len(expected), "what the other had done already is not counted once more"


async def test_a_worker_that_is_killed_on_the_way_leaves_the_rest_to_the_next(pool: asyncpg.Pool) -> None:
    expected = await forty_days_of_things(pool)
    killed = asyncio.create_task(clock_on(pool, BACK_ON).catch_up())
    await eventually(lambda: _some(pool))
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await clock_on(pool, BACK_ON).catch_up()
    found = await happened(pool)
    assert sorted(found) == sorted(expected)
    assert in_order(found)


async def _some(pool: asyncpg.Pool) -> bool:
    return bool(await happened(pool))


def as_a_process(kinds: Mapping[str, WhatIsDue], both: asyncio.Barrier | None = None) -> Mapping[str, WhatIsDue]:
    """The kinds as another process has them: with lanes of its own, and asked before any other has done a thing."""

    def apart(ask: WhatIsDue) -> WhatIsDue:
        async def asked(pool: asyncpg.Pool, today: date) -> Sequence[Due[Any]]:
            found = [replace(due, store=copy.copy(due.store)) for due in await ask(pool, today)]
            for due in found:
                due.store._lanes = Lanes()
            if both:
                await both.wait()
            return found

        return asked

    return {name: apart(ask) for name, ask in kinds.items()}


# ── what keeps it so ─────────────────────────────────────────────────────────────────────────────────────────────────


def careless(item: UUID) -> Mapping[str, WhatIsDue]:
    """A kind whose decision does it again whenever it is asked: nothing but the key stands in the way."""

    def decide(state: Item) -> Change[Item]:
        return state.plan_milestone(a_milestone(len(state.milestones) + 1), on=date(2022, 2, 1))

    async def ask(_pool: asyncpg.Pool, today: date) -> Sequence[Due[Item]]:
        return [Due(on=today, key=f"careless/{item}", store=items, id=item, decide=decide)]

    return {"careless": ask}


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
async def test_the_key_lets_even_a_careless_thing_happen_once(pool: asyncpg.Pool, at_once: bool) -> None:
    assert await _how_often(pool, at_once=at_once) == 1


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
async def test_without_the_key_it_happens_twice(
    pool: asyncpg.Pool, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = Clock._call

    def keyless(clock: Clock, due: Due[Any]) -> Call:
        return replace(keyed(clock, due), key=None)

    monkeypatch.setattr(Clock, "_call", keyless)
    assert await _how_often(pool, at_once=at_once) == 2


async def _how_often(pool: asyncpg.Pool, *, at_once: bool) -> int:
    """How often a careless thing happens that two workers find due."""
    kinds = careless(await keep_an_item(pool))
    if at_once:
        both = asyncio.Barrier(2)
        await asyncio.gather(*(clock_on(pool, BACK_ON, as_a_process(kinds, both)).catch_up() for _ in range(2)))
    else:
        for _ in range(2):
            await clock_on(pool, BACK_ON, as_a_process(kinds)).catch_up()
    return len(await happened(pool))


async def test_a_clock_that_keeps_no_order_is_seen(pool: asyncpg.Pool) -> None:
    await forty_days_of_things(pool)
    for kind, ask in DUE.items():  # one kind after the other, as if each had a clock of its own
        await clock_on(pool, BACK_ON, {kind: ask}).catch_up()
    assert not in_order(await happened(pool))


async def test_what_cannot_be_done_stops_nothing_else_and_is_counted(pool: asyncpg.Pool) -> None:
    rated = await rate(pool, "A1-01", expires_on=date(2026, 10, 5))
    item = await keep_an_item(pool)

    def refuse(_state: Item) -> Change[Item]:
        raise RuntimeError("a fault of ours")

    async def faulty(_pool: asyncpg.Pool, today: date) -> Sequence[Due[Item]]:
        return [Due(on=date(2026, 10, 1), key="faulty", store=items, id=item, decide=refuse)]

    before, looked = _counted("kegai_clock_failures_total", "faulty"), CLOCK_LOOKED.collect()
    await clock_on(pool, BACK_ON, {"faulty": faulty, **DUE}).catch_up()
    assert await happened(pool) == [(date(2026, 10, 5), "assurance-expired", rated)]
    assert _counted("kegai_clock_failures_total", "faulty") - before == 1
    assert CLOCK_LOOKED.collect() == looked, "not all that was due is done"


async def test_a_kind_that_cannot_be_asked_for_silences_no_other(pool: asyncpg.Pool) -> None:
    rated = await rate(pool, "A1-01", expires_on=date(2026, 10, 5))

    async def wrong(pool: asyncpg.Pool, _: date) -> Sequence[Due[Any]]:
        await pool.fetch("SELECT 'no day'::date")
        return []

    before, looked = _counted("kegai_clock_failures_total", "wrong"), CLOCK_LOOKED.collect()
    await clock_on(pool, BACK_ON, {"wrong": wrong, **DUE}).catch_up()
    assert await happened(pool) == [(date(2026, 10, 5), "assurance-expired", rated)]
    assert _counted("kegai_clock_failures_total", "wrong") - before == 1
    assert CLOCK_LOOKED.collect() == looked


def _done() -> float:
    return sum(_counted("kegai_clock_done_total", kind) for kind in DUE)


def _counted(name: str, kind: str) -> float:
    return REGISTRY.get_sample_value(name, {"kind": kind}) or 0


# ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_it_looks_again_by_itself_whatever_it_met_and_says_when_it_did(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.due.LOOK_SECONDS", 0.01)
    rated, today, asked = await rate(pool, "A1-01", expires_on=date(2026, 10, 5)), [date(2026, 10, 4)], list[date]()

    async def fails_at_first(_pool: asyncpg.Pool, day: date) -> Sequence[Due[Any]]:
        asked.append(day)
        if len(asked) == 1:
            raise RuntimeError("a fault of ours")
        return []

    clock = Clock(Service("measures", pool, PUBLIC_URL), {"fails": fails_at_first, **DUE}, now=lambda: noon(today[0]))
    running = asyncio.create_task(clock.run())
    await eventually(lambda: len(asked) > 2)
    assert await happened(pool) == []
    today[0] = date(2026, 10, 5)
    await eventually(lambda: _some(pool))
    assert await happened(pool) == [(date(2026, 10, 5), "assurance-expired", rated)]
    await eventually(lambda: REGISTRY.get_sample_value("kegai_clock_looked_seconds") == noon(today[0]).timestamp())
    running.cancel()


@pytest.mark.parametrize(
    ("instant", "seconds"),
    [
        (datetime(2026, 11, 23, 15, 59, 50, tzinfo=UTC), 10),
        (datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC), 86_400),
        (datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC), 43_200),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(instant: datetime, seconds: int) -> None:
    assert seconds_until_midnight(instant) == seconds


def test_whatever_comes_due_is_asked_for_by_the_worker() -> None:
    modules = [".".join(path.parts[-2:]).removesuffix(".py") for path in HERE.glob("*/due.py")]
    told = [vars(import_module(f"measures.{module}")).items() for module in modules]
    kinds = {ask for names in told for name, ask in names if name.endswith("_due")}
    assert len(modules) == len(kinds) == len(DUE)
    assert kinds == set(DUE.values())
