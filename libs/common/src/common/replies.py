"""The replies to commands that came with an Idempotency-Key: kept for a day, then forgotten."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import asyncpg
import orjson
from starlette.responses import Response

from common.call import Call
from common.database import AWAY
from common.decision import Kind, Refusal, Refused
from common.telemetry import log

KEY_KEPT_HOURS: Final = 24
SWEEP_SECONDS: Final = 60
KEY_REUSED = Refusal(
    "idempotency.key-reused",
    zh="该 Idempotency-Key 已用于内容不同的请求",
    en="This Idempotency-Key was used for a request with another body",
    kind=Kind.INVALID,
)


async def first_reply(call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
    """What answers, or, where it would be refused now, the reply that the same request got before.

    It may have been obeyed then, and what it needs have moved on since: a repeated key gets its first reply, whatever
    the state is now. Every command with a key comes through here, and a refused one is looked for nowhere else.

    :raises Refused: what the answer refuses, where there was no reply; ``idempotency.key-reused``.
    """
    try:
        return await answer()
    except Refused:
        if repeated := await told_before(call):
            return repeated
        raise


async def told_before(call: Call) -> Response | None:
    """The reply that the same request got before, if it came with a key and there was one.

    :raises Refused: ``idempotency.key-reused`` where that request had another body.
    """
    if call.key is None:
        return None
    known = await call.service.pool.fetchrow(
        "SELECT body_hash, status, headers, body FROM idempotency "
        "WHERE key = $1 AND principal = $2 AND route = $3 AND expires_at > $4",
        call.key, call.principal, call.route, call.now,
    )  # fmt: skip
    if known is None:
        return None
    if known["body_hash"] != call.body_hash:
        raise KEY_REUSED()
    return Response(known["body"], known["status"], orjson.loads(known["headers"]))


async def forget_replies(pool: asyncpg.Pool) -> None:
    """Remove the replies whose time is over."""
    await pool.execute("DELETE FROM idempotency WHERE expires_at < now()")


async def keep_forgetting(pool: asyncpg.Pool) -> NoReturn:
    """Remove them once a minute, for as long as the process runs."""
    while True:
        try:
            await forget_replies(pool)
        except AWAY as error:
            log.warning("replies.not-forgotten", error=repr(error))
        await asyncio.sleep(SWEEP_SECONDS)
