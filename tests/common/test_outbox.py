"""What commands have committed is published at least once and in order per aggregate, whatever befalls a relay."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from common import outbox
from common.cloudevents import first_break
from common.kafka import plain_producer, relay_producer
from common.outbox import Relay, Settled
from eventually import eventually
from lines import Line, adopt_plan, commit_plan, commit_plans, running, versions_of

# ── what is published ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_event_is_published_in_order_and_leaves_the_outbox(line: Line) -> None:
    made = await commit_plans(line.pool, 20)
    async with running(line.relay()):
        await line.drained()
        made += await commit_plans(line.pool, 20)
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def test_what_is_published_is_what_is_stored_byte_for_byte(line: Line) -> None:
    (plan,) = await commit_plans(line.pool, 1)
    async with running(line.relay()):
        await line.drained()
    stored = await line.pool.fetch("SELECT payload, headers FROM event ORDER BY position")
    records = await line.published()
    assert [record.value for record in records] == [row["payload"] for row in stored]
    told = [{name: text.decode() for name, text in record.headers} for record in records]
    assert told == [orjson.loads(row["headers"]) for row in stored]
    assert {record.key for record in records} == {str(plan).encode()}
    assert first_break(zip(told, (record.value for record in records), strict=True)) is None


async def test_each_relay_publishes_its_own_slice(line: Line) -> None:
    made = await commit_plans(line.pool, 12, slices=2)
    assert await line.pool.fetchval("SELECT count(DISTINCT slice) FROM outbox") == 2
    async with running(line.relay(slice_number=0)):

        async def only_the_other_waits() -> bool:
            return bool(await line.pool.fetchval("SELECT bool_and(slice = 1) FROM outbox"))

        await eventually(only_the_other_waits)
        async with running(line.relay(slice_number=1)):
            await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def test_an_event_that_is_committed_after_a_later_one_was_published_is_not_forgotten(line: Line) -> None:
    """Positions are given before commits: a slow transaction shows a lower position after a higher one has gone."""
    (early,) = await commit_plans(line.pool, 1)
    rows = await line.pool.fetch("DELETE FROM outbox RETURNING position, slice")
    async with running(line.relay()):
        later = await commit_plans(line.pool, 2)
        await line.drained()
        await line.pool.executemany(
            "INSERT INTO outbox (position, slice) VALUES ($1, $2)", [tuple(row) for row in rows]
        )
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in (early, *later)}


@dataclass
class Looks:
    """How often relays have looked for what is settled, and up to where: ``hasty`` takes all that was published."""

    seen: int = 0
    hasty: bool = False

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Relays look each time they come round."""
        look = Settled.look

        async def watched(settled: Settled, connection: Any, last: int) -> None:
            await look(settled, connection, last)
            self.seen += 1
            if self.hasty:
                settled.position = last

        monkeypatch.setattr(outbox, "LOOK_SECONDS", 0)
        monkeypatch.setattr(Settled, "look", watched)

    async def go_on(self) -> None:
        """Return when some more looks were taken."""
        then = self.seen
        await eventually(lambda: self.seen > then + 5)


async def _overtake(line: Line, looks: Looks) -> UUID:
    """A plan's first event is committed long after later ones are gone, and its second after that."""
    plan = await commit_plan(line.pool)
    (row,) = await line.pool.fetch("DELETE FROM outbox RETURNING position, slice")
    async with running(line.relay()):
        async with line.pool.acquire() as slow, slow.transaction():
            await slow.execute("INSERT INTO outbox (position, slice) VALUES ($1, $2)", *row)
            for _ in range(3):
                await commit_plans(line.pool, 1)
                await line.drained()
                await looks.go_on()
        await adopt_plan(line.pool, plan)

        async def second_is_out() -> bool:
            return not await line.pool.fetchval("SELECT count(*) FROM outbox WHERE position > $1", row["position"])

        await eventually(second_is_out)
        await looks.go_on()
    looks.hasty = False
    async with running(line.relay()):  # what was overlooked so far is found by a relay that begins anew
        await line.drained()
    return plan


async def test_a_late_commit_is_published_before_what_follows_it(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks()
    looks.watch(monkeypatch)
    plan = await _overtake(line, looks)
    assert versions_of(await line.published())[plan] == [1, 2]


async def test_taking_all_that_was_published_for_settled_would_put_it_behind(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(hasty=True)
    looks.watch(monkeypatch)
    plan = await _overtake(line, looks)
    assert versions_of(await line.published())[plan] == [2, 1]


async def test_what_is_settled_moves_up_once_nobody_is_late_any_more(line: Line) -> None:
    settled = Settled()
    async with line.pool.acquire() as connection, line.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("SELECT pg_current_xact_id()")

        async def look(first: int | None = None) -> int:
            await settled.look(connection, 7)
            settled.found(first)
            return settled.position

        async def moved() -> bool:
            return await look() == 7

        async def may_move() -> bool:
            assert await look(first=5) == 0, "what the late one left is still to be read"
            return settled._ended == 7

        assert [await look() for _ in range(3)] == [0, 0, 0]
        await transaction.rollback()
        await eventually(may_move)
        await eventually(moved)


# ── a relay that fails ───────────────────────────────────────────────────────────────────────────────────────────────


class LosesItsConnection(Relay):
    """Publishes its first window and dies before it can delete it."""

    published = 0

    async def _publish_beating(self, *told: Any) -> Any:
        ahead = await super()._publish_beating(*told)
        self.published += 1
        if self.published == 1:
            raise ConnectionResetError("the database went away after the broker's word")
        return ahead


class LosesItsBroker(Relay):
    """Is told at its first window that the broker did not take it."""

    failed = False

    async def _publish_beating(self, connection: Any, publisher: Any, *told: Any) -> Any:
        if not self.failed:
            self.failed = True
            publisher._producer.commit_transaction = self._refuse
        return await super()._publish_beating(connection, publisher, *told)

    async def _refuse(self) -> None:
        raise KafkaError("not taken")


async def test_a_window_that_may_have_been_published_is_published_again(line: Line) -> None:
    (plan,) = await commit_plans(line.pool, 1)
    async with running(line.relay(LosesItsConnection)):
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3, 1, 2, 3]}


async def test_a_window_that_the_broker_did_not_take_is_not_deleted(line: Line) -> None:
    (plan,) = await commit_plans(line.pool, 1)
    relay = line.relay(LosesItsBroker)
    async with running(relay):
        await eventually(lambda: relay.failed)  # type: ignore[attr-defined]
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3]}


async def test_a_client_that_fails_by_an_assertion_ends_no_relay(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    start, failed = AIOKafkaProducer.start, list[bool]()

    async def asserts_once(self: AIOKafkaProducer) -> None:
        if not failed:
            failed.append(True)
            raise AssertionError("Did we not perform bootstrap?")
        await start(self)

    (plan,) = await commit_plans(line.pool, 1)
    monkeypatch.setattr(AIOKafkaProducer, "start", asserts_once)
    async with running(line.relay()):
        await line.drained()
    assert failed
    assert versions_of(await line.published()) == {plan: [1, 2, 3]}


# ── who reigns ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_relay_waits_until_the_first_is_gone(line: Line) -> None:
    async def locks() -> list[bool]:
        rows = await line.pool.fetch(
            "SELECT a.pid, l.granted FROM pg_stat_activity a LEFT JOIN pg_locks l "
            "ON l.pid = a.pid AND l.locktype = 'advisory' WHERE a.application_name = $1",
            line.relay().name,
        )
        return sorted(bool(row["granted"]) for row in rows)

    async def one_of_two_reigns() -> bool:
        return await locks() == [False, True]

    first, second = line.relay(), line.relay()
    async with running(second):
        async with running(first):
            await eventually(one_of_two_reigns)
            made = await commit_plans(line.pool, 3)
            await line.drained()
        made += await commit_plans(line.pool, 3)
        await line.drained()
    assert versions_of(await line.published()) == {plan: [1, 2, 3] for plan in made}


async def _stale_send(line: Line, frozen: AIOKafkaProducer, *, transactional: bool) -> None:
    """A relay sent, froze before it was sure, and wakes up after its successor has published the same and more."""
    if transactional:
        await frozen.begin_transaction()
    row = await line.pool.fetchrow("SELECT aggregate_id, payload, headers FROM event ORDER BY position LIMIT 1")
    assert row is not None
    headers = [(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()]
    async with running(line.relay()):
        await line.drained()
    await frozen.send_and_wait(line.topic, row["payload"], str(row["aggregate_id"]).encode(), headers=headers)
    if transactional:
        await frozen.commit_transaction()


async def test_a_relay_that_wakes_up_after_its_successor_is_fenced(line: Line) -> None:
    (plan,) = await commit_plans(line.pool, 1)
    frozen = relay_producer(line.bootstrap, line.relay().name)
    await frozen.start()
    with pytest.raises(ProducerFenced):
        await _stale_send(line, frozen, transactional=True)
    await frozen.stop()
    assert versions_of(await line.published()) == {plan: [1, 2, 3]}


async def test_a_producer_without_a_transactional_id_would_put_the_old_behind_the_new(line: Line) -> None:
    (plan,) = await commit_plans(line.pool, 1)
    frozen = plain_producer(line.bootstrap, "tests")
    await frozen.start()
    await _stale_send(line, frozen, transactional=False)
    await frozen.stop()
    assert versions_of(await line.published()) == {plan: [1, 2, 3, 1]}
