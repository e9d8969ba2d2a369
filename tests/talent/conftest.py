"""The service that keeps the programmes."""

from collections.abc import Awaitable, Callable

import pytest

from doors import Door


@pytest.fixture
async def talent(door_of: Callable[..., Awaitable[Door]]) -> Door:
    """The door of talent; there is no programme yet."""
    return await door_of("talent")
