"""Well again: what clients were told before is in the view, and so is something that they asked for since."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

from common.database import AWAY
from faults.clients import Load
from faults.stack import FaultStack


async def recovery(stack: FaultStack, load: Load, *, seconds: float) -> float | None:
    """How long it takes from now until old commands and a new one are in the view; None if longer than ``seconds``."""
    since, before = time.monotonic(), load.last_accepted()
    while (now := time.monotonic()) < since + seconds:
        try:
            view = await stack.view()
        except AWAY:
            view = {}
        new = (told for one, told in load.history.accepted() if one.sent_at > since)
        if _within(before, view) and any(view.get(told.aggregate, 0) >= told.version for told in new):
            return round(now - since, 2)
        await asyncio.sleep(0.05)
    return None


def _within(told: Mapping[UUID, int], view: Mapping[UUID, int]) -> bool:
    return all(view.get(aggregate, 0) >= version for aggregate, version in told.items())
