"""What a topic has lost is sent again from the stored events, complete and in order, beside whatever goes on."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced

from common.kafka import plain_producer, relay_producer
from common.reading import NoSuchTopic, ends_of
from common.republish import Contradicted, Republisher, Scope, Survey, survey
from eventually import eventually
from lines import Line, adopt_plan, commit_plan, commit_plans, running, versions_of


async def wipe(line: Line) -> None:
    """The topic is deleted with all its records and made anew."""
    admin = AIOKafkaAdminClient(bootstrap_servers=line.bootstrap)
    await admin.start()
    await admin.delete_topics([line.topic])

    async def made_anew() -> bool:
        reply = await admin.create_topics([NewTopic(line.topic, line.partitions, 1)])
        return not any(code for _, code, *_ in reply.topic_errors)

    async def known() -> bool:
        (topic,) = await admin.describe_topics([line.topic])
        return not any(one["error_code"] for one in (topic, *topic["partitions"]))

    await eventually(made_anew)
    await eventually(known)
    await admin.close()


async def republish(line: Line, slices: int = 1, *named: UUID) -> list[Survey]:
    """All slices in turn, each under the name of its relay."""
    return [
        await line.relay(Republisher, number).republish(Scope(named, number, slices))  # type: ignore[attr-defined]
        for number in range(slices)
    ]


async def dry_run(line: Line, *named: UUID) -> Survey:
    return await survey(line.database.app_url, line.bootstrap, line.topic, Scope(named))


async def send(line: Line, value: bytes, headers: dict[str, str], plan: UUID) -> None:
    """Put a record on the topic by hand."""
    producer = plain_producer(line.bootstrap, "tests")
    await producer.start()
    told = [(name, text.encode()) for name, text in headers.items()]
    await producer.send_and_wait(line.topic, value, str(plan).encode(), headers=told)
    await producer.stop()


async def stored(line: Line) -> list[tuple[bytes, dict[str, str]]]:
    rows = await line.pool.fetch("SELECT payload, headers FROM event ORDER BY event_id")
    return [(row["payload"], orjson.loads(row["headers"])) for row in rows]


def told(records: list[Any]) -> list[tuple[bytes, dict[str, str]]]:
    """Payload and headers of each record, by event id."""
    found = [(record.value, {name: text.decode() for name, text in record.headers}) for record in records]
    return sorted(found, key=lambda one: one[1]["ce_id"])


async def published_then_wiped(line: Line, plans: int = 5) -> list[UUID]:
    made = await commit_plans(line.pool, plans)
    async with running(line.relay()):
        await line.drained()
    await wipe(line)
    return made


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wiped_topic_is_filled_again_complete_in_order_and_byte_for_byte(line: Line) -> None:
    made = await published_then_wiped(line)
    (seen,) = await republish(line)
    assert (seen.records, seen.found, seen.lacks) == (0, 0, 15)
    records = await line.published()
    assert versions_of(records) == {plan: [1, 2, 3] for plan in made}
    assert told(records) == await stored(line)


async def test_what_the_topic_has_is_not_sent_again(line: Line) -> None:
    await published_then_wiped(line)
    await republish(line)
    ends = await ends_of(line.bootstrap, line.topic)
    (seen,) = await republish(line)
    assert (seen.records, seen.found, seen.lacks) == (15, 15, 0)
    assert await ends_of(line.bootstrap, line.topic) == ends


async def test_from_a_hole_on_all_of_an_aggregate_is_sent_again(line: Line) -> None:
    """A reader who finds 1, 3, 2 would miss 3: so it is sent behind 2 once more."""
    (plan,) = await published_then_wiped(line, plans=1)
    for version in (1, 3):
        (row,) = await line.pool.fetch("SELECT payload, headers FROM event WHERE aggregate_version = $1", version)
        await send(line, row["payload"], orjson.loads(row["headers"]), plan)
    (seen,) = await republish(line)
    assert (seen.records, seen.found, seen.lacks) == (2, 1, 2)
    assert versions_of(await line.published()) == {plan: [1, 3, 2, 3]}


async def test_a_topic_that_lost_its_beginning_is_sent_all(line: Line) -> None:
    (plan,) = await published_then_wiped(line, plans=1)
    (row,) = await line.pool.fetch("SELECT payload, headers FROM event WHERE aggregate_version = 3")
    await send(line, row["payload"], orjson.loads(row["headers"]), plan)
    await republish(line)
    assert versions_of(await line.published()) == {plan: [3, 1, 2, 3]}


async def test_only_the_aggregates_that_are_named_are_sent(line: Line) -> None:
    first, *_ = await published_then_wiped(line)
    await republish(line, 1, first)
    assert versions_of(await line.published()) == {first: [1, 2, 3]}


async def test_what_waits_in_the_outbox_is_left_to_the_relay_and_comes_after(line: Line) -> None:
    made = await published_then_wiped(line, plans=2)
    late = await commit_plan(line.pool)
    await line.pool.execute("DELETE FROM outbox WHERE position IN (SELECT max(position) FROM event)")
    await adopt_plan(line.pool, late)
    await republish(line)
    assert versions_of(await line.published()) == {late: [1]} | {plan: [1, 2, 3] for plan in made}
    async with running(line.relay()):
        await line.drained()
    assert versions_of(await line.published()) == {late: [1, 2]} | {plan: [1, 2, 3] for plan in made}


async def test_every_slice_sends_its_own(line: Line) -> None:
    made = await commit_plans(line.pool, 12, slices=2)
    async with running(line.relay(slice_number=0), line.relay(slice_number=1)):
        await line.drained()
    await wipe(line)
    seen = await republish(line, 2)
    assert all(one.lacks for one in seen)
    assert sum(one.lacks for one in seen) == 36
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


# ── beside a relay that lives ────────────────────────────────────────────────────────────────────────────────────────


class Overtaken(Republisher):
    """New commands are decided after it has looked and before it sends."""

    plans: list[UUID]
    line: Line

    async def _publish_beating(self, *told: Any) -> Any:
        for plan in self.plans:
            await adopt_plan(self.line.pool, plan)
        self.plans = []
        return await super()._publish_beating(*told)


async def test_beside_a_living_relay_nothing_new_goes_ahead_of_the_old(line: Line) -> None:
    plans = [await commit_plan(line.pool) for _ in range(5)]
    async with running(line.relay()):
        await line.drained()
        await wipe(line)
        republisher = line.relay(Overtaken)
        assert isinstance(republisher, Overtaken)
        republisher.plans, republisher.line = list(plans), line
        assert (await republisher.republish(Scope())).lacks == 5
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2] for plan in plans}


class Fenced(Republisher):
    """A relay that was about to start when it lost its reign comes in between, once."""

    times = 0

    async def _publish_beating(self, connection: Any, publisher: Any, window: Any, settled: Any = None) -> Any:
        self.times += 1
        if self.times == 1:
            late = relay_producer(self._bootstrap, self.name)
            await late.start()
            await late.stop()
        return await super()._publish_beating(connection, publisher, window, settled)


@contextmanager
def nobody_waits_for_batches_that_were_fenced() -> Iterator[None]:
    """aiokafka fails, beside each batch, a waiter of its own that nobody has: the loop would tell of it as unheard."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    assert before is not None
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(before)
    for context in told:
        if not isinstance(context.get("exception"), ProducerFenced):
            before(loop, context)


async def test_fenced_by_a_relay_that_starts_late_it_begins_again(line: Line) -> None:
    made = await published_then_wiped(line, plans=2)
    republisher = line.relay(Fenced)
    assert isinstance(republisher, Fenced)
    with nobody_waits_for_batches_that_were_fenced():
        await republisher.republish(Scope())
    assert republisher.times == 2
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def test_while_commands_arrive_all_the_time_readers_find_everything_in_its_turn(line: Line) -> None:
    made = await published_then_wiped(line, plans=20)

    async def commands() -> None:
        while True:
            made.extend(await commit_plans(line.pool, 3))

    async with running(line.relay()):
        deciding = asyncio.create_task(commands())
        try:
            await eventually(lambda: len(made) > 30)
            await republish(line)
            then = len(made)
            await eventually(lambda: len(made) > then)
        finally:
            deciding.cancel()
            await asyncio.wait({deciding})
        await line.drained()
    found = in_turn(versions_of(await line.published()))
    rows = await line.pool.fetch("SELECT aggregate_id, max(aggregate_version) AS last FROM event GROUP BY 1")
    assert found == {row["aggregate_id"]: row["last"] for row in rows}


def in_turn(versions: dict[UUID, list[int]]) -> dict[UUID, int]:
    """How far a reader comes who takes what is next and passes over the rest."""
    found = dict.fromkeys(versions, 0)
    for aggregate, seen in versions.items():
        for version in seen:
            found[aggregate] += version == found[aggregate] + 1
    return found


async def test_a_run_that_was_cut_short_is_repeated(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.republish.WINDOW_MAX", 2)
    made = await published_then_wiped(line, plans=2)

    class Cut(Exception):
        pass

    def cut(_seen: Survey, done: int) -> None:
        if done == 4:
            raise Cut

    with pytest.raises(Cut):
        await line.relay(Republisher).republish(Scope(), cut)  # type: ignore[attr-defined]
    (seen,) = await republish(line)
    assert (seen.found, seen.lacks) == (4, 2)
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


# ── what is only looked at, and what is refused ──────────────────────────────────────────────────────────────────────


async def test_a_dry_run_tells_what_is_lacking_by_partition_and_changes_nothing(line: Line) -> None:
    made = await published_then_wiped(line, plans=6)
    ends, rows = await ends_of(line.bootstrap, line.topic), await stored(line)
    async with running(line.relay()):
        seen = await dry_run(line)
    assert seen.lacks == 18
    assert sum(lack.count for lack in seen.lacking.values()) == 18
    assert {lack.first.version for lack in seen.lacking.values()} == {1}
    assert {lack.last.version for lack in seen.lacking.values()} == {3}
    assert {lack.first.aggregate_id for lack in seen.lacking.values()} <= set(made)
    assert await ends_of(line.bootstrap, line.topic) == ends
    assert await stored(line) == rows
    await republish(line)
    on = {record.partition for record in await line.published()}
    assert on == seen.lacking.keys(), "the partitions that were foretold"


async def test_what_waits_is_not_lacking(line: Line) -> None:
    await commit_plans(line.pool, 2)
    seen = await dry_run(line)
    assert (seen.waiting, seen.lacks) == (6, 0)


async def test_a_topic_that_says_otherwise_is_not_sent_to(line: Line) -> None:
    (plan,) = await published_then_wiped(line, plans=1)
    (row,) = await line.pool.fetch("SELECT headers FROM event WHERE aggregate_version = 1")
    await send(line, b"{}", orjson.loads(row["headers"]) | {"ce_hash": "00" * 32}, plan)
    with pytest.raises(Contradicted, match=str(plan)):
        await republish(line)
    with pytest.raises(Contradicted, match=str(plan)):
        await dry_run(line)


async def test_a_topic_that_is_not_there_is_named(line: Line) -> None:
    line.topic = "test-none"
    with pytest.raises(NoSuchTopic, match="test-none"):
        await republish(line)
