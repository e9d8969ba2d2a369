"""What may be asked of a view, and what is answered where it cannot be told yet or at all."""

import asyncio
from uuid import uuid4

import pytest

from doors import Door
from events.tables import PROJECTION
from eventually import eventually
from refusals import counted
from stories import Told, learn


async def asked(views: Door, path: str, **parameters: str) -> tuple[int, str]:
    """The status and the code that come back."""
    async with views.client(accept_language="en") as reader:
        reply = await reader.get(path, params=parameters)
    return reply.status_code, reply.json().get("code", "")


async def test_a_position_that_the_view_does_not_contain_in_time_is_answered_with_come_back(
    views: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.asked.WAIT_SECONDS_MAX", 0.05)
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/measures", params={"min_position": f"{uuid4()}@1"})
    assert (reply.status_code, reply.json()["code"]) == (503, "view.not-there-yet")
    assert "retry-after" in reply.headers


async def test_a_position_that_the_view_contains_is_answered_at_once(views: Door) -> None:
    told = Told()
    told.plan()
    await learn(views.pool, told.records)
    plan = told.records[0].aggregate_id
    await views.pool.execute("INSERT INTO projection_version VALUES ($1, $2, 3)", PROJECTION, plan)
    assert (await asked(views, "/api/v1/progress/plans/PLAN-1", min_position=f"{plan}@3"))[0] == 200


async def test_of_many_who_wait_for_a_position_some_are_told_at_once_to_come_back(
    views: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.asked.WAITING_MAX", 2)
    told, item = Told(), uuid4()
    told.plan()
    await learn(views.pool, told.records)
    path, position = "/api/v1/progress/plans/PLAN-1", f"{item}@1"
    with counted(3, "position"):
        waiting = [asyncio.create_task(asked(views, path, min_position=position)) for _ in range(5)]
        await eventually(lambda: sum(one.done() for one in waiting) == 3)
    assert {one.result() for one in waiting if one.done()} == {(503, "view.not-there-yet")}
    assert (await asked(views, path))[0] == 200
    await views.pool.execute("INSERT INTO projection_version VALUES ($1, $2, 1)", PROJECTION, item)
    assert sorted(await asyncio.gather(*waiting))[:2] == [(200, ""), (200, "")]


@pytest.mark.parametrize(
    "nonsense",
    ["7", "a@b", "@", "x@1@2", "019ab000-0000-7000-8000-000000000001@", "019ab000-0000-7000-8000-000000000001@-"],
)
async def test_a_position_that_is_none_is_refused(views: Door, nonsense: str) -> None:
    assert await asked(views, "/api/v1/progress/measures", min_position=nonsense) == (422, "view.bad-position")


@pytest.mark.parametrize("beyond", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
async def test_an_instant_that_no_calendar_holds_is_refused(views: Door, beyond: str) -> None:
    assert await asked(views, "/api/v1/progress/measures", known_at=beyond) == (422, "view.bad-instant")


async def test_a_measure_that_the_plan_does_not_have_is_not_found(views: Door) -> None:
    told = Told()
    told.plan()
    await learn(views.pool, told.records)
    assert await asked(views, "/api/v1/progress/measures/Z9", plan="PLAN-1") == (404, "measure.not-found")


async def test_before_any_plan_is_known_there_is_nothing_to_show(views: Door) -> None:
    assert await asked(views, "/api/v1/progress/measures") == (404, "plan.not-found")
