"""While one batch is applied the next is read, and of all partitions at once: nothing is skipped or mixed up by it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from builders import circumstances, wire
from common import offsets, projection, watching
from common.cloudevents import Recorded
from common.contracts.measures import PlanAdopted
from common.database import Connection
from common.inbox import opened
from common.parking import Parcel
from common.projection import Batch, Projector
from eventually import eventually
from stages import OTHER, PLAN, Seen, Stage

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01".encode()


@dataclass
class Held(Seen):
    """A projection that is held when it has written version ``at``, until it is let go on."""

    at: int = 1
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        if self.at in [record.version for record in records]:
            self.reached.set()
            await self.go_on.wait()
        await super().apply(connection, records)


@pytest.fixture
def read_ahead(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were read so far, one record at a time and with no tick that would wait for them.

    What is fetched before its partition is taken up is read again after that.
    """
    versions: list[int] = []

    def noting(*about: Any) -> list[Parcel]:
        parcels = opened(*about)
        versions.extend(parcel.version for parcel in parcels)
        return parcels

    monkeypatch.setattr(projection, "opened", noting)
    monkeypatch.setattr(projection, "BATCH_MAX", 1)
    monkeypatch.setattr(projection, "BACKLOG_MIN", 0)
    return versions


async def test_the_next_batch_is_read_while_the_present_one_is_applied(stage: Stage, read_ahead: list[int]) -> None:
    view = Held((stage.topic,))
    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting(view=view):
        await view.reached.wait()
        await eventually(lambda: read_ahead[-1] == 2)
        assert await stage.versions(PLAN) == []
        view.go_on.set()
        await stage.shows(PLAN, 1, 2, 3)
    assert view.given == [[1], [2], [3]]


async def test_what_was_read_ahead_of_a_batch_that_failed_is_taken_in_after_it(
    stage: Stage, read_ahead: list[int]
) -> None:
    view = Held((stage.topic,), faults=[OSError("the connection broke")])
    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting(view=view):
        await view.reached.wait()
        await eventually(lambda: read_ahead[-1] == 2)
        view.go_on.set()
        await stage.shows(PLAN, 1, 2, 3)
    assert view.given == [[1], [1], [2], [3]]
    assert await stage.parked() == []


async def test_what_was_read_ahead_of_a_partition_that_is_revoked_is_read_again_when_it_comes_back(
    stage: Stage, read_ahead: list[int]
) -> None:
    view = Held((stage.topic,), at=2)
    projector = Projector(view, pool=stage.pool, bootstrap=stage.bootstrap)
    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    running = asyncio.create_task(projector.run())
    try:
        await view.reached.wait()
        await eventually(lambda: read_ahead[-1] == 3)
        await projector.on_partitions_revoked([TopicPartition(stage.topic, 0)])
        view.go_on.set()
        await stage.shows(PLAN, 1, 2, 3)
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert read_ahead[-3:] == [3, 2, 3]
    assert await stage.parked() == []


async def test_what_was_fetched_of_several_partitions_is_taken_in_together(stage: Stage) -> None:
    projector = Projector(stage.view, pool=stage.pool, bootstrap=stage.bootstrap)
    batches = [fetched(stage.topic, 0, PLAN, 1, 2), fetched(stage.topic, 1, OTHER, 1)]
    projector._cursors = {batch.partition: 0 for batch in batches}
    async with stage.pool.acquire() as connection:
        for batch in batches:
            await offsets.lock_one(connection, stage.view.name, batch.partition)
        await projector._apply(connection, batches)
    rows = await stage.pool.fetch("SELECT partition, next_offset FROM projection_offset ORDER BY 1")
    assert [tuple(row) for row in rows] == [(0, 2), (1, 1)]
    assert stage.view.given == [[1, 1, 2]]


def fetched(topic: str, partition: int, plan: UUID, *versions: int) -> Batch:
    """What one partition holds from its beginning."""
    records: list[Any] = []
    for offset, version in enumerate(versions):
        event = PlanAdopted(plan=plan, issuer="x", document_number="1", adopted_on=date(2021, 2, 1))
        headers, value = wire(event, circumstances("plan", plan, version))
        place = {"topic": topic, "partition": partition, "offset": offset, "timestamp": 0}
        records.append(SimpleNamespace(**place, headers=headers, value=value))
    return Batch(TopicPartition(topic, partition), records, [Parcel.open(record) for record in records])


# ── what operators see ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_lag_in_seconds_is_that_of_the_last_record_applied_and_ends_with_the_backlog(
    stage: Stage, read_ahead: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
    view = Held((stage.topic,), at=3)

    def lag() -> float | None:
        told = {"projection": view.name, "topic": stage.topic}
        return REGISTRY.get_sample_value("kegai_consumer_lag_seconds", told)

    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting(view=view):
        await view.reached.wait()
        assert (lag() or 0) > 0
        view.go_on.set()
        await stage.shows(PLAN, 1, 2, 3)
        await eventually(lambda: lag() == 0)


async def test_what_is_parked_is_logged_with_its_place_and_its_trace(stage: Stage) -> None:
    await stage.tell(PLAN, 2, traceparent=TRACEPARENT)
    with capture_logs() as logged:
        async with stage.projecting():
            await stage.has_parked((2, "waits"))
    (line,) = [line for line in logged if line["event"] == "projection.parked"]
    assert (line["reason"], line["place"], line["trace"]) == ("waits", f"{stage.topic}[0]@0", TRACE_ID)


async def test_a_slow_batch_is_logged_with_its_trace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "SLOW_SECONDS", 0.0)
    await stage.tell(PLAN, 1, traceparent=TRACEPARENT)
    with capture_logs() as logged:
        async with stage.projecting():
            await eventually(lambda: [line for line in logged if line["event"] == "projection.slow"])
    (line,) = [line for line in logged if line["event"] == "projection.slow"]
    assert (line["events"], line["trace"]) == (1, TRACE_ID)
