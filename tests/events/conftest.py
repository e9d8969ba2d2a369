"""A view of its own for each test of the events service."""

from collections.abc import Awaitable, Callable

import pytest

from doors import Door


@pytest.fixture
async def views(door_of: Callable[..., Awaitable[Door]]) -> Door:
    """The door of events, on an empty database."""
    return await door_of("events")
