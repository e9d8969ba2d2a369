"""What the processes of a whole stack cost while nothing happens."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import psutil

from bench.bed import Bed, Process
from bench.measuring import Figure, limit_figure
from bench.reform import make_anew
from builders import directory_history
from common.directory import DirectoryCopy
from common.kafka import TOPICS
from servers import Database

NAMES = ("P16",)
ROLES = {
    "worker": ("measures", "societies", "talent"),
    "projector": ("events",),
    "api": ("measures", "societies", "talent", "events"),
}
"""In the order in which they can be ready: an api waits for the copy that its worker keeps."""
AS_SHIPPED = """
import runpy, sys
sys.modules["rich"] = None
sys.argv[0] = sys.argv[1]
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""``python -m <service> <role>`` where the printing library of our development tools is not installed, as it is not in
production: the log library loads it where it finds it, which takes six megabytes."""
SETTLING_SECONDS = 8
WINDOW_SECONDS = 8
WINDOWS = 5


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P16: each role's process that takes most, of all eight that run at once; five windows of time."""
    await make_anew(bed.bootstrap, *(one.name for one in TOPICS))
    async with AsyncExitStack() as opened:
        databases = {service: await bed.database(service) for service in ROLES["api"]}
        await _learn_units(databases["measures"])
        running: dict[str, list[Process]] = {role: [] for role in ROLES}
        for role, services in ROLES.items():
            for service in services:
                url = databases[service].app_url
                process = await opened.enter_async_context(
                    bed.process("-c", AS_SHIPPED, service, role, database_url=url)
                )
                running[role].append(process)
        await asyncio.sleep(SETTLING_SECONDS)
        windows = [await _window([one for ours in running.values() for one in ours]) for _ in range(WINDOWS)]
        for role, ours in running.items():
            shares = [max(window[one.pid] for one in ours) for window in windows]
            yield limit_figure("P16", f"idle {role}: CPU of the busiest, % of a core", shares, at_most=1, unit="%")
            sizes = [max(psutil.Process(one.pid).memory_info().rss for one in ours) / 1e6]
            yield limit_figure("P16", f"idle {role}: memory of the largest, MB", sizes, at_most=90, unit="MB")


async def _learn_units(database: Database) -> None:
    """An api of measures is not ready before it knows a unit."""
    connection = await asyncpg.connect(database.app_url)
    await DirectoryCopy("bench").apply(connection, directory_history())
    await connection.close()


async def _window(processes: list[Process]) -> dict[int, float]:
    """Each process's share of a core, in per cent, over a window of time."""
    started, before = time.perf_counter(), {one.pid: one.cpu_seconds() for one in processes}
    await asyncio.sleep(WINDOW_SECONDS)
    seconds = time.perf_counter() - started
    return {one.pid: (one.cpu_seconds() - before[one.pid]) / seconds * 100 for one in processes}
