"""What was true on a day, by what was known at an instant."""

from datetime import date, datetime, timedelta
from typing import Any

from builders import JUDGE, OWNER
from doors import Door
from stories import Told, learn, milestones

END_OF_2022, END_OF_2023 = "2022-12-31", "2023-12-31"


async def seen(views: Door, *, as_of: str, known_at: datetime | str | None = None) -> dict[str, Any]:
    """Measure A1 as asked."""
    asked = {"plan": "PLAN-1", "as_of": as_of}
    if known_at is not None:
        asked["known_at"] = known_at if isinstance(known_at, str) else known_at.isoformat()
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/measures/A1", params=asked)
    assert reply.status_code == 200, reply.text
    measure: dict[str, Any] = reply.json()["measure"]
    return measure


async def verified(views: Door, **asked: Any) -> int:
    """How many milestones count as verified."""
    count: int = (await seen(views, **asked))["milestones"]["verified"]
    return count


async def test_a_verification_counts_from_the_day_of_attainment_once_it_is_known(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item(milestones=milestones("1", "1"))
    first = item.attains(1, date(2022, 6, 1))
    second = item.attains(2, date(2022, 9, 1))
    await learn(views.pool, told.records)

    assert await verified(views, as_of=END_OF_2022) == 2
    assert await verified(views, as_of="2022-08-31") == 1
    assert await verified(views, as_of="2022-05-31") == 0
    assert await verified(views, as_of=END_OF_2022, known_at=first) == 1
    assert await verified(views, as_of=END_OF_2022, known_at=second) == 2
    assert await verified(views, as_of=END_OF_2022, known_at=first - timedelta(microseconds=1)) == 0


async def test_a_revoked_verification_leaves_the_past_but_not_what_was_known_of_it(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item(milestones=milestones("1", "1"))
    item.attains(1, date(2022, 6, 1))
    before = item.attains(2, date(2022, 9, 1))
    revoked = item.does("revoke_verification", 2, reason="证据不足", authority="2023-1", by=JUDGE, on=date(2023, 2, 1))
    item.reports(2, date(2023, 3, 1))
    anew = item.verifies(2, on=date(2023, 4, 1))
    await learn(views.pool, told.records)

    assert await verified(views, as_of=END_OF_2022) == 1
    assert await verified(views, as_of=END_OF_2023) == 2
    assert await verified(views, as_of=END_OF_2022, known_at=before) == 2
    assert await verified(views, as_of=END_OF_2022, known_at=revoked) == 1
    assert await verified(views, as_of=END_OF_2023, known_at=anew - timedelta(minutes=1)) == 1


async def test_a_milestone_attained_earlier_than_first_said_counts_from_the_earlier_day(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item()
    item.attains(1, date(2022, 9, 1))
    item.does("revoke_verification", 1, reason="日期有误", authority="2022-9", by=JUDGE, on=date(2022, 10, 1))
    item.does("report_milestone", 1, attained_on=date(2022, 3, 1), note=None, by=OWNER, on=date(2022, 10, 10))
    item.verifies(1, on=date(2022, 10, 20))
    await learn(views.pool, told.records)

    assert await verified(views, as_of="2022-03-01") == 1
    assert await verified(views, as_of="2022-02-28") == 0


async def test_a_returned_report_no_longer_counts_as_reported(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item()
    reported = item.reports(1, date(2022, 6, 1))
    item.does("return_milestone", 1, reason="材料不全", by=JUDGE, on=date(2022, 7, 1))
    await learn(views.pool, told.records)

    assert (await seen(views, as_of=END_OF_2022))["milestones"]["reported"] == 0
    assert (await seen(views, as_of=END_OF_2022, known_at=reported))["milestones"]["reported"] == 1


async def test_an_item_is_in_the_denominator_from_the_day_it_was_added(views: Door) -> None:
    told = Told()
    told.plan()
    told.item()
    await learn(views.pool, told.records)

    before, after = await seen(views, as_of="2022-01-04"), await seen(views, as_of="2022-01-05")
    assert (before["items"], before["progress"]["verified"]) == (0, None)
    assert (after["items"], after["progress"]["verified"]) == (1, "0.000000")


async def test_a_cancelled_milestone_leaves_the_denominator_from_its_day(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item(milestones=milestones("1", "1"))
    item.attains(1, date(2022, 3, 1))
    item.does("cancel_milestone", 2, reason="合并", authority="2022-5", on=date(2022, 8, 1))
    await learn(views.pool, told.records)

    assert (await seen(views, as_of="2022-07-31"))["progress"]["verified"] == "0.500000"
    assert (await seen(views, as_of="2022-08-01"))["progress"]["verified"] == "1.000000"


async def test_a_bare_date_of_knowledge_means_the_end_of_that_day_in_shanghai(views: Door) -> None:
    told = Told(clock=datetime.fromisoformat("2026-03-01T14:59:00+00:00"))  # an hour later it is 23:59 in Shanghai
    told.plan()
    await learn(views.pool, told.records)

    async with views.client() as reader:
        on_the_day = await reader.get("/api/v1/progress/plans/PLAN-1", params={"known_at": "2026-03-01"})
        the_day_before = await reader.get("/api/v1/progress/plans/PLAN-1", params={"known_at": "2026-02-28"})
    assert on_the_day.status_code == 200
    assert (the_day_before.status_code, the_day_before.json()["code"]) == (404, "plan.not-found")


async def test_an_instant_without_its_offset_is_refused(views: Door) -> None:
    async with views.client(accept_language="en") as reader:
        reply = await reader.get("/api/v1/progress/measures", params={"known_at": "2026-03-01T10:00:00"})
    assert (reply.status_code, reply.json()["code"]) == (422, "view.bad-instant")
