"""How a successor plan goes on with an item: what it takes along, what it leaves, and what is refused."""

from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from builders import (
    JUDGE,
    OWNER,
    a_milestone,
    an_item_in_progress,
    plan_body,
)
from common.contracts.measures import MilestonePlanned, ReformItemAdded
from common.decision import Change
from measures.continuation.continuing import continue_item
from measures.item.domain import Item
from measures.item.ending import cancel_item, carry_over_item
from measures.item.milestone import MilestoneState
from measures.item.rules import ItemState
from measures.measure.lead import MeasureAbove
from refusals import assert_problem, refused

WHY: dict[str, Any] = {"reason": "延续", "authority": "会议纪要 2026-2"}
ITEMS, CONTINUATIONS = "/api/v1/items", "/api/v1/items/continuations"


def _carried(**changed: Any) -> Item:
    """Carried over on 2026-03-31: the first of its milestones verified, the second reported, two more planned."""
    late = date(2027, 1, 31)
    planned = (*map(a_milestone, (1, 2, 3)), a_milestone(4, planned_on=late))
    ending = MeasureAbove(plan_in_final_evaluation=True)
    item = an_item_in_progress(milestones=planned, above=ending, **changed)
    for number in (1, 2):
        report: dict[str, Any] = {"attained_on": date(2022, 6, 1), "note": None, "by": OWNER, "on": date(2022, 6, 10)}
        item = item.report_milestone(number, **report).state
    item = item.verify_milestone(1, by=JUDGE, on=date(2022, 6, 20)).state
    return carry_over_item(
        item, successor="PLAN-2", plan_since=date(2026, 1, 5), **WHY, by=None, on=date(2026, 3, 31)
    ).state


def _continued(item: Item, **changed: Any) -> Change[Item]:
    told: dict[str, Any] = {"id": uuid4(), "plan_starts_on": date(2026, 1, 1), "measure": "A1", "code": "A1-01"}
    told |= {"planned_start_on": date(2026, 4, 1), "due_on": date(2027, 6, 30), "above": MeasureAbove()}
    return continue_item(item, **(told | {"on": date(2026, 4, 1)} | changed))


def test_the_successor_takes_unfinished_milestones_alone_and_asks_for_them_anew() -> None:
    before = _carried()
    after = _continued(before).state
    assert [(m.number, m.state) for m in after.milestones] == [(n, MilestoneState.PLANNED) for n in (2, 3, 4)]
    assert [m.planned_on for m in after.milestones] == [date(2027, 6, 30), date(2027, 6, 30), date(2027, 1, 31)]
    assert (after.plan, after.state, after.owner, after.title_zh) == (
        "PLAN-2",
        ItemState.DRAFT,
        before.owner,
        before.title_zh,
    )


def test_it_is_told_with_which_item_it_goes_on() -> None:
    before = _carried()
    added, *planned = _continued(before).events
    assert isinstance(added, ReformItemAdded)
    assert added.continues == before.id
    assert all(isinstance(event, MilestonePlanned) for event in planned)


def test_an_item_that_was_not_carried_over_is_not_continued() -> None:
    for item in (an_item_in_progress(), cancel_item(an_item_in_progress(), **WHY, by=None, on=date(2026, 1, 5)).state):
        with refused("item.not-carried-over", at="/item"):
            _continued(item)


def test_a_local_item_is_not_continued() -> None:
    with refused("item.local-not-continued", at="/item"):
        _continued(_carried(local_plan="YB-2022"))


def test_an_item_is_not_continued_before_it_was_carried_over() -> None:
    with refused("effective.before-predecessor"):
        _continued(_carried(), on=date(2026, 3, 30))


@pytest.fixture
async def successor(office: httpx.AsyncClient, plan: str) -> str:
    """The code of an adopted plan for the years after the first, which is in its final evaluation."""
    for step, on in (("phases/P1/enter", "2022-01-05"), ("start-final-evaluation", "2026-01-05")):
        assert (await office.post(f"{plan}/{step}", json={"effective_on": on})).status_code == 200
    years = {"starts_on": "2026-01-01", "ends_on": "2030-12-31", "effective_on": "2026-01-10"}
    phase = plan_body()["phases"][0] | {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    defined = await office.post("/api/v1/plans", json=plan_body(code="PLAN-2", phases=[phase], **years))
    adoption = {"issuer": "市委深改办", "document_number": "2026-1", "effective_on": "2026-02-01"}
    assert (await office.post(f"{defined.headers['location']}/adopt", json=adoption)).status_code == 200
    return "PLAN-2"


async def test_an_item_is_carried_over_and_goes_on_in_the_successor_once(
    office: httpx.AsyncClient, item: str, successor: str
) -> None:
    anew = {"item": item.rsplit("/", 1)[1], "planned_start_on": "2026-04-01", "due_on": "2027-06-30"}
    assert_problem(await office.post(CONTINUATIONS, json=anew), 409, "item.not-carried-over", at="/item")
    carried = await office.post(f"{item}/carry-over", json=WHY | {"successor": successor, "effective_on": "2026-03-31"})
    assert carried.json()["state"] == "carried-over"
    made = await office.post(CONTINUATIONS, json=anew)
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    read = (await office.get(made.headers["location"])).json()
    assert (read["plan"], read["code"], len(read["milestones"])) == (
        successor,
        (await office.get(item)).json()["code"],
        1,
    )
    assert_problem(await office.post(CONTINUATIONS, json=anew), 409, "item.continued-already", at="/item")
    elsewhere = await office.post(f"{item}/carry-over", json=WHY | {"successor": "PLAN-3"})
    assert_problem(elsewhere, 422, "plan.unknown", at="/successor")
    assert_problem(
        await office.post(CONTINUATIONS, json=anew | {"measure": "Z9", "code": "Z9-01"}), 422, "plan.unknown-measure"
    )
    assert (await office.get(item)).json()["state"] == "carried-over"
    nowhere = anew | {"item": "00000000-0000-0000-0000-000000000000"}
    assert_problem(await office.post(CONTINUATIONS, json=nowhere), 404, "item.not-found")
