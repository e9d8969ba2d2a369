"""A backlog is published window after window, the next one read while one is on its way, and keeps every promise."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner

from common import outbox
from common.kafka import relay_producer
from common.outbox import Relay
from common.publishing import Publisher
from lines import Line, adopt_plan, commit_plan, commit_plans, running, versions_of


async def test_a_backlog_of_many_windows_is_published_once_and_in_order(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WINDOW_MAX", 4)
    made = await commit_plans(line.pool, 11)
    async with running(line.relay()):
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


class MeetsALateRow(Relay):
    """While its first window is on its way a row is committed that stands before it."""

    late: asyncpg.Record | None
    pool: asyncpg.Pool

    async def _read_ahead(self, *told: Any) -> Any:
        if self.late is not None:
            await self.pool.execute("INSERT INTO outbox (position, slice) VALUES ($1, $2)", *self.late)
            self.late = None
        return await super()._read_ahead(*told)


async def _late_in_a_backlog(line: Line) -> UUID:
    """A plan's first event is committed when a window is on its way, its second stands behind that window."""
    plan = await commit_plan(line.pool)
    late = await line.pool.fetchrow("DELETE FROM outbox RETURNING position, slice")
    for _ in range(3):
        await commit_plan(line.pool)
    await adopt_plan(line.pool, plan)
    relay = line.relay(MeetsALateRow)
    assert isinstance(relay, MeetsALateRow)
    relay.late, relay.pool = late, line.pool
    async with running(relay):
        await line.drained()
    return plan


async def test_a_row_that_comes_late_in_a_backlog_is_published_before_what_follows_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WINDOW_MAX", 3)
    plan = await _late_in_a_backlog(line)
    assert versions_of(await line.published())[plan] == [1, 2]


async def test_reading_ahead_without_a_look_back_would_put_it_behind(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WINDOW_MAX", 3)
    monkeypatch.setattr(outbox, "READ_AHEAD", outbox.READ.replace("ORDER", "AND $4::bigint < $5::bigint + 1 ORDER"))
    plan = await _late_in_a_backlog(line)
    assert versions_of(await line.published())[plan] == [2, 1]


async def test_a_window_is_cut_into_batches_of_each_partition_in_their_order(line: Line) -> None:
    keys = [uuid4() for _ in range(4)]
    headers = orjson.dumps({"ce_id": "1", "ce_time": "2026-11-23T00:00:00Z"}).decode()
    rows: list[Any] = [
        {"position": n, "aggregate_id": keys[n % 4], "payload": bytes([n]) * 300_000, "headers": headers}
        for n in range(24)
    ]
    producer = relay_producer(line.bootstrap, line.name)
    await producer.start()
    publisher = Publisher(producer, line.topic, 0)
    window = await publisher.window(rows)
    await publisher.publish(window)
    await producer.stop()
    found = await line.published()
    assert len(window.batches) > line.partitions
    assert {(one.key, one.partition) for one in found} == {(str(k).encode(), _java_partition(k, line)) for k in keys}
    for nth, key in enumerate(keys):
        assert [one.value[0] for one in found if one.key == str(key).encode()] == list(range(nth, 24, 4))


def _java_partition(key: UUID, line: Line) -> int:
    partitions = list(range(line.partitions))
    return int(DefaultPartitioner()(str(key).encode(), partitions, partitions))
