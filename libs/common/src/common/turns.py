"""A turn: whoever looks at what stands beside an aggregate, decides and saves, does so while nobody else can.

Most decisions need nothing but their own row, whose version the saving statement checks. Some end a thing because
of how others stand, or begin one again: nothing may begin or end beside them between the look and the save. All that
can contradict each other stand on one row, their ground. A turn writes it anew and so has it to itself until all is
durable; what is created on it shares it for the moment of its saving, and is not saved if a turn lay between.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from common.call import Call
from common.grouping import ACQUIRE_SECONDS_MAX

Decision = TypeVar("Decision")


@asynccontextmanager
async def in_turn(call: Call, ground: str, aggregate_id: UUID) -> AsyncIterator[Call]:
    """The same call within one transaction, which begins with the ground; what is raised undoes all of it.

    :param ground: the statement that writes the row anew on which the aggregate $1 stands.
    """
    service = call.service
    async with service.turn, service.pool.acquire(timeout=ACQUIRE_SECONDS_MAX) as connection, connection.transaction():
        await connection.execute(ground, aggregate_id)
        yield replace(call, service=service.over(connection))


def by_the_row(decide: Decision) -> Callable[[Call], Awaitable[Decision]]:
    """A look for a decision that needs nothing but what is read beside its row: the turn alone matters to it."""

    async def look(_turn: Call) -> Decision:
        return decide

    return look
