"""Twenty of 100,000 items, as an office asks for them, beside the same page from FastAPI and asyncpg."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import islice, repeat
from urllib.parse import urlencode

import asyncpg
import orjson

from bench.bed import Bed, Process
from bench.command import prepare, teller
from bench.load import closed_loop
from bench.measuring import Figure, Run, alternate
from builders import call_of, plan_words
from http_client import Connection, request
from measures.plan.domain import define_plan
from measures.plan.store import plans
from servers import Database

NAMES = ("P11",)
ITEMS = 100_000
CLIENTS = 4
EACH_RUN = 100
DEEP = 0.9
"""How much of a list lies before its deep page."""
COPIES = """
INSERT INTO item
SELECT (jsonb_populate_record(item, jsonb_build_object(
    'id', gen_random_uuid(), 'code', 'B1-' || lpad(n::text, 6, '0'), 'measure', (ARRAY['A1', 'A2', 'B1'])[1 + n % 3],
    'title_zh', (ARRAY['学会改革', '科普服务', '人才举荐', '基层组织'])[1 + n % 4] || n,
    'owner', units.ids[1 + n % array_length(units.ids, 1)], 'co_units', '{}'::uuid[],
    'milestones', jsonb_set(item.milestones, '{0,title_zh}', to_jsonb('节点' || n)),
    'due_on', date '2022-01-01' + n % 1800, 'tags', CASE WHEN n % 10 = 0 THEN '{innovation}' ELSE '{}' END,
    'local_plan', CASE WHEN n % 50 = 0 THEN 'LP-' || n % 20 END,
    'state', (ARRAY['draft', 'assigned', 'acknowledged', 'in-progress', 'reported-done', 'verified-closed'])[1 + n % 6]
))).*
FROM item, (SELECT array_agg(id ORDER BY code) AS ids FROM directory_unit) units, generate_series(1, $1) n
WHERE item.code = 'A1-01'
"""
"""Items of one plan: of three measures and all units, in every state, due in five years, each with a milestone."""

QUESTIONS: dict[str, tuple[dict[str, str], str]] = {
    "a plan's": ({}, "true"),
    "a measure's": ({"measure": "A2"}, "measure = 'A2'"),
    "in a state": ({"state": "reported-done"}, "state = 'reported-done'"),
    "a unit's": ({"owner": "YB"}, "owner = (SELECT id FROM directory_unit WHERE code = 'YB')"),
    "a local plan's": ({"local_plan": "LP-0"}, "local_plan = 'LP-0'"),
    "with a tag": ({"tag": "innovation"}, "'innovation' = ANY(tags)"),
    "due in a quarter": (
        {"due_from": "2024-04-01", "due_to": "2024-06-30", "sort": "due"},
        "due_on BETWEEN '2024-04-01' AND '2024-06-30'",
    ),
    "late": (
        {"late": "true", "sort": "due"},
        "due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date AND state <> 'verified-closed'",
    ),
    "with a word": ({"text": "人才"}, "title_zh LIKE '%人才%'"),
}
"""What is asked, as a query and as the condition that it means."""


async def _many_items(database: Database) -> asyncpg.Pool:
    pool = await prepare(database)
    words = {name: told for name, told in plan_words().items() if name != "id"}
    await plans.create(call_of(pool, permission="plan.define"), lambda new_id: define_plan(id=new_id, **words))
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(COPIES, ITEMS)
    await owner.execute("VACUUM ANALYZE item")
    await owner.close()
    return pool


async def _deep(pool: asyncpg.Pool, condition: str, *, due: bool) -> str:
    """The cursor behind which the deep page lies."""
    place, order = ("due_on || '/' || code", "due_on, code") if due else ("code", "code")
    sql = f"SELECT {place} FROM item WHERE plan = 'PLAN-1' AND {condition} ORDER BY {order} OFFSET $1 LIMIT 1"
    number = await pool.fetchval(f"SELECT count(*) FROM item WHERE {condition}")
    found: str = await pool.fetchval(sql, int(number * DEEP))
    return found


async def _asked(process: Process, contents: Iterator[bytes]) -> Run:
    cpu = process.cpu_seconds()
    seen = await closed_loop(process.url, CLIENTS, [[content] for content in islice(contents, EACH_RUN)])
    assert seen.count(200) == EACH_RUN, seen.replies[-1]
    return Run(EACH_RUN, seen.seconds, process.cpu_seconds() - cpu)


async def _codes(process: Process, content: bytes) -> list[str]:
    """The codes on a page, in order."""
    connection = await Connection.open(process.url)
    told = orjson.loads((await connection.ask(content)).body)
    connection.close()
    assert told["next"], told
    return [item["code"] for item in told["items"]]


def _leafing(asked: dict[str, str], office: dict[str, str]) -> Iterator[bytes]:
    """One page after the other of the whole plan: nobody has seen any of them before."""
    for number in range(0, ITEMS, 20):
        yield request("GET", f"/api/v1/items?{urlencode(asked | {'cursor': f'B1-{number:06d}'})}", office)


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P11: each filter that an office uses, its first page and one nine tenths down the list; and leafing through."""
    async with AsyncExitStack() as opened:
        database = await bed.database("measures")
        pool = await _many_items(database)
        opened.push_async_callback(pool.close)
        one = partial(bed.process, database_url=database.app_url)
        ours = await opened.enter_async_context(one("-m", "measures", "api"))
        bare = await opened.enter_async_context(one("-m", "bench.baselines.listing"))
        office = teller(bed.keys).office
        for name, (query, condition) in QUESTIONS.items():
            asked = {"plan": "PLAN-1", "limit": "20"} | query
            deep = {"cursor": await _deep(pool, condition, due="sort" in query)}
            for page, told in (("first page", asked), ("deep page", asked | deep)):
                content = request("GET", f"/api/v1/items?{urlencode(told)}", office)
                codes = await _codes(ours, content)
                assert codes == await _codes(bare, content)
                assert len(codes) == 20
                pair = await alternate(*(partial(_asked, one, repeat(content)) for one in (ours, bare)))
                yield pair.figure("P11", f"20 of 100,000 items, {name}, {page}", at_least=1.2)
        asked = {"plan": "PLAN-1", "limit": "20"}
        pair = await alternate(*(partial(_asked, one, _leafing(asked, office)) for one in (ours, bare)))
        yield pair.figure("P11", "20 of 100,000 items, each page for the first time", at_least=1.2)
