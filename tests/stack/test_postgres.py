"""The stack's own PostgreSQL: durable, one database per service, closed to all others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from kegai.language import StackError
from kegai.local import PostgresServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    made = PostgresServer(tmp_path_factory.mktemp("postgres"))
    made.start()
    made.provision(["measures", "talent"])
    yield made
    made.wipe()
    assert not made.data.exists()


pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_was_acknowledged_is_on_the_disk(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.dsn())
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()


async def test_a_service_cannot_enter_its_neighbours_database(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(server.dsn("talent", "measures_app"))


async def test_the_runtime_role_makes_no_tables(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.dsn("measures", "measures_app"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()


async def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn("measures", "measures_app"), password="guess")


async def test_data_and_passwords_outlive_a_stop(server: PostgresServer) -> None:
    owner = await asyncpg.connect(server.dsn("measures", "measures_owner"))
    await owner.execute("CREATE TABLE kept (id int)")
    await owner.close()
    server.stop()
    again = PostgresServer(server.home, server.port).start()
    again.provision(["measures", "talent"])
    owner = await asyncpg.connect(again.dsn("measures", "measures_owner"))
    assert await owner.fetchval("SELECT count(*) FROM kept") == 0
    await owner.close()
    again.stop()
    server.start()


def test_a_port_in_use_is_told_of_by_postgres_itself(server: PostgresServer, tmp_path: Path) -> None:
    second = PostgresServer(tmp_path, server.port)
    with pytest.raises(StackError, match="Address already in use"):
        second.start()
    second.wipe()


def test_no_password_is_in_the_process_list(server: PostgresServer) -> None:
    listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert server.passwords.of("measures_app") not in listed
