"""Starlette and asyncpg: each command is one statement, and nothing else: no token, no rule, no version, no hash."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import orjson
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.process import serve
from common.settings import Settings

CHANGES: Final = {
    "plan": 'milestones || jsonb_build_array($5::jsonb || \'{"state": "planned"}\')',
    "report": "jsonb_set(milestones, $5::text[], '\"reported\"')",
    "verify": "jsonb_set(milestones, $5::text[], '\"verified\"')",
}
STATEMENT: Final = """
WITH saved AS (
    UPDATE item SET version = version + 1, milestones = {change}, recorded_at = now() WHERE id = $1
    RETURNING id, version
), told AS (
    INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers,
                       effective_on, recorded_at, actor, prev_hash, hash)
    SELECT $2, 'item', id, version, '{command}', $3, '{{}}', current_date, now(), 'anyone', '', '' FROM saved
    RETURNING position
), queued AS (
    INSERT INTO outbox (position, slice) SELECT position, 0 FROM told
), remembered AS (
    INSERT INTO idempotency (key, principal, route, body_hash, status, headers, body, expires_at)
    SELECT $4, 'anyone', '{command}', '', 200, '{{}}', '', now() + interval '1 day' FROM saved
)
SELECT version FROM saved
"""


def command(name: str) -> Route:
    """The route of one command."""
    statement = STATEMENT.format(change=CHANGES[name], command=name)

    async def answer(request: Request) -> Response:
        item, body = UUID(request.path_params["item"]), await request.body()
        given = body.decode() if name == "plan" else [str(request.path_params["number"] - 1), "state"]
        version = await request.app.state.pool.fetchval(
            statement, item, uuid4(), body, request.headers["idempotency-key"], given
        )
        return Response(orjson.dumps({"id": item, "version": version}), media_type="application/json")

    path = "/api/v1/items/{item}/milestones" + ("" if name == "plan" else f"/{{number:int}}/{name}")
    return Route(path, answer, methods=["POST"])


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """As long as the application runs it has its pool."""
    async with asyncpg.create_pool(os.environ["KEGAI_DATABASE_URL"], max_size=10) as app.state.pool:
        yield


if __name__ == "__main__":
    app = Starlette(routes=[command(name) for name in CHANGES], lifespan=lifespan)
    uvloop.run(serve(app, Settings(), checks={}))
