"""A projection takes each event in once, in order, whatever the topic brings; what it cannot take waits in view."""

import asyncio
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import REGISTRY

from eventually import eventually
from stages import OTHER, PLAN, Stage

# ── once and in order ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_event_is_taken_in_once_and_in_order(stage: Stage) -> None:
    for version in (1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
        await stage.tell(PLAN, 4)
        await stage.shows(PLAN, 1, 2, 3, 4)


async def test_repeats_are_dropped(stage: Stage) -> None:
    for version in (1, 1, 2, 1, 2, 3):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
    assert await stage.parked() == []


async def test_another_start_takes_nothing_in_again(stage: Stage) -> None:
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)


async def test_a_batch_that_fails_leaves_nothing_behind_and_is_taken_again(stage: Stage) -> None:
    stage.view.faults = [OSError("the connection broke")]
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    assert stage.view.faults == []


async def test_a_consumer_that_is_cancelled_from_within_does_not_end_the_loop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = AIOKafkaConsumer.stop

    async def cancels_itself(consumer: AIOKafkaConsumer) -> None:
        await stop(consumer)
        raise asyncio.CancelledError

    monkeypatch.setattr(AIOKafkaConsumer, "stop", cancels_itself)
    stage.view.faults = [OSError("the connection broke")]
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)


@pytest.mark.parametrize("asked", ["start", "commit"])
async def test_a_broker_that_wakes_up_and_names_no_nodes_ends_no_projection(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    asks, failed = getattr(AIOKafkaConsumer, asked), list[bool]()

    async def asserts_once(consumer: AIOKafkaConsumer, *what: Any) -> None:
        if not failed:
            failed.append(True)
            raise AssertionError("Did we not perform bootstrap?")
        await asks(consumer, *what)

    monkeypatch.setattr(AIOKafkaConsumer, asked, asserts_once)
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
        await eventually(lambda: failed)
        await stage.tell(PLAN, 2)
        await stage.shows(PLAN, 1, 2)


@pytest.mark.parametrize("fault", [asyncpg.DeadlockDetectedError, asyncpg.QueryCanceledError])
async def test_what_the_database_broke_off_is_no_fault_of_the_events(stage: Stage, fault: type[Exception]) -> None:
    stage.view.faults = [fault("begin anew")]
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    assert (stage.view.given, await stage.parked()) == ([[1, 2], [1, 2]], [])


async def test_events_that_come_together_in_the_wrong_order_are_taken_in_in_the_right_one(stage: Stage) -> None:
    for version in (2, 1):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
    assert (stage.view.given, await stage.parked()) == ([[1, 2]], [])


async def test_aggregates_that_a_projection_does_not_concern_itself_with_are_passed_over(stage: Stage) -> None:
    await stage.tell(OTHER, 5, ce_aggregatetype=b"item")
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
    assert (await stage.versions(OTHER), await stage.parked()) == ([], [])


async def test_the_group_mirrors_what_the_database_holds_and_knows_when_it_reached_the_end(stage: Stage) -> None:
    for version in (1, 2):
        await stage.tell(PLAN, version)

    async def reached() -> bool:
        found: int = await stage.pool.fetchval("SELECT count(*) FROM projection_offset WHERE caught_up_at IS NOT NULL")
        return found == 1

    async with stage.projecting():
        await eventually(reached)
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    mirrored = await admin.list_consumer_group_offsets(stage.view.name)
    await admin.close()
    stored = await stage.pool.fetchval("SELECT next_offset FROM projection_offset")
    assert mirrored[TopicPartition(stage.topic, 0)].offset == stored == 2


# ── gaps and poison ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_event_that_comes_too_early_waits_for_the_one_before_it(stage: Stage) -> None:
    for version in (1, 3, 4):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.has_parked((3, "waits"), (4, "waits"))
        assert await stage.versions(PLAN) == [1]
        await stage.tell(PLAN, 2)
        await stage.shows(PLAN, 1, 2, 3, 4)
        await stage.has_parked()


POISON: dict[str, dict[str, Any]] = {
    "unknown-type": {"ce_type": b"cn.cqast.measures.plan-adopted.v9"},
    "envelope": {"ce_time": b"yesterday"},
}


@pytest.mark.parametrize("reason", POISON)
async def test_poison_stops_its_aggregate_and_nothing_else(stage: Stage, reason: str) -> None:
    await stage.tell(PLAN, 1)
    await stage.tell(PLAN, 2, **POISON[reason])
    await stage.tell(PLAN, 3)
    await stage.tell(OTHER, 1)
    async with stage.projecting():
        await stage.shows(OTHER, 1)
        await stage.tell(PLAN, 4)
        await stage.has_parked((2, reason), (3, "waits"), (4, "waits"))
        await stage.tell(OTHER, 2)
        await stage.shows(OTHER, 1, 2)
    assert await stage.versions(PLAN) == [1]


async def test_a_sound_copy_that_comes_later_releases_what_waits_behind_poison(stage: Stage) -> None:
    await stage.tell(PLAN, 1, ce_time=b"yesterday")
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        await stage.has_parked((1, "envelope"), (2, "waits"))
        await stage.tell(PLAN, 1)
        await stage.shows(PLAN, 1, 2)
        await stage.has_parked()


async def test_what_a_view_refuses_stops_its_aggregate_until_the_view_is_mended(stage: Stage) -> None:
    stage.view.refuses = "nobody"
    await stage.tell(PLAN, 1)
    await stage.tell(PLAN, 2, issuer="nobody")
    await stage.tell(PLAN, 3)
    await stage.tell(OTHER, 1)
    async with stage.projecting():
        await stage.has_parked((2, "refused-by-view"), (3, "waits"))
        await stage.shows(OTHER, 1)
    stage.view.refuses = ""
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2, 3)
        await stage.has_parked()


async def test_a_broken_record_that_claims_a_version_already_taken_in_is_parked_and_counted(stage: Stage) -> None:
    for version in (1, 2):
        await stage.tell(PLAN, version)
    async with stage.projecting():
        await stage.shows(PLAN, 1, 2)
        await stage.tell(PLAN, 1, ce_time=b"yesterday")
        await stage.has_parked((None, "envelope"))
        await stage.tell(PLAN, 3)
        await stage.shows(PLAN, 1, 2, 3)
        told = {"projection": stage.view.name}
        await eventually(lambda: REGISTRY.get_sample_value("kegai_parked_records", told) == 1)
    assert await stage.parked() == [(None, "envelope")]


NASTY: dict[str, list[tuple[str, bytes | None]]] = {
    "no headers at all": [],
    "a header without a value": [("ce_id", None)],
    "zero bytes": [("ce_id", b"\0"), ("a\0b", b"\0\xff"), ("ce_aggregatetype", b"plan")],
    "no text": [("ce_id", b"\xff\xfe"), ("ce_aggregatetype", b"plan")],
    "an endless version": [("ce_subject", str(PLAN).encode()), ("ce_sequence", b"9" * 40)],
    "a version below one": [("ce_subject", str(PLAN).encode()), ("ce_sequence", b"-1")],
}


async def test_a_record_of_nobody_is_parked_alone_and_copied_as_it_came(stage: Stage) -> None:
    nasty = [(headers, value) for headers in NASTY.values() for value in (None, b"\0\xff")]
    for headers, value in nasty:
        await stage.put(headers, value)
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
        await stage.has_parked(*[(None, "envelope")] * len(nasty))
        copies = await stage.quarantined(len(nasty))
    assert [(list(copy.headers)[:-6], copy.value) for copy in copies] == nasty


async def test_a_parked_record_is_copied_to_quarantine_once_with_its_reason_and_its_origin(stage: Stage) -> None:
    await stage.tell(PLAN, 2)
    async with stage.projecting():
        (copy,) = await stage.quarantined(1)
        await stage.tell(PLAN, 1)
        await stage.shows(PLAN, 1, 2)
    told = {name: text.decode() for name, text in copy.headers}
    assert (told["kegai-reason"], told["kegai-projection"]) == ("waits", stage.view.name)
    assert (told["kegai-topic"], told["kegai-partition"], told["kegai-offset"]) == (stage.topic, "0", "0")
    assert (told["ce_subject"], copy.key) == (str(PLAN), b"k")
    assert len(await stage.quarantined(1)) == 1
