"""A command commits late: one that was begun before it, and is numbered behind it, is in the views by then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from builders import item_body, milestone_body
from eventually import eventually
from faults.clients import Load
from faults.fault import Fault
from faults.history import HarnessError
from faults.stack import OFFICE, FaultStack

NEXT = 3
"""The version that the next command makes of an item that was just put on the list with one milestone."""


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold two commands at different places: the first before it is numbered, the second before it commits."""
    early, late = [await _new_item(stack) for _ in range(2)]
    async with _held(stack, "SELECT FROM item WHERE id = $1 FOR UPDATE", early) as unnumbered:
        begun = await unnumbered.caught(_plan(stack, early, door=0))
        async with _held(stack, ITS_NEXT_EVENT, late, NEXT) as uncommitted:
            waiting = await uncommitted.caught(_plan(stack, late, door=-1))
            await unnumbered.let_go()
            await begun

            async def out() -> bool:
                return (await stack.view()).get(early, 0) >= NEXT

            await eventually(out, seconds=4)
    await waiting
    await load.after(20)
    return await _told(stack, early, late)


ITS_NEXT_EVENT = """
INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers, effective_on,
                   recorded_at, actor, prev_hash, hash)
VALUES (gen_random_uuid(), 'item', $1, $2, 'held', '', '{}', now(), now(), 'faults', '', '')
"""
"""Not committed, it holds whoever wants to insert the same version: that one has its number by then."""


class Hold:
    """A transaction that others wait for."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._transaction = connection.transaction()

    async def take(self, sql: str, *about: Any) -> None:
        """Take what the others will wait for."""
        await self._transaction.start()
        await self._connection.execute(sql, *about)

    async def caught(self, command: "asyncio.Task[None]") -> "asyncio.Task[None]":
        """Return when somebody waits for it."""

        async def waits() -> bool:
            sql = (
                "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            assert not command.done(), "the command was not held"
            return bool(await self._connection.fetchval(sql))

        await eventually(waits, seconds=4)
        return command

    async def let_go(self) -> None:
        """Undo it: nothing of it was ever there."""
        if self._connection.is_in_transaction():
            await self._transaction.rollback()


@asynccontextmanager
async def _held(stack: FaultStack, sql: str, *about: Any) -> AsyncIterator[Hold]:
    connection = await stack.connect("measures")
    hold = Hold(connection)
    try:
        await hold.take(sql, *about)
        yield hold
    finally:
        await hold.let_go()
        await connection.close()


async def _new_item(stack: FaultStack) -> UUID:
    """An item that no client knows."""
    async with stack.client(stack.the("measures", "api").url, OFFICE) as office:
        reply = await office.post("/api/v1/items", json=item_body())
        return UUID(_done(reply).json()["id"])


def _plan(stack: FaultStack, item: UUID, *, door: int) -> "asyncio.Task[None]":
    """A further milestone for the item, through one of the doors: one held command is enough for each."""

    async def plan() -> None:
        async with stack.client(stack.all("measures", "api")[door].url, OFFICE) as office:
            _done(await office.post(f"/api/v1/items/{item}/milestones", json=milestone_body(20)))

    return asyncio.create_task(plan())


def _done(reply: httpx.Response) -> httpx.Response:
    if not reply.is_success:
        raise HarnessError(f"a command of the fault itself was refused: {reply.status_code} {reply.text}")
    return reply


async def _told(stack: FaultStack, early: UUID, late: UUID) -> str:
    measures = await stack.connect("measures")
    try:
        sql = "SELECT position FROM event WHERE aggregate_id = $1 AND aggregate_version = $2"
        numbers = [await measures.fetchval(sql, item, NEXT) for item in (early, late)]
    finally:
        await measures.close()
    if numbers[0] < numbers[1]:
        raise HarnessError(f"the late commit has the higher number: {numbers}")
    return f"position {numbers[1]} was committed when position {numbers[0]} was in the views already"


FAULT = Fault(inject=inject, within_s=5)
