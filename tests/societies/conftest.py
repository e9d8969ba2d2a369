"""A directory to begin with."""

from collections.abc import Awaitable, Callable

import pytest

from doors import Door


@pytest.fixture
async def societies(door_of: Callable[..., Awaitable[Door]]) -> Door:
    """The door of societies; its directory holds the municipal association CQKX and nothing else."""
    door = await door_of("societies")
    municipal = {"code": "CQKX", "kind": "municipal", "name_zh": "市科协", "name_en": "Municipal association"}
    told = municipal | {"effective_on": "2021-01-01"}
    reply = await door.client_for("municipal-admin").post("/api/v1/units", json=told)
    assert reply.status_code == 201, reply.text
    return door
