"""FastAPI and asyncpg as their documentation writes a list: one statement, a response model; no token and no rule."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from itertools import count
from typing import Any, get_type_hints

import asyncpg
import orjson
import uvloop
from fastapi import FastAPI, Request
from pydantic import BaseModel, create_model

from common.clock import SHANGHAI
from common.process import serve
from common.settings import Settings
from measures.item.domain import Item
from measures.item.store import BESIDE

COLUMNS = {name: (hint, ...) for name, hint in get_type_hints(Item).items() if name not in BESIDE}
ItemShown: type[BaseModel] = create_model("ItemShown", **COLUMNS)  # type: ignore[call-overload]
ENDED = ["verified-closed", "cancelled", "merged", "carried-over"]
CONDITIONS = {
    "plan": "plan = {}",
    "measure": "measure = {}",
    "state": "state = {}",
    "owner": "owner = (SELECT id FROM directory_unit WHERE code = {})",
    "local_plan": "local_plan = {}",
    "tag": "{} = ANY(tags)",
    "due_from": "due_on >= {}",
    "due_to": "due_on <= {}",
    "text": "strpos(lower(code || ' ' || title_zh || ' ' || title_en), lower({})) > 0",
}


class Page(BaseModel):
    """A stretch of the list."""

    items: list[ItemShown]
    next: str | None


async def _with_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """As long as the application runs it has its pool."""
    async with asyncpg.create_pool(os.environ["KEGAI_DATABASE_URL"], max_size=10, init=_with_json) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/api/v1/items", response_model=Page)
async def items(
    request: Request,
    plan: str,
    measure: str | None = None,
    state: str | None = None,
    owner: str | None = None,
    local_plan: str | None = None,
    tag: str | None = None,
    due_from: date | None = None,
    due_to: date | None = None,
    late: bool = False,
    text: str | None = None,
    sort: str = "code",
    limit: int = 50,
    cursor: str | None = None,
) -> Any:
    """Items by code or by due date."""
    given = {
        "plan": plan, "measure": measure, "state": state, "owner": owner, "local_plan": local_plan, "tag": tag,
        "due_from": due_from, "due_to": due_to, "text": text,
    }  # fmt: skip
    asked: list[tuple[str, tuple[Any, ...]]] = [
        (CONDITIONS[name], (value,)) for name, value in given.items() if value is not None
    ]
    if late:
        asked.append(("due_on < {} AND state <> ALL({}::text[])", (datetime.now(SHANGHAI).date(), ENDED)))
    if cursor is not None and sort == "code":
        asked.append(("code > {}", (cursor,)))
    elif cursor is not None:
        day, _, code = cursor.partition("/")
        asked.append(("(due_on, code) > ({}, {})", (date.fromisoformat(day), code)))
    places = (f"${n}" for n in count(1))
    where = " AND ".join(condition.format(*(next(places) for _ in values)) for condition, values in asked)
    rows = await request.app.state.pool.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM item WHERE {where} "
        f"ORDER BY {'due_on, code' if sort == 'due' else 'code'} LIMIT {limit + 1:d}",
        *(value for _, values in asked for value in values),
    )
    last = rows[limit - 1] if len(rows) > limit else None
    place = last and (f"{last['due_on']}/{last['code']}" if sort == "due" else last["code"])
    return {"items": [dict(row) for row in rows[:limit]], "next": place}


if __name__ == "__main__":
    uvloop.run(serve(app, Settings(), checks={}))
