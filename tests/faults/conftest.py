"""What the quick controls work on: the whole way from commands to views."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from faults.ways import Interrupted, Way
from lines import Line
from servers import Database


@pytest.fixture
async def way(
    line: Line,
    database_of: Callable[[str], Awaitable[Database]],
    pool_of: Callable[[Database], Awaitable[asyncpg.Pool]],
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    """A way of this test's own; its projector looks often whether it has reached the end."""
    monkeypatch.setattr("common.watching.LOOK_SECONDS", 0.05)
    live = await database_of("events")
    return Way(line, live, await database_of("events"), await pool_of(live), Interrupted(line.topic))
