"""How figures are made: against sums done by hand, and what is kept against what is computed."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from builders import JUDGE, a_milestone
from common import clock
from common.cloudevents import Recorded
from common.contracts.measures import ProgressBasis
from doors import Door
from events.projector import ReformProgress
from events.views import progress
from events.views.calculation import ITEMS
from measures.item.ending import cancel_item, carry_over_item, merge_item
from measures.measure.lead import MeasureAbove
from stories import ItemStory, Told, learn, milestones


async def plan_of(views: Door, **asked: str) -> dict[str, Any]:
    """The whole plan as asked."""
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/plans/PLAN-1", params=asked)
    assert reply.status_code == 200, reply.text
    plan: dict[str, Any] = reply.json()["plan"]
    return plan


async def test_the_figures_are_those_computed_by_hand(views: Door) -> None:
    told = Told()
    told.plan()
    first = told.item("A1-01", milestones=milestones("1", "3"))
    first.attains(1, date(2022, 6, 1))  # 1/4 verified
    first.reports(2, date(2022, 7, 1))  # 4/4 reported
    told.item("A1-02", milestones=milestones("2", "2"))  # 0 and 0
    third = told.item("A2-01", measure="A2", milestones=milestones("1", "1", "1"))
    third.attains(1, date(2022, 6, 1))  # 1/3 and 1/3
    await learn(views.pool, told.records)

    plan = await plan_of(views)
    a, b = plan["aspects"]
    a1, a2 = a["measures"]
    assert a1["progress"] == {"reported": "0.500000", "verified": "0.125000"}  # (1 + 0)/2, (1/4 + 0)/2
    assert a2["progress"] == {"reported": "0.333333", "verified": "0.333333"}
    assert a["progress"] == {"reported": "0.416667", "verified": "0.229167"}
    assert b["progress"] == {"reported": None, "verified": None}  # B1 has no items: no data, not 0
    assert plan["progress"] == a["progress"]
    assert a1["milestones"] == {"counted": 4, "reported": 2, "verified": 1}
    assert (a1["items"], a1["by_state"]["in-progress"]) == (2, 2)


async def test_items_that_are_given_up_leave_the_denominators_and_stay_listed(views: Door) -> None:
    told = Told()
    told.plan()
    first = told.item("A1-01", milestones=milestones("1", "3"))
    first.attains(1, date(2022, 6, 1))  # 1/4 of its present scope, then 1/1
    first.does("cancel_milestone", 2, reason="撤并", authority="2023-1", on=date(2023, 1, 10))
    told.item("A1-02").ends(cancel_item, on=date(2023, 2, 1))
    other = told.item("A1-03", milestones=milestones("1", "1"))
    other.attains(1, date(2022, 7, 1))  # 1/2
    told.item("A1-04").ends(merge_item, into=other.item, on=date(2023, 3, 1))
    ending = MeasureAbove(plan_in_final_evaluation=True)
    told.item("A1-05", above=ending).ends(carry_over_item, successor="PLAN-2", on=date(2023, 4, 1))  # 0, unfinished
    await learn(views.pool, told.records)

    measure = (await plan_of(views))["aspects"][0]["measures"][0]
    assert measure["progress"]["verified"] == "0.500000"  # (1 + 1/2 + 0) / 3
    assert measure["original_scope"]["verified"] == "0.150000"  # (1/4 + 0 + 1/2 + 0 + 0) / 5
    assert measure["milestones"] == {"counted": 4, "reported": 2, "verified": 2}
    assert measure["items"] == 3
    states = {state: number for state, number in measure["by_state"].items() if number}
    assert states == {"in-progress": 2, "cancelled": 1, "merged": 1, "carried-over": 1}
    before = (await plan_of(views, as_of="2022-12-31"))["aspects"][0]["measures"][0]
    assert before["items"] == 5
    assert before["progress"] == before["original_scope"]
    assert before["progress"]["verified"] == "0.150000"


async def test_a_measure_whose_items_are_all_given_up_is_no_data_and_lists_them(views: Door) -> None:
    told = Told()
    told.plan()
    told.item().ends(cancel_item, on=date(2023, 2, 1))
    await learn(views.pool, told.records)

    for asked in ({}, {"as_of": "2199-12-31"}):
        measure = (await plan_of(views, **asked))["aspects"][0]["measures"][0]
        assert (measure["items"], measure["by_state"]["cancelled"]) == (0, 1)
        assert measure["progress"] == {"reported": None, "verified": None}
        assert measure["original_scope"] == {"reported": "0.000000", "verified": "0.000000"}


def a_municipal_item_with_local_ones() -> Told:
    """A1-01 of two local items, one fully and one not attained, and a third given up; A1-02 a quarter; one apart."""
    told = Told()
    told.plan()
    parent = told.item("A1-01", progress_basis=ProgressBasis.LOCAL_ITEMS, milestones=milestones("1"))
    parent.attains(1, date(2022, 6, 1))  # its own milestone does not count beside its local items
    below = {"local_plan": "YB", "parent": parent.item}
    told.item("YB-A1-01", **below).attains(1, date(2022, 6, 1))
    told.item("YB-A1-02", **below)
    told.item("YB-A1-03", **below).ends(cancel_item, on=date(2023, 1, 1))
    told.item("A1-02", milestones=milestones("1", "3")).attains(1, date(2022, 7, 1))
    told.item("YB-A1-09", local_plan="YB").attains(1, date(2022, 6, 1))
    return told


async def test_local_items_count_in_their_municipal_item_and_nowhere_else(views: Door) -> None:
    await learn(views.pool, a_municipal_item_with_local_ones().records)

    for asked in ({}, {"as_of": "2199-12-31"}):
        measure = (await plan_of(views, **asked))["aspects"][0]["measures"][0]
        assert measure["progress"]["verified"] == "0.375000"  # ((1 + 0) / 2 + 1/4) / 2
        assert measure["original_scope"]["verified"] == "0.291667"  # ((1 + 0 + 0) / 3 + 1/4) / 2
        assert (measure["items"], measure["by_state"]["in-progress"]) == (2, 2)
        assert measure["milestones"] == {"counted": 3, "reported": 2, "verified": 2}
    early = (await plan_of(views, as_of="2022-12-31"))["aspects"][0]["measures"][0]
    assert early["progress"]["verified"] == "0.291667"  # before the third was given up


@pytest.mark.parametrize("batch", [1, 3])
async def test_what_is_kept_of_local_items_is_what_is_computed(views: Door, batch: int) -> None:
    records = a_municipal_item_with_local_ones().records
    for start in range(0, len(records), batch):
        await learn(views.pool, records[start : start + batch])
        kept, computed = await kept_and_computed(views)
        assert kept == computed
    assert (await plan_of(views))["progress"] == (await plan_of(views, as_of="2199-12-31"))["progress"]


async def test_weights_that_add_up_to_nothing_are_no_data(views: Door) -> None:
    told = Told()
    told.plan()
    told.item(milestones=milestones("0"))
    await learn(views.pool, told.records)

    measure = (await plan_of(views))["aspects"][0]["measures"][0]
    assert (measure["items"], measure["progress"]["verified"]) == (1, None)


async def test_an_item_may_be_told_before_its_plan(views: Door) -> None:
    told = Told()
    told.plan()
    told.item().attains(1, date(2022, 6, 1))
    plan, item = told.records[:1], told.records[1:]
    await learn(views.pool, item)
    await learn(views.pool, plan)

    assert (await plan_of(views))["aspects"][0]["measures"][0]["progress"]["verified"] == "1.000000"


async def test_what_is_kept_equals_what_is_computed(views: Door) -> None:
    told = Told()
    told.plan()
    stories = [
        told.item(f"A{1 + n % 2}-{n:02}", measure=f"A{1 + n % 2}", milestones=milestones("1", "2")) for n in range(6)
    ]
    for n, story in enumerate(stories):
        story.reports(1, date(2022, 3, 1 + n))
        if n % 3:
            story.verifies(1, on=date(2022, 4, 1))
    for record in told.records:  # one by one, as a slow day brings them
        await learn(views.pool, [record])

    assert await plan_of(views) == await plan_of(views, as_of=clock.business_date(clock.now()).isoformat())


def eventful() -> list[Recorded]:
    """A plan and three items whose milestones are reported, sent back, verified, revoked, cancelled and added."""
    told = Told()
    told.plan()
    first = told.item("A1-01", milestones=milestones("1", "3"))
    first.attains(1, date(2022, 6, 1))
    first.does("revoke_verification", 1, reason="有误", authority="2023-1", by=JUDGE, on=date(2023, 2, 1))
    second = told.item("A1-02", milestones=milestones("1.5", "1", "1"))
    second.reports(1, date(2022, 3, 1))
    second.does("return_milestone", 1, reason="材料不全", by=JUDGE, on=date(2022, 4, 1))
    second.attains(2, date(2022, 5, 1))
    second.does("cancel_milestone", 3, reason="合并", authority="2022-5", on=date(2022, 8, 1))
    third = told.item("A2-01", measure="A2", milestones=milestones("0"))
    third.does("plan_milestone", a_milestone(2), on=date(2022, 8, 1))
    third.reports(2, date(2022, 9, 1))
    return told.records


async def kept_and_computed(views: Door) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    """The progress of each item as it is kept, and as it follows from the facts."""
    columns = [column.name for column in progress.ItemProgress.__table__.columns]  # type: ignore[attr-defined]
    kept = await views.pool.fetch(f"SELECT {', '.join(columns)} FROM item_progress ORDER BY item")
    computed = await views.pool.fetch(f"SELECT * FROM ({ITEMS}) now ORDER BY item", *progress.EVER)
    return kept, computed


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
async def test_what_is_kept_of_each_item_equals_what_is_computed(views: Door, batch: int) -> None:
    records = eventful()
    for start in range(0, len(records), batch):
        await learn(views.pool, records[start : start + batch])
        kept, computed = await kept_and_computed(views)
        assert kept == computed
    assert len(kept) == 3


async def test_an_item_that_is_left_out_is_noticed(views: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    records = eventful()
    await learn(views.pool, records[:-1])
    monkeypatch.setattr(progress, "KEEP_ITEMS", "SELECT $1::date, $2::timestamptz, $3::uuid[] LIMIT 0")
    await learn(views.pool, records[-1:])
    kept, computed = await kept_and_computed(views)
    assert kept != computed


def histories(told: Told, *stories: ItemStory) -> list[list[Recorded]]:
    """What was told, item by item, as different partitions carry it."""
    return [[r for r in told.records if r.aggregate_id == story.item.id] for story in stories]


async def race(views: Door, first: list[Recorded], second: list[Recorded]) -> None:
    """Two partitions' batches at once, the first held open until the second had every chance to read."""
    computed, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with views.pool.acquire() as connection, connection.transaction():
            await ReformProgress().apply(connection, first)
            computed.set()
            await release.wait()

    holding = asyncio.create_task(hold())
    await computed.wait()
    other = asyncio.create_task(learn(views.pool, second))
    done, _ = await asyncio.wait({other}, timeout=0.5)
    release.set()
    await asyncio.gather(holding, other)
    assert not done, "the second finished while the first was open"


async def two_writers(views: Door) -> tuple[int, int]:
    """Two items of one measure told at once: the verified milestones kept, and those computed."""
    told = Told()
    told.plan()
    one, two = told.item("A1-01"), told.item("A1-02")
    await learn(views.pool, told.records)
    known = len(told.records)
    one.attains(1, date(2022, 6, 1))
    two.attains(1, date(2022, 7, 1))
    told.records = told.records[known:]
    await race(views, *histories(told, one, two))
    kept = (await plan_of(views))["aspects"][0]["measures"][0]["milestones"]["verified"]
    computed = (await plan_of(views, as_of="2199-12-31"))["aspects"][0]["measures"][0]["milestones"]["verified"]
    return kept, computed


async def test_two_writers_of_one_measure_leave_the_figure_that_is_computed(views: Door) -> None:
    assert await two_writers(views) == (2, 2)


async def test_without_the_lock_the_second_writer_loses_the_firsts_milestone(
    views: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlocked(*_: Any) -> int:
        return 0

    monkeypatch.setattr(progress, "locked", unlocked)
    assert await two_writers(views) == (1, 2)


async def test_a_milestone_planned_later_enters_the_denominator(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item()
    item.attains(1, date(2022, 6, 1))
    item.does("plan_milestone", a_milestone(2), on=date(2022, 8, 1))
    await learn(views.pool, told.records)

    assert (await plan_of(views))["aspects"][0]["measures"][0]["progress"]["verified"] == "0.500000"
    assert (await plan_of(views, as_of="2022-07-31"))["aspects"][0]["measures"][0]["progress"]["verified"] == "1.000000"
