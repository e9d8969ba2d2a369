"""What an item knows of its measure: who leads it judges none of its items, and what the measure's state forbids."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from builders import (
    JUDGE,
    OWNER,
    UNITS,
    an_item_in_progress,
    an_item_reported_done,
    an_item_with_a_report,
    an_item_with_a_verified_milestone,
    item_body,
    item_words,
)
from common.decision import Change, Unit
from doors import Door
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.extension import grant_extension, request_extension, reschedule_item
from measures.measure.lead import Lead, MeasureAbove
from measures.measure.rules import MeasureState
from measures.measure.suspension import Suspension
from refusals import assert_problem, refused

ON = date(2022, 8, 1)
LED_BY_SOC = MeasureAbove(
    MeasureState.LAUNCHED,
    (Lead(UNITS["SOC"].id, (UNITS["YB"].id,), date(2022, 1, 1)), Lead(UNITS["FIN"].id, (), date(2022, 9, 1))),
)
SUSPENDED = MeasureAbove(MeasureState.SUSPENDED, suspensions=(Suspension(ON),))
GOES_ON_AGAIN = MeasureAbove(MeasureState.IN_PROGRESS, suspensions=(Suspension(date(2022, 7, 1), ON),))


def under(above: MeasureAbove, item: Item) -> Item:
    return replace(item, above=above)


# ── who judges ───────────────────────────────────────────────────────────────────────────────────────────────────────

JUDGEMENTS: list[tuple[Callable[[], Item], Callable[[Item, Unit, date], Change[Item]]]] = [
    (an_item_with_a_report, lambda item, by, on: item.verify_milestone(1, by=by, on=on)),
    (an_item_with_a_report, lambda item, by, on: item.return_milestone(1, reason="不符", by=by, on=on)),
    (an_item_with_a_verified_milestone,
     lambda item, by, on: item.revoke_verification(1, reason="不符", authority="纪要", by=by, on=on)),
    (an_item_reported_done, lambda item, by, on: item.return_to_owner(reason="不符", by=by, on=on)),
    (an_item_reported_done, lambda item, by, on: item.close(by=by, on=on)),
]  # fmt: skip


@pytest.mark.parametrize(("item", "judge"), JUDGEMENTS)
@pytest.mark.parametrize("unit", ["SOC", "SOC-1", "YB"])
def test_whoever_leads_its_measure_on_the_day_or_helps_does_not_judge(
    item: Callable[[], Item], judge: Callable[[Item, Unit, date], Change[Item]], unit: str
) -> None:
    led = under(LED_BY_SOC, item())
    with refused("judge.not-independent"):
        judge(led, UNITS[unit], date(2022, 8, 31))
    assert judge(led, UNITS["CQ"], date(2022, 8, 31)).events
    assert judge(led, UNITS[unit], date(2022, 9, 1)).events, "another unit leads by then"


@pytest.mark.parametrize(("item", "judge"), JUDGEMENTS)
def test_whoever_owns_the_item_that_a_local_one_is_part_of_or_helps_with_it_does_not_judge(
    item: Callable[[], Item], judge: Callable[[Item, Unit, date], Change[Item]]
) -> None:
    """The progress of theirs is that of its local items."""
    part = under(MeasureAbove(whole=(UNITS["SOC"].id, UNITS["YB"].id)), item())
    for unit in ("SOC", "SOC-1", "YB"):
        with refused("judge.not-independent"):
            judge(part, UNITS[unit], ON)
    assert judge(part, UNITS["CQ"], ON).events


def test_what_is_offered_to_a_judge_is_asked_of_who_leads_now() -> None:
    item = under(replace(LED_BY_SOC, leads=LED_BY_SOC.leads[:1]), an_item_with_a_report())
    offered = {path for _, path, no in item.steps(JUDGE) if no is None}
    assert not {"milestones/1/verify", "milestones/1/return"} & offered


# ── while it is suspended ────────────────────────────────────────────────────────────────────────────────────────────


def _asked_for_more_time() -> Item:
    item = under(SUSPENDED, an_item_in_progress())
    return request_extension(item, due_on=date(2023, 6, 30), reason="等待方案", by=OWNER, on=ON).state


MOVES: list[tuple[Callable[[], Item], Callable[[Item, date], Change[Item]]]] = [
    (an_item_in_progress,
     lambda item, on: reschedule_item(item, due_on=date(2023, 6, 30), reason="x", by=None, on=on)),
    (an_item_in_progress,
     lambda item, on: item.reschedule_milestone(1, planned_on=date(2023, 6, 30), reason="x", on=on)),
    (_asked_for_more_time, lambda item, on: grant_extension(item, by=None, on=on)),
]  # fmt: skip


@pytest.mark.parametrize(("item", "step"), MOVES)
def test_no_date_moves_while_the_measure_is_suspended(
    item: Callable[[], Item], step: Callable[[Item, date], Change[Item]]
) -> None:
    held_up = under(SUSPENDED, item())
    with refused("measure.suspended"):
        step(held_up, ON)
    offered = {path: no.refusal.code for _, path, no in held_up.steps(UNITS["CQ"]) if no is not None}
    assert {"measure.suspended"} == {code for path, code in offered.items() if path.endswith(("reschedule", "grant"))}
    assert step(under(MeasureAbove(), item()), ON).events


@pytest.mark.parametrize(("item", "step"), MOVES)
def test_a_date_is_moved_for_a_day_on_which_the_measure_went_on_and_for_no_other_whenever_that_is_told(
    item: Callable[[], Item], step: Callable[[Item, date], Change[Item]]
) -> None:
    yesterday = ON - timedelta(days=1)
    earlier = replace(item(), schedule=replace(item().schedule, since=yesterday))
    with refused("measure.suspended"):
        step(under(GOES_ON_AGAIN, earlier), yesterday)
    assert step(under(GOES_ON_AGAIN, earlier), ON).events
    assert step(under(SUSPENDED, earlier), yesterday).events, "it is suspended since the day after"


def test_work_may_go_on_while_the_measure_is_suspended() -> None:
    item = under(SUSPENDED, an_item_in_progress())
    assert item.report_milestone(1, attained_on=ON, note=None, by=OWNER, on=ON).events


# ── under judgement ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["submitted-for-acceptance", "accepted", "closed"])
def test_a_measure_that_is_judged_takes_no_items(state: str) -> None:
    with refused("measure.takes-no-items", at="/measure"):
        add_item(**item_words(above=MeasureAbove(MeasureState(state))))


@pytest.mark.parametrize("state", ["planned", "launched", "in-progress", "suspended"])
def test_every_other_measure_takes_items(state: str) -> None:
    above = MeasureAbove(MeasureState(state))
    assert add_item(**item_words(above=above)).state.above == above


def test_no_item_is_listed_for_a_day_on_which_its_measure_was_before_the_judges() -> None:
    """It would have stood open when the measure was submitted with nothing left open."""
    above = MeasureAbove(MeasureState.IN_PROGRESS, returned_on=date(2022, 5, 1))
    with refused("effective.before-predecessor", at="/effective_on"):
        add_item(**item_words(above=above, on=date(2022, 4, 30)))
    assert add_item(**item_words(above=above, on=date(2022, 5, 1))).events


# ── as it is read ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def measure(office: httpx.AsyncClient, plan: str) -> str:
    """The address of A1, which SOC leads since 2022-01-05."""
    listed = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    address = f"/api/v1/measures/{listed[0]['id']}"
    reply = await office.post(f"{address}/lead", json={"lead_unit": "SOC", "effective_on": "2022-01-05"})
    assert reply.status_code == 200, reply.text
    return address


async def test_an_item_is_read_with_its_measures_state_and_leads(
    office: httpx.AsyncClient, measure: str, item: str
) -> None:
    leads = [{"unit": str(UNITS["SOC"].id), "co_units": [], "since": "2022-01-05"}]
    above = {"state": "planned", "leads": leads, "plan_in_final_evaluation": False, "plan_closed": False}
    above |= {"local_plan_closed": False, "returned_on": None, "suspensions": [], "whole": []}
    assert (await office.get(item)).json()["above"] == above
    assert (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"][0]["above"]["leads"] == leads


async def test_whoever_leads_the_measure_sees_its_items_and_judges_none(
    measures: Door, reporter: httpx.AsyncClient, measure: str, started: str
) -> None:
    told = {"attained_on": "2022-06-01", "effective_on": "2022-06-10"}
    assert (await reporter.post(f"{started}/milestones/1/report", json=told)).status_code == 200
    lead = measures.client_for("measure-lead", "SOC")
    assert (await lead.get(started)).status_code == 200
    assert len((await lead.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]) == 1
    partial = measures.client_for("reform-office", "SOC")
    refusal = await partial.post(f"{started}/milestones/1/verify", json={"effective_on": "2022-06-20"})
    assert_problem(refusal, 403, "judge.not-independent")


async def test_another_lead_sees_nothing_of_it(measures: Door, measure: str, item: str) -> None:
    stranger = measures.client_for("measure-lead", "YB")
    assert_problem(await stranger.get(item), 404, "item.not-found")
    assert (await stranger.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"] == []


async def test_nothing_is_added_to_a_measure_that_was_submitted(
    measures: Door, office: httpx.AsyncClient, measure: str, started: str
) -> None:
    assert (await office.post(f"{measure}/launch", json={"effective_on": "2022-01-10"})).status_code == 200
    await measures.pool.execute("UPDATE item SET state = 'verified-closed'")
    lead = measures.client_for("measure-lead", "SOC")
    assert (await lead.post(f"{measure}/submit")).status_code == 200
    assert_problem(await office.post("/api/v1/items", json=item_body()), 409, "measure.takes-no-items", at="/measure")
