"""How long after a command's reply the view shows what it did: real processes, commands at a fixed rate."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date
from uuid import UUID

import asyncpg
import orjson

from bench.bed import Bed
from bench.command import STARTED_VERSION, story_of
from bench.measuring import Figure, limit_figure, percentile
from bench.reform import ASPECTS, MEASURES, make_anew
from builders import OWNER, call_of, directory_history, plan_words
from common.directory import DirectoryCopy
from common.kafka import TOPICS
from events.tables import PROJECTION
from eventually import eventually
from http_client import Connection
from keeping import ON, keep_an_item
from measures.item.store import items
from measures.plan.domain import define_plan
from measures.plan.store import plans
from servers import Database

NAMES = ("P10",)
RATE, WARM_UP, WINDOW, WINDOWS = 300, 5, 4, 5
SECONDS = WARM_UP + WINDOW * WINDOWS
STEPS = 5
"""Commands that each item is told."""
SAMPLED = 5
"""Of so many commands one is looked for."""
CONNECTIONS = 32
LOOK_SECONDS = 0.003
SHOWN = "SELECT version FROM projection_version WHERE projection = $1 AND aggregate_id = $2"


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P10, in windows of time: the events' database is asked every three milliseconds for every fifth command."""
    await make_anew(bed.bootstrap, *(one.name for one in TOPICS))
    measures, events = await bed.database("measures"), await bed.database("events")
    kept = await _items(measures, RATE * SECONDS // STEPS)
    stories = [story_of(item, bed.keys) for item in kept]
    commands = (story[step] for step in range(STEPS) for story in stories)
    async with AsyncExitStack() as opened:
        for words, database in (
            (("-m", "events", "projector"), events),
            (("-m", "events", "api"), events),
            (("-m", "measures", "worker"), measures),
            (("-m", "measures", "api"), measures),
        ):
            process = await opened.enter_async_context(bed.process(*words, database_url=database.app_url))
        view = await opened.enter_async_context(asyncpg.create_pool(events.app_url, min_size=8, max_size=16))

        async def shows_all() -> bool:
            versions = "SELECT count(*) FROM projection_version WHERE projection = $1 AND version = $2"
            return bool(await view.fetchval(versions, PROJECTION, STARTED_VERSION) == len(kept))

        await eventually(shows_all, seconds=120)
        seen = await _watched(process.url, commands, view)
    windows = [[seconds for due, seconds in seen if nth == (due - WARM_UP) // WINDOW] for nth in range(WINDOWS)]
    for share, limit in ((0.5, 15), (0.99, 50)):
        values = [percentile(window, share) * 1000 for window in windows]
        what = f"reply to visible in the view at {RATE} commands/s: p{share * 100:.0f}, ms"
        yield limit_figure("P10", what, values, at_most=limit, unit="ms")


async def _items(database: Database, number: int) -> list[UUID]:
    """Items on which work has begun, over the measures of a whole plan, all still to be published."""
    async with asyncpg.create_pool(database.app_url, min_size=1, max_size=8) as pool:
        async with pool.acquire() as connection:
            await DirectoryCopy("bench").apply(connection, directory_history())
        words = plan_words(aspects=ASPECTS, measures=MEASURES)
        await plans.create(call_of(pool), lambda new_id: define_plan(**words | {"id": new_id}))

        async def one(nth: int) -> UUID:
            measure = MEASURES[nth % len(MEASURES)].code
            item = await keep_an_item(pool, measure=measure, code=f"{measure}-{nth}")
            await items.change(call_of(pool), item, lambda one: one.assign(by=None, on=date(2022, 1, 10)))
            await items.change(call_of(pool), item, lambda one: one.acknowledge(by=OWNER, on=date(2022, 1, 20)))
            await items.change(call_of(pool), item, lambda one: one.start(by=OWNER, on=ON))
            return item

        return [
            item
            for start in range(0, number, 100)
            for item in await asyncio.gather(*(one(nth) for nth in range(start, min(number, start + 100))))
        ]


async def _watched(url: str, commands: Iterator[bytes], view: asyncpg.Pool) -> list[tuple[float, float]]:
    """When a command was due, in seconds from the start, and how long after its reply the view showed it."""
    free, begun, seen = asyncio.Queue[Connection](), list[asyncio.Task[None]](), list[tuple[float, float]]()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(url))

    async def one(due: float, content: bytes, looked_for: bool) -> None:
        connection = await free.get()
        reply = await connection.ask(content)
        replied = time.perf_counter()
        free.put_nowait(connection)
        assert reply.status == 200, reply
        if looked_for:
            aggregate, _, version = orjson.loads(reply.body)["position"].partition("@")
            while (await view.fetchval(SHOWN, PROJECTION, UUID(aggregate)) or 0) < int(version):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)  # another process writes it
            seen.append((due, time.perf_counter() - replied))

    start = time.perf_counter()
    for number, content in enumerate(commands):
        due = number / RATE
        await asyncio.sleep(max(0.0, start + due - time.perf_counter()))
        begun.append(asyncio.create_task(one(due, content, number % SAMPLED == 0)))
    await asyncio.gather(*begun)
    return seen
