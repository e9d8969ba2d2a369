"""The broker is away: the doctor says so, commands are accepted all the same, and a stop and a start lose nothing."""

import pytest

from kegai.local.process import Process
from living import Living
from walking import verify_one

pytestmark = pytest.mark.xdist_group("journeys")


async def test_what_is_decided_while_kafka_is_away_is_in_the_view_after_the_next_up(living: Living) -> None:
    assert "✗ kafka" not in living.kegai("doctor", expect=None)
    Process("kafka", living.stack.home).stop()
    assert "✗ kafka" in living.kegai("doctor", expect=1)

    item, position = await verify_one(living)
    living.kegai("down")
    assert "verified through the gateway" in living.kegai("up")
    async with living.client() as reader:
        view = await reader.get(f"/api/v1/progress/measures/{item['measure']}", params={"min_position": position})
    assert view.status_code == 200
    assert "✗" not in living.kegai("doctor", expect=None)


def test_logs_and_another_demonstration(living: Living) -> None:
    assert "relay.reigns" in living.kegai("logs", "measures-worker", "-n", "200")
    assert "verified" in living.kegai("demo", "advance")
