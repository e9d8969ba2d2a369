"""While Kafka is away nothing is refused and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from builders import plan_body
from common import outbox
from doors import open_door
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


async def test_while_kafka_is_away_commands_are_taken_and_published_when_it_is_back(
    database: Database, pool: asyncpg.Pool, private_kafka: KafkaServer, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PUBLISH_DEADLINE_SECONDS", 3)
    line = Line(database, pool, private_kafka.bootstrap, "test", 1, f"test-{uuid4().hex}")
    admin = AIOKafkaAdminClient(bootstrap_servers=line.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("test", 1, 1)])
    await admin.close()
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
