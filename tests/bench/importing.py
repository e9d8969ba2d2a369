"""An import of 4,000 items with three milestones each, beside the same items told one by one; and its memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from itertools import count

import asyncpg
import orjson
import psutil

from bench.bed import Bed, Process
from bench.command import prepare, teller
from bench.load import closed_loop
from bench.measuring import Figure, Run, alternate, limit_figure
from builders import call_of, item_body, milestone_body, plan_words
from http_client import Connection, request
from measures.plan.domain import define_plan
from measures.plan.store import plans
from sheets import a_line, a_milestone_line, as_csv

NAMES = ("P18",)
ITEMS = 4_000
ONE_BY_ONE = 400
"""Items that are told one by one in a round: by one client, who waits for each reply."""
MILESTONES = (1, 2, 3)
_numbers = count(1)


async def _adopt_the_plan(pool: asyncpg.Pool) -> None:
    words = {name: told for name, told in plan_words().items() if name != "id"}
    reply = await plans.create(call_of(pool), lambda new_id: define_plan(id=new_id, **words))
    plan = orjson.loads(reply.body)["id"]
    adopted = date(2021, 2, 1)
    await plans.change(call_of(pool), plan, lambda one: one.adopt(issuer="-", document_number="1", on=adopted))


def _codes(number: int) -> list[str]:
    return [f"A1-{next(_numbers):06}" for _ in range(number)]


class Importing:
    """Sheets that are taken in, and how much larger the process was meanwhile than before."""

    def __init__(self, process: Process, headers: dict[str, str]) -> None:
        self.grown_mb: list[float] = []
        self._process = process
        self._headers = headers | {"content-type": "text/csv"}

    async def run(self) -> Run:
        """Take in one sheet of new items."""
        lines = [
            a_line(code) if number == 1 else a_milestone_line(number, code)
            for code in _codes(ITEMS)
            for number in MILESTONES
        ]
        content = request("POST", "/api/v1/items/import?plan=PLAN-1&dry_run=false", self._headers, as_csv(*lines))
        connection, memory = await Connection.open(self._process.url), psutil.Process(self._process.pid).memory_info
        cpu, before = self._process.cpu_seconds(), memory().rss
        asked, highest = asyncio.create_task(connection.ask(content)), before
        while not asked.done():
            await asyncio.wait([asked], timeout=0.05)
            highest = max(highest, memory().rss)
        reply = asked.result()
        connection.close()
        assert reply.status == 200, reply
        assert orjson.loads(reply.body)["counts"]["new"] == ITEMS
        self.grown_mb.append((highest - before) / 1e6)
        return Run(ITEMS, reply.seconds, self._process.cpu_seconds() - cpu)


async def _one_by_one(process: Process, headers: dict[str, str]) -> Run:
    milestones = [milestone_body(number) for number in MILESTONES]
    bodies = [orjson.dumps(item_body(code=code, milestones=milestones)) for code in _codes(ONE_BY_ONE)]
    cpu = process.cpu_seconds()
    seen = await closed_loop(process.url, 1, [[request("POST", "/api/v1/items", headers, body)] for body in bodies])
    assert seen.count(201) == ONE_BY_ONE, seen.replies[-1]
    return Run(ONE_BY_ONE, seen.seconds, process.cpu_seconds() - cpu)


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P18: the rate of an import, and how much memory one takes after the first."""
    async with AsyncExitStack() as opened:
        database = await bed.database("measures")
        pool = await prepare(database)
        opened.push_async_callback(pool.close)
        await _adopt_the_plan(pool)
        process = await opened.enter_async_context(bed.process("-m", "measures", "api", database_url=database.app_url))
        headers = teller(bed.keys).office
        importing = Importing(process, headers)
        pair = await alternate(importing.run, lambda: _one_by_one(process, headers))
        yield pair.figure("P18", "import of 4,000 items with 3 milestones each beside one by one", at_least=2)
        grown = importing.grown_mb[1:]
        yield limit_figure("P18", "the same: memory while it runs, above that before it", grown, at_most=16, unit="MB")
