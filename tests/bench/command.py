"""The command endpoint as it is in production, beside one bare statement and beside the ORM's idiom."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench.bed import Bed, Process
from bench.load import closed_loop
from bench.measuring import Figure, Run, alternate, limit_figure, percentile
from builders import OWNER, call_of, directory_history
from common.directory import DirectoryCopy, copy_of
from http_client import request
from keeping import ON, counts, keep_an_item
from kegai.tokens import Keys
from measures.item.store import items
from servers import Database

NAMES = ("P1", "P2", "P13")
ITEMS_EACH_RUN = 600
STARTED_VERSION = 5
Story = Sequence[bytes]


@dataclass
class Endpoint:
    """A server of commands with items of its own, each of which takes one story."""

    process: Process
    pool: asyncpg.Pool
    keys: Keys
    seconds: list[float] = field(default_factory=list)
    """How long each request took."""
    commands: int = 0

    async def run(self, clients: int, stories: int = ITEMS_EACH_RUN) -> Run:
        """Tell the stories of as many new items."""
        told = [story_of(item, self.keys) for item in await new_items(self.pool, stories)]
        cpu = self.process.cpu_seconds()
        seen = await closed_loop(self.process.url, clients, told)
        cpu = self.process.cpu_seconds() - cpu
        assert seen.count(200) == len(seen.replies) == sum(map(len, told)), seen.replies[-1]
        self.seconds += seen.latencies(200)
        self.commands += len(seen.replies)
        return Run(len(seen.replies), seen.seconds, cpu)

    async def check(self) -> None:
        """Every command has left one event, one record in the outbox and one reply."""
        found = await counts(self.pool)
        assert found["event"] == found["outbox"] == STARTED_VERSION + self.commands, found
        assert found["idempotency"] == self.commands, found
        versions = await self.pool.fetchval("SELECT sum(version - $1)::bigint FROM item", STARTED_VERSION)
        assert versions == self.commands


@dataclass(frozen=True)
class Teller:
    """Who tells stories: the headers of the office and of the owner's reporter."""

    office: dict[str, str]
    reporter: dict[str, str]


_tellers: dict[Keys, Teller] = {}


def teller(keys: Keys) -> Teller:
    """The tokens of a run are made once."""
    if keys not in _tellers:
        _tellers[keys] = Teller(
            *({"authorization": f"Bearer {keys.token([role], unit)}", "content-type": "application/json"}
              for role, unit in (("reform-office", "CQ"), ("unit-reporter", "ORG")))
        )  # fmt: skip
    return _tellers[keys]


def story_of(item: UUID, keys: Keys) -> Story:
    """Of one item: its first milestone is reported and verified, a second is planned, reported and verified."""
    who = teller(keys)
    attained, on = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}, {"effective_on": "2022-06-20"}
    planned = {"number": 2, "title_zh": "节点", "title_en": "Milestone", "planned_on": "2022-09-30"} | on
    steps = [
        (who.reporter, "/1/report", attained),
        (who.office, "/1/verify", on),
        (who.office, "", planned),
        (who.reporter, "/2/report", attained | on),
        (who.office, "/2/verify", on),
    ]
    return [
        request(
            "POST",
            f"/api/v1/items/{item}/milestones{path}",
            headers | {"idempotency-key": str(uuid4()), "if-match": f'"{STARTED_VERSION + nth}"'},
            orjson.dumps(body),
        )
        for nth, (headers, path, body) in enumerate(steps)
    ]


async def prepare(database: Database) -> asyncpg.Pool:
    """A complete directory and one item on which work has begun; its pool is the caller's to close."""
    pool = await asyncpg.create_pool(database.app_url, min_size=1, max_size=2)
    async with pool.acquire() as connection:
        await DirectoryCopy("bench").apply(connection, directory_history())
        await connection.execute(
            "INSERT INTO projection_offset (projection, topic, partition, caught_up_at) VALUES ($1, 't', 0, now())",
            copy_of("measures"),
        )
    item = await keep_an_item(pool)
    await items.change(call_of(pool), item, lambda one: one.assign(by=None, on=date(2022, 1, 10)))
    await items.change(call_of(pool), item, lambda one: one.acknowledge(by=OWNER, on=date(2022, 1, 20)))
    await items.change(call_of(pool), item, lambda one: one.start(by=OWNER, on=ON))
    return pool


async def new_items(pool: asyncpg.Pool, number: int) -> list[UUID]:
    """As many copies of the first item, under ids and codes of their own."""
    rows = await pool.fetch(
        "INSERT INTO item SELECT (jsonb_populate_record(item, jsonb_build_object("
        "'id', gen_random_uuid(), 'code', gen_random_uuid()))).* "
        "FROM item, generate_series(1, $1) WHERE item.code = 'A1-01' RETURNING id",
        number,
    )
    return [row["id"] for row in rows]


async def endpoint(bed: Bed, opened: AsyncExitStack, *words: str) -> Endpoint:
    """A server on a database of its own, prepared alike."""
    database = await bed.database("measures")
    pool = await prepare(database)
    opened.push_async_callback(pool.close)
    process = await opened.enter_async_context(bed.process(*words, database_url=database.app_url))
    return Endpoint(process, pool, bed.keys)


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P1 against the bare statement, P2 against the ORM, P13 from all that P1 has asked."""
    async with AsyncExitStack() as opened:
        ours = await endpoint(bed, opened, "-m", "measures", "api")
        bare = await endpoint(bed, opened, "-m", "bench.baselines.statement")
        orm = await endpoint(bed, opened, "-m", "bench.baselines.orm")
        pair = await alternate(lambda: ours.run(16), lambda: bare.run(16))
        yield pair.figure("P1", "command endpoint, 16 clients: rate beside a bare statement", at_least=0.55)
        yield pair.cpu_figure("P1", "command endpoint, 16 clients: CPU beside a bare statement", at_most=2)
        tail = ours.seconds[-5 * 5 * ITEMS_EACH_RUN :]
        p99, p999 = percentile(tail, 0.99) * 1000, percentile(tail, 0.999) * 1000
        yield limit_figure(
            "P13", "command endpoint, 16 clients: p99.9", [p999], at_most=3 * p99, unit="ms", baseline=p99
        )
        pair = await alternate(lambda: ours.run(64), lambda: bare.run(64))
        yield pair.figure("P1", "command endpoint, 64 clients: rate beside a bare statement", at_least=1.0)
        pair = await alternate(lambda: ours.run(16), lambda: orm.run(16, ITEMS_EACH_RUN // 4))
        yield pair.figure("P2", "command endpoint, 16 clients: rate beside the ORM's idiom", at_least=4)
        for one in (ours, bare, orm):
            await one.check()
