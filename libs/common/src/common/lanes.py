"""Commands of one process on one aggregate queue in a lane, instead of fighting each other in the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from common.decision import Kind, Refusal
from common.telemetry import REFUSED_REQUESTS

LANE_MAX: Final = 64
"""Commands on one aggregate at once: half of all that a process lets in, so that others get through."""
STALE = Refusal(
    "version.stale",
    zh="对象已被他人更新：当前版本 {current}，请求依据的版本 {expected}",
    en="Someone was faster: the version is {current}, the request was made for {expected}",
    kind=Kind.STALE,
)
CONTENDED = Refusal(
    "version.contended",
    zh="该对象正被多方同时修改，请重试",
    en="This is being changed by many at once; try again",
)
BUSY = Refusal(
    "version.busy",
    zh="该对象上等待处理的操作过多，本次未受理，请稍后重试",
    en="Too many wait to change this: it was not begun; try again",
    kind=Kind.UNAVAILABLE,
)


@dataclass(slots=True)
class Lane:
    """One command is under way, the others wait."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Lanes:
    """The lanes that somebody is in."""

    def __init__(self) -> None:
        self._lanes: dict[UUID, Lane] = {}

    @asynccontextmanager
    async def of(self, aggregate_id: UUID) -> AsyncIterator[None]:
        """Wait for one's turn.

        :raises Refused: ``version.busy`` where the lane is full.
        """
        lane = self._lanes.setdefault(aggregate_id, Lane())
        if lane.length >= LANE_MAX:
            REFUSED_REQUESTS.labels("aggregate").inc()
            raise BUSY()
        lane.length += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.length -= 1
            if not lane.length:
                del self._lanes[aggregate_id]
