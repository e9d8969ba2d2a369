"""What every test may ask for: servers of its run, a database and topics of its own, tokens, a service to talk to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from common.database import open_pool
from common.kafka import quarantine_of
from doors import Door, open_door
from kegai.tokens import Keys
from lines import Line
from servers import Database, Servers

SERVERS = pytest.StashKey[Servers]()
NEEDING_SERVERS = {"servers", "living"}
"""The fixtures under which a server is started; whoever asks for another that rests on them asks for them too."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose the servers; an xdist worker takes those of its controller."""
    told = getattr(config, "workerinput", {}).get("servers")
    config.stash[SERVERS] = Servers(*told) if told else Servers.choose()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell an xdist worker which servers the run has."""
    servers = node.config.stash[SERVERS]  # type: ignore[attr-defined]
    node.workerinput["servers"] = (servers.postgres_from, servers.kafka_from, servers.home)  # type: ignore[attr-defined]


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the run uses."""
    return str(config.stash[SERVERS])


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run has started, once its workers are gone."""
    if not hasattr(config, "workerinput") and SERVERS in config.stash:
        config.stash[SERVERS].stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server by what it asks for, so that the rest can be run alone."""
    for item in items:
        if NEEDING_SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that the services run on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of this run; they start when they are asked for."""
    return pytestconfig.stash[SERVERS]


@pytest.fixture(scope="session")
def bootstrap(servers: Servers) -> str:
    """The address of a running Kafka."""
    return servers.kafka()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The signing key of this run and its key set."""
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.make()
    return keys


@pytest.fixture
async def database_of(servers: Servers) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """Call it with a service's name: a migrated database that nobody else uses, gone after the test."""
    made: list[str] = []

    async def make(service: str) -> Database:
        made.append(f"test_{uuid4().hex}")
        return await servers.new_database(service, made[-1])

    yield make
    for name in made:
        await servers.drop_database(name)


@pytest.fixture
async def pool_of() -> AsyncIterator[Callable[[Database], Awaitable[asyncpg.Pool]]]:
    """Call it with a database: a pool of its runtime role's connections, as the services have it."""
    async with AsyncExitStack() as opened:

        async def make(database: Database) -> asyncpg.Pool:
            pool = await open_pool(database.app_url, size_max=10, application="tests")
            opened.push_async_callback(_end, pool)
            return pool

        yield make


async def _end(pool: asyncpg.Pool) -> None:
    pool.terminate()


@pytest.fixture
async def database(database_of: Callable[[str], Awaitable[Database]]) -> Database:
    """A database of measures: its plans and items stand for any aggregate."""
    return await database_of("measures")


@pytest.fixture
async def pool(database: Database, pool_of: Callable[[Database], Awaitable[asyncpg.Pool]]) -> asyncpg.Pool:
    """Connections of its runtime role."""
    return await pool_of(database)


@pytest.fixture
async def topic_of(bootstrap: str) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Call it, with a number of partitions if one is not enough: a topic of this test's alone, and its quarantine."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    made: list[str] = []

    async def make(partitions: int = 1) -> str:
        name = f"test-{uuid4().hex}"
        wanted = [NewTopic(name, partitions, 1), NewTopic(quarantine_of(name), 1, 1)]
        reply = await admin.create_topics(wanted, timeout_ms=10_000)
        assert not [error for _, error, *_ in reply.topic_errors if error], reply
        made.extend(topic.name for topic in wanted)
        return name

    yield make
    if made:
        await admin.delete_topics(made)
    await admin.close()


@pytest.fixture
async def line(database: Database, pool: asyncpg.Pool, bootstrap: str, topic_of: Callable[..., Awaitable[str]]) -> Line:
    """The way from ``database`` to a topic of three partitions."""
    return Line(database, pool, bootstrap, await topic_of(3), 3, f"test-{uuid4().hex}")


@pytest.fixture
async def door_of(
    keys: Keys, database_of: Callable[[str], Awaitable[Database]]
) -> AsyncIterator[Callable[..., Awaitable[Door]]]:
    """Call it with a service's name: its application, answering in this process on a database of its own."""
    async with AsyncExitStack() as opened:

        async def make(service: str, database: Database | None = None) -> Door:
            return await opened.enter_async_context(open_door(database or await database_of(service), keys))

        yield make


@pytest.fixture
async def measures(door_of: Callable[..., Awaitable[Door]]) -> Door:
    """The door of measures; its copy of the directory holds the units of ``builders.UNITS``."""
    door = await door_of("measures")
    await door.learn_units()
    return door
