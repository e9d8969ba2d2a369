"""Weighted means against sums done by hand, as of any day and knowledge; and a plan that was revised."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders import SETTLED
from common.contracts.measures import Measure, PartKind, PlanDiff, Renamed
from doors import Door
from events.views import progress
from events.views.progress import mean
from measures.item.ending import cancel_item
from stories import PlanStory, Told, learn, milestones

WHY = {"reason": "上级新部署", "authority": "会议纪要 2023-1"}


async def plan_of(views: Door, **asked: str) -> dict[str, Any]:
    """The whole plan as asked."""
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/plans/PLAN-1", params=asked)
    assert reply.status_code == 200, reply.text
    plan: dict[str, Any] = reply.json()["plan"]
    return plan


def verified(plan: dict[str, Any], code: str) -> str | None:
    """The verified progress of the plan, of an aspect or of a measure."""
    parts = {"PLAN-1": plan} | {aspect["code"]: aspect for aspect in plan["aspects"]}
    parts |= {measure["code"]: measure for aspect in plan["aspects"] for measure in aspect["measures"]}
    found: str | None = parts[code]["progress"]["verified"]
    return found


def a_plan_with_items() -> tuple[Told, PlanStory]:
    """A1: an item at 1 and one at 1/4; A2: one at 1/2; B1: one at 0. All that was attained was so in June 2022."""
    told = Told()
    plan = told.plan()
    told.item("A1-01").attains(1, date(2022, 6, 1))
    told.item("A1-02", milestones=milestones("1", "3")).attains(1, date(2022, 6, 1))
    told.item("A2-01", measure="A2", milestones=milestones("1", "1")).attains(1, date(2022, 6, 1))
    told.item("B1-01", measure="B1")
    return told, plan


async def test_every_level_is_the_weighted_mean_of_the_one_below(views: Door) -> None:
    told, plan = a_plan_with_items()
    plan.weighs("items", "A1", date(2023, 1, 1), A1_01="1", A1_02="2")
    plan.weighs("measures", "A", date(2023, 2, 1), A1="1", A2="3")
    plan.weighs("aspects", "PLAN-1", date(2023, 3, 1), A="80", B="20")
    await learn(views.pool, told.records)

    for asked in ({}, {"as_of": "2199-12-31"}):
        now = await plan_of(views, **asked)
        assert verified(now, "A1") == "0.500000"  # (1·1 + 2·1/4) / 3
        assert verified(now, "A") == "0.500000"  # (1·1/2 + 3·1/2) / 4
        assert verified(now, "PLAN-1") == "0.400000"  # (80·1/2 + 20·0) / 100
        assert [aspect["weight"] for aspect in now["aspects"]] == ["80", "20"]
        assert [measure["weight"] for measure in now["aspects"][0]["measures"]] == ["1", "3"]


@pytest.mark.parametrize(
    ("as_of", "a1", "a", "plan"),
    [
        ("2022-12-31", "0.625000", "0.562500", "0.281250"),  # (1 + 1/4)/2; (5/8 + 1/2)/2; (9/16 + 0)/2
        ("2023-01-31", "0.500000", "0.500000", "0.250000"),  # (1 + 2·1/4)/3; (1/2 + 1/2)/2; (1/2 + 0)/2
        ("2023-02-28", "0.500000", "0.500000", "0.250000"),  # (1·1/2 + 3·1/2)/4
        ("2023-03-31", "0.500000", "0.500000", "0.400000"),  # (80·1/2 + 20·0)/100
        ("2023-04-30", "0.925000", "0.712500", "0.570000"),  # (9·1 + 1·1/4)/10; (37/40 + 1/2)/2; 80·57/80/100
    ],
)
async def test_each_day_has_the_weights_that_were_set_last_by_then(
    views: Door, as_of: str, a1: str, a: str, plan: str
) -> None:
    told, story = a_plan_with_items()
    story.weighs("items", "A1", date(2023, 1, 1), A1_01="1", A1_02="2")
    story.weighs("measures", "A", date(2023, 2, 1), A1="1", A2="3")
    story.weighs("aspects", "PLAN-1", date(2023, 3, 1), A="80", B="20")
    story.weighs("items", "A1", date(2023, 4, 1), A1_01="9", A1_02="1")
    story.weighs("measures", "A", date(2023, 4, 1), A1="5", A2="5")
    await learn(views.pool, told.records)

    then = await plan_of(views, as_of=as_of)
    assert [verified(then, code) for code in ("A1", "A", "PLAN-1")] == [a1, a, plan]


async def test_what_was_not_known_yet_weighs_nothing_then(views: Door) -> None:
    told, plan = a_plan_with_items()
    before = told.clock
    plan.weighs("items", "A1", date(2022, 7, 1), A1_01="1", A1_02="2")
    await learn(views.pool, told.records)

    assert verified(await plan_of(views, as_of="2022-12-31"), "A1") == "0.500000"
    assert verified(await plan_of(views, as_of="2022-12-31", known_at=before.isoformat()), "A1") == "0.625000"


async def test_an_item_that_came_later_weighs_one_and_one_without_data_weighs_nothing(views: Door) -> None:
    told, plan = a_plan_with_items()
    plan.weighs("items", "A1", date(2023, 1, 1), A1_01="3", A1_02="2")
    told.item("A1-03")  # 0, and weighs 1
    told.item("A1-04", milestones=milestones("0"))  # no data
    await learn(views.pool, told.records)
    assert verified(await plan_of(views), "A1") == "0.583333"  # (3·1 + 2·1/4 + 1·0) / 6


async def test_where_all_that_weighs_something_was_given_up_there_is_no_data(views: Door) -> None:
    told = Told()
    plan = told.plan()
    first, _ = told.item("A1-01"), told.item("A1-02")
    plan.weighs("items", "A1", date(2023, 1, 1), A1_01="1", A1_02="0")
    first.ends(cancel_item, on=date(2023, 2, 1))
    await learn(views.pool, told.records)
    for asked in ({}, {"as_of": "2199-12-31"}):
        measure = (await plan_of(views, **asked))["aspects"][0]["measures"][0]
        assert (measure["items"], measure["progress"]["verified"]) == (1, None)


@pytest.mark.parametrize("batch", [1, 3, 100])
async def test_what_is_kept_with_weights_is_what_is_computed(views: Door, batch: int) -> None:
    told, plan = a_plan_with_items()
    plan.weighs("items", "A1", date(2023, 1, 1), A1_01="1.5", A1_02="2")
    told.item("A1-03").attains(1, date(2023, 6, 1))
    plan.weighs("items", "A1", date(2023, 7, 1), A1_01="1", A1_02="2", A1_03="0.25")
    for start in range(0, len(told.records), batch):
        await learn(views.pool, told.records[start : start + batch])
        kept = await views.pool.fetch("SELECT * FROM measure_progress WHERE by_state <> '{}' ORDER BY plan, measure")
        asked = (*progress.EVER, None, None)
        computed = await views.pool.fetch(f"SELECT * FROM ({progress.PROGRESS}) now ORDER BY plan, measure", *asked)
        assert [dict(row) for row in kept] == [dict(row) for row in computed]


def test_a_mean_of_what_weighs_nothing_is_no_data() -> None:
    half, one = Decimal("0.5"), Decimal(1)
    assert mean([(half, Decimal(0)), (None, one)]) is None
    assert mean([]) is None
    assert mean([(one, Decimal(3)), (half, one), (None, Decimal(9))]) == Decimal("0.875")


async def test_a_revision_is_seen_from_its_day_on(views: Door) -> None:
    told, plan = a_plan_with_items()
    a3 = Measure(code="A3", aspect="A", name_zh="新举措", name_en="New measure")
    renamed = (Renamed(part=PartKind.MEASURE, code="A1", name_zh="改名", name_en="Renamed"),)
    plan.does("revise", PlanDiff(measures=(a3,), renamed=renamed, title_zh="新方案"), **WHY, on=date(2023, 2, 1))
    told.item("A3-01", measure="A3").attains(1, date(2023, 6, 1))
    await learn(views.pool, told.records)

    for asked, codes, name, titles in (
        ({"as_of": "2023-01-31"}, ["A1", "A2"], "举措A1", ("实施方案", "Implementation plan")),
        ({"as_of": "2023-02-01"}, ["A1", "A2", "A3"], "改名", ("新方案", "Implementation plan")),
        ({}, ["A1", "A2", "A3"], "改名", ("新方案", "Implementation plan")),
    ):
        found = await plan_of(views, **asked)
        measures = found["aspects"][0]["measures"]
        assert [measure["code"] for measure in measures] == codes
        assert (measures[0]["name_zh"], (found["title_zh"], found["title_en"])) == (name, titles)
    assert verified(await plan_of(views), "A3") == "1.000000"


async def test_a_plan_is_seen_in_its_final_evaluation_and_closed(views: Door) -> None:
    told, plan = a_plan_with_items()
    plan.does("adopt", issuer="机关", document_number="1", on=date(2021, 2, 1))
    plan.does("enter_phase", "P1", on=date(2022, 1, 5))
    plan.does("start_final_evaluation", on=date(2026, 1, 5))
    await learn(views.pool, told.records)
    assert [(await plan_of(views, as_of=day))["state"] for day in ("2025-12-31", "2026-01-05")] == [
        "in-force",
        "final-evaluation",
    ]


async def test_unless_another_is_named_the_plan_is_shown_that_goes_on_not_one_that_is_closed(views: Door) -> None:
    told = Told()
    plans = [told.plan(code=code) for code in ("PLAN-1", "PLAN-2", "PLAN-3")]
    for plan in plans[:2]:
        plan.does("adopt", issuer="机关", document_number="1", on=date(2021, 2, 1))
        plan.does("enter_phase", "P1", on=date(2022, 1, 5))
    await learn(views.pool, told.records)
    assert await shown(views) == "PLAN-1"

    told.records.clear()
    plans[0].does("start_final_evaluation", on=date(2026, 1, 5))
    plans[0].does("close", SETTLED, successor=None, on=date(2026, 3, 31))
    await learn(views.pool, told.records)
    assert await shown(views) == "PLAN-2"


async def shown(views: Door) -> str:
    """The code of the plan that is shown where none is named."""
    async with views.client() as reader:
        code: str = (await reader.get("/api/v1/progress/measures")).json()["plan"]
    return code
