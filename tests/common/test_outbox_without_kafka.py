"""While Kafka is away nothing is refused and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from builders import plan_body
from common import outbox
from common.kafka import relay_producer
from doors import open_door
from eventually import eventually
from kegai.local import KafkaServer
from kegai.tokens import Keys
from lines import Line, commit_plans, running, versions_of
from servers import Database


@pytest.fixture
async def private_kafka(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    """A broker of this test's alone, to be stopped and started."""
    server = KafkaServer(tmp_path)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.wipe)


async def _line(database: Database, pool: asyncpg.Pool, kafka: KafkaServer) -> Line:
    """The way from a database to a topic on the private broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("test", 1, 1)])
    await admin.close()
    return Line(database, pool, kafka.bootstrap, "test", 1, f"test-{uuid4().hex}")


async def test_while_kafka_is_away_commands_are_taken_and_published_when_it_is_back(
    database: Database, pool: asyncpg.Pool, private_kafka: KafkaServer, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PUBLISH_DEADLINE_SECONDS", 3)
    line = await _line(database, pool, private_kafka)
    async with running(line.relay()), open_door(database, keys) as door:
        await commit_plans(pool, 1)
        await line.drained()
        await asyncio.to_thread(private_kafka.stop)
        office = door.client_for("reform-office")
        replies = [await office.post("/api/v1/plans", json=plan_body(code=f"AWAY-{n}")) for n in range(3)]
        assert [reply.status_code for reply in replies] == [201, 201, 201]
        assert await line.waiting() == 3
        await asyncio.to_thread(private_kafka.start)
        await line.drained()
    published = versions_of(await line.published())
    assert {UUID(reply.json()["id"]) for reply in replies} < published.keys()


@contextmanager
def _frozen(kafka: KafkaServer) -> Iterator[None]:
    """The broker takes connections and answers nothing."""
    process = kafka.process.running()
    assert process is not None
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def test_a_relay_outlives_a_broker_that_is_silent_past_every_deadline(
    database: Database, pool: asyncpg.Pool, private_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AIOKafkaProducer] = []

    def make(bootstrap: str, name: str) -> AIOKafkaProducer:
        made.append(relay_producer(bootstrap, name))
        return made[-1]

    monkeypatch.setattr(outbox, "relay_producer", make)
    line = await _line(database, pool, private_kafka)
    async with running(line.relay()) as (reigning,):
        told = await commit_plans(pool, 1)
        await line.drained()
        monkeypatch.setattr(outbox, "PUBLISH_DEADLINE_SECONDS", 0.2)
        monkeypatch.setattr(outbox, "STOP_DEADLINE_SECONDS", 0.05)
        with _frozen(private_kafka):
            told += await commit_plans(pool, 1)
            await eventually(lambda: len(made) >= 4)
            assert await line.waiting() == 3
        monkeypatch.setattr(outbox, "PUBLISH_DEADLINE_SECONDS", 15)
        await line.drained()
        assert not reigning.done()
    published = versions_of(await line.published())
    assert {plan: sorted(set(versions)) for plan, versions in published.items()} == {plan: [1, 2, 3] for plan in told}
