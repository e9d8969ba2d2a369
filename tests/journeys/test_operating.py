"""What operators ask of the running stack: how an event went, whether the chains hold, what a topic lacks."""

import pytest

from living import Living
from walking import verify_one

pytestmark = pytest.mark.xdist_group("journeys")


async def test_a_verified_milestone_is_followed_from_the_request_to_the_stream(living: Living) -> None:
    item, position = await verify_one(living)
    async with living.client() as reader:
        await reader.get(f"/api/v1/progress/measures/{item['measure']}", params={"min_position": position})
    told = living.kegai("trace", position)
    assert f"item {position}" in told
    for station in ("request taken", "committed", "sent to Kafka", "applied", "on the stream"):
        assert f"✓ {station}" in told, told
    assert "number" in told


def test_the_chains_of_the_seeds_hold_and_the_topics_say_the_same(living: Living) -> None:
    assert "hang together; cqast.societies.events.v1 says the same" in living.kegai(
        "audit", "verify", "--service", "societies"
    )


def test_nothing_is_lacking_on_a_sound_stack(living: Living) -> None:
    told = living.kegai("republish", "--dry-run")
    assert told.count("0 are lacking") == 3


def test_the_status_tells_of_the_whole_path(living: Living) -> None:
    told = living.kegai("status", expect=None)
    parts = ("requests", "commands", "outbox", "relay", "projections")
    assert all(f"\n   {part} " in told for part in parts), told
