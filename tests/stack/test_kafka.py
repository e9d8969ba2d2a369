"""The stack's own Kafka: a real broker whose records outlive a stop, whatever port it comes back on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kegai.local import KafkaServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KafkaServer]:
    made = KafkaServer(tmp_path).start()
    yield made
    made.wipe()
    assert not made.data.exists()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_topics_outlive_a_stop_and_a_move_to_other_ports(server: KafkaServer) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 2, 1)])
    await admin.close()
    server.stop()

    moved = KafkaServer(server.home).start()
    assert moved.bootstrap != server.bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=moved.bootstrap)
    await admin.start()
    assert await admin.list_topics() == ["kept"]
    await admin.close()
    moved.stop()
