"""A process says whether it lives and whether it is ready, and ends in time when it is told to."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from builders import directory_history
from common.directory import DirectoryCopy
from common.process import SILENT_SECONDS_MAX, ops_app
from eventually import eventually
from kegai.local.ports import free_port
from kegai.tokens import Keys
from servers import Database


@dataclass
class Loop:
    """A loop that came round at a given moment."""

    beat: float


async def _ask(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ops") as client:
        return await client.get(path)


async def _fine() -> str:
    return "ok"


async def _away() -> str:
    return "the database is away"


async def test_it_is_ready_when_every_check_is_ok() -> None:
    reply = await _ask(ops_app({"database": _fine, "directory": _fine}), "/readyz")
    assert (reply.status_code, reply.json()["ready"]) == (200, True)


async def test_where_one_check_is_not_ok_it_says_which_and_why() -> None:
    reply = await _ask(ops_app({"database": _away, "directory": _fine}), "/readyz")
    assert (reply.status_code, reply.json()["ready"]) == (503, False)
    assert reply.json()["checks"] == {"database": "the database is away", "directory": "ok"}


@pytest.mark.parametrize(("silent", "status"), [(0, 200), (SILENT_SECONDS_MAX + 1, 503)])
async def test_it_lives_while_every_loop_comes_round(silent: float, status: int) -> None:
    loops = [Loop(time.monotonic()), Loop(time.monotonic() - silent)]
    assert (await _ask(ops_app({}, loops), "/livez")).status_code == status


async def test_its_figures_are_there_for_prometheus() -> None:
    reply = await _ask(ops_app({}), "/metrics")
    assert "kegai_outbox_depth" in reply.text


# ── as processes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Running:
    """A role of measures that runs as a process of its own."""

    process: asyncio.subprocess.Process
    port: int
    ops: httpx.AsyncClient

    async def answers(self, path: str, status: int) -> None:
        async def asked() -> bool:
            assert self.process.returncode is None, "it ended"
            try:
                return (await self.ops.get(path)).status_code == status
            except httpx.TransportError:
                return False

        await eventually(asked, seconds=30)

    async def ends(self) -> int:
        """The exit code, once it was told to end."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            return await self.process.wait()


@pytest.fixture
async def run(database: Database, keys: Keys) -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """Call it with a role and the address of a Kafka: the process, which is ended after the test in any case."""
    started: list[Running] = []

    async def start(role: str, kafka: str) -> Running:
        port, ops_port = free_port(), free_port()
        told = {"DATABASE_URL": database.app_url, "KAFKA_BOOTSTRAP": kafka, "JWKS": str(keys.jwks),
                "PORT": str(port), "OPS_PORT": str(ops_port)}  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "measures", role,
            env=os.environ | {f"KEGAI_{name}": value for name, value in told.items()},
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        started.append(Running(process, port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops_port}")))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.process.kill()
            await one.process.wait()
        await one.ops.aclose()


async def test_the_door_of_measures_is_ready_once_it_knows_the_units_and_ends_when_told(
    run: Callable[..., Awaitable[Running]], database: Database, pool: asyncpg.Pool
) -> None:
    door = await run("api", "127.0.0.1:1")
    await door.answers("/livez", 200)
    await door.answers("/readyz", 503)
    async with pool.acquire() as connection:
        await DirectoryCopy("measures-directory").apply(connection, directory_history())
        await connection.execute(
            "INSERT INTO projection_offset (projection, topic, partition, caught_up_at) "
            "VALUES ('measures-directory', 'cqast.societies.events.v1', 0, now())"
        )
    await door.answers("/readyz", 200)
    async with _client(door) as client:
        assert (await client.get("/api/v1/plans")).status_code == 401
        assert await door.ends() == 0


@asynccontextmanager
async def _client(door: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps its connection open."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{door.port}") as client:
        yield client


async def test_a_worker_is_ready_though_kafka_is_away_and_ends_when_told(
    run: Callable[..., Awaitable[Running]],
) -> None:
    worker = await run("worker", f"127.0.0.1:{free_port()}")
    await worker.answers("/readyz", 200)
    await worker.answers("/livez", 200)
    assert await worker.ends() == 0


async def test_an_unknown_role_is_told_which_there_are() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "measures", "projector", stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode != 0
    assert b"api|worker|migrate" in told
