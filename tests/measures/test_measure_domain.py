"""How a measure is launched, led, tagged, held up and judged, and what is refused on the way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders import CO_UNIT, JUDGE, OWNER, UNITS
from common.contracts.measures import (
    Focus,
    MeasureAcceptanceReturned,
    MeasureAccepted,
    MeasureLaunched,
    MeasureLeadAssigned,
    MeasureResumed,
    MeasureSubmittedForAcceptance,
    MeasureSuspended,
    MeasureTagged,
    Quality,
    Tendency,
)
from measures.measure.domain import Measure, measure_id
from measures.measure.lead import Lead, led_on
from measures.measure.rules import MeasureState
from measures.measure.surroundings import Acceptance, Tags
from measures.measure.suspension import Suspension
from putting_down import (
    ALL_ENDED,
    NOTHING_YET,
    UNDER_WAY,
    a_launched_measure,
    a_measure_in_progress,
    a_measure_of,
    a_planned_measure,
    a_submitted_measure,
    a_suspended_measure,
    an_accepted_measure,
)
from refusals import refused

LEAD, OFFICE = OWNER, UNITS["CQ"]
ON = date(2025, 12, 1)
TAGS = Tags(qualities=(Quality.MASS,), tendencies=(Tendency.OFFICE,), focus=(Focus.KEY_POINT,))


def named(measure: Measure) -> dict[str, Any]:
    return {"measure": measure.id, "plan": "PLAN-1", "code": "A1"}


# ── what happens is told ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_measures_id_follows_from_its_plan_and_its_code() -> None:
    plan = UUID("0197c1a0-5b00-7a11-8c01-1f2e3d4c5b6a")
    assert measure_id(plan, "B2") == measure_id(plan, "B2") == UUID("e0dc47c1-7ecb-520d-a9f1-3593069f5420")
    assert len({measure_id(plan, "B2"), measure_id(plan, "B1"), measure_id(uuid4(), "B2")}) == 3


def test_a_measure_is_launched() -> None:
    measure = a_planned_measure()
    change = measure.launch(by=OFFICE, on=date(2022, 1, 10))
    assert change.state == replace(measure, version=1, state=MeasureState.LAUNCHED, since=date(2022, 1, 10))
    assert change.events == (MeasureLaunched(**named(measure), launched_on=date(2022, 1, 10)),)


def test_a_unit_leads_from_a_day_on_until_the_next_one_does() -> None:
    measure = a_planned_measure()
    change = measure.assign_lead(lead=LEAD.id, co_units=(CO_UNIT.id,), by=OFFICE, on=date(2022, 1, 5))
    assert change.events == (
        MeasureLeadAssigned(**named(measure), lead_unit=LEAD.id, co_units=(CO_UNIT.id,), assigned_on=date(2022, 1, 5)),
    )
    later = change.state.assign_lead(lead=JUDGE.id, co_units=(), by=OFFICE, on=date(2023, 1, 1)).state
    assert later.leads == (Lead(LEAD.id, (CO_UNIT.id,), date(2022, 1, 5)), Lead(JUDGE.id, (), date(2023, 1, 1)))
    assert [led_on(later.leads, on) for on in (date(2022, 1, 4), date(2022, 12, 31), date(2023, 1, 1), None)] == [
        None, later.leads[0], later.leads[1], later.leads[1],
    ]  # fmt: skip


def test_tags_take_the_place_of_those_before() -> None:
    measure = a_launched_measure().tag(Tags(qualities=(Quality.POLITICAL,)), by=OFFICE, on=date(2022, 1, 11)).state
    change = measure.tag(TAGS, by=OFFICE, on=date(2022, 2, 1))
    assert (change.state.tags, change.state.since) == (TAGS, measure.since)
    assert change.events == (
        MeasureTagged(
            **named(measure), qualities=(Quality.MASS,), tendencies=(Tendency.OFFICE,), focus=(Focus.KEY_POINT,),
            tagged_on=date(2022, 2, 1),
        ),
    )  # fmt: skip


def test_two_of_the_four_tendencies_come_first() -> None:
    assert [(one.zh, one.priority) for one in Tendency] == [
        ("机关化", True), ("行政化", True), ("贵族化", False), ("娱乐化", False),
    ]  # fmt: skip


def test_a_measure_is_in_progress_as_soon_as_one_of_its_items_is() -> None:
    assert [a_launched_measure(work=work).state for work in (NOTHING_YET, UNDER_WAY)] == ["launched", "in-progress"]
    assert a_planned_measure(work=UNDER_WAY).state == "planned"


@pytest.mark.parametrize("before", [a_launched_measure, a_measure_in_progress])
def test_a_measure_is_suspended_and_goes_on_where_it_stood(before: Callable[[], Measure]) -> None:
    measure = before()
    held_up = measure.suspend(reason="等待方案", by=OFFICE, on=ON)
    assert (held_up.state.state, held_up.state.suspended_for) == ("suspended", "等待方案")
    assert held_up.events == (MeasureSuspended(**named(measure), reason="等待方案", suspended_on=ON),)
    resumed = held_up.state.resume(by=OFFICE, on=ON)
    told = (Suspension(ON, until=ON),)
    assert resumed.state == replace(measure, version=measure.version + 2, since=ON, suspensions=told)
    assert resumed.events == (MeasureResumed(**named(measure), resumed_on=ON),)


def test_the_lead_puts_a_measure_before_the_judges_and_they_accept_it() -> None:
    measure = a_measure_in_progress(work=ALL_ENDED)
    submitted = measure.submit(by=LEAD, on=ON)
    assert submitted.events == (MeasureSubmittedForAcceptance(**named(measure), by=LEAD.id, submitted_on=ON),)
    accepted = submitted.state.accept(score=Decimal("92.5"), reviewers=(JUDGE,), by=JUDGE, on=ON)
    assert accepted.state.state == "accepted"
    assert accepted.state.acceptance == Acceptance(Decimal("92.5"), (JUDGE.id,))
    assert accepted.events == (
        MeasureAccepted(
            **named(measure), score=Decimal("92.5"), reviewers=(JUDGE.id,), by=JUDGE.id, accepted_on=ON
        ),
    )  # fmt: skip


def test_a_measure_that_is_returned_is_in_progress_again() -> None:
    measure = a_submitted_measure()
    change = measure.return_to_lead(reason="材料不全", by=JUDGE, on=ON)
    assert (change.state.state, change.state.version) == ("in-progress", measure.version + 1)
    assert change.state.returned_on == ON
    assert change.events == (
        MeasureAcceptanceReturned(**named(measure), reason="材料不全", by=JUDGE.id, returned_on=ON),
    )


def test_a_measure_is_closed_with_its_plan() -> None:
    closed = a_measure_of(an_accepted_measure(), closed=True)
    assert (closed.state, list(closed.steps(OFFICE))) == ("closed", [])
    assert closed.acceptance is not None


# ── said again ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("measure", "step"),
    [
        (a_launched_measure, lambda m: m.launch(by=OFFICE, on=ON)),
        (a_measure_in_progress, lambda m: m.launch(by=OFFICE, on=ON)),
        (a_measure_in_progress, lambda m: m.resume(by=OFFICE, on=ON)),
        (a_measure_in_progress, lambda m: m.assign_lead(lead=LEAD.id, co_units=(CO_UNIT.id,), by=OFFICE, on=ON)),
        (a_planned_measure, lambda m: m.tag(Tags(), by=OFFICE, on=ON)),
        (a_suspended_measure, lambda m: m.suspend(reason="等待方案", by=OFFICE, on=ON)),
        (a_submitted_measure, lambda m: m.submit(by=LEAD, on=ON)),
        (an_accepted_measure, lambda m: m.accept(score=Decimal("90.0"), reviewers=(JUDGE,), by=JUDGE, on=ON)),
    ],
)
def test_what_holds_already_changes_nothing(measure: Callable[[], Measure], step: Callable[[Measure], Any]) -> None:
    before = measure()
    assert (step(before).state, step(before).events) == (before, ())


@pytest.mark.parametrize(
    ("measure", "step", "code"),
    [
        (a_suspended_measure, lambda m: m.suspend(reason="另一理由", by=OFFICE, on=ON), "measure.suspended-otherwise"),
        (an_accepted_measure, lambda m: m.accept(score=Decimal(80), reviewers=(JUDGE,), by=JUDGE, on=ON),
         "measure.accepted-otherwise"),
        (an_accepted_measure, lambda m: m.accept(score=Decimal(90), reviewers=(OFFICE,), by=JUDGE, on=ON),
         "measure.accepted-otherwise"),
    ],
)  # fmt: skip
def test_what_holds_already_is_not_said_otherwise(
    measure: Callable[[], Measure], step: Callable[[Measure], object], code: str
) -> None:
    with refused(code):
        step(measure())


# ── from where ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("measure", "step"),
    [
        (a_planned_measure, lambda m: m.suspend(reason="等待方案", by=OFFICE, on=ON)),
        (a_planned_measure, lambda m: m.resume(by=OFFICE, on=ON)),
        (a_launched_measure, lambda m: m.submit(by=LEAD, on=ON)),
        (a_suspended_measure, lambda m: m.submit(by=LEAD, on=ON)),
        (a_suspended_measure, lambda m: m.launch(by=OFFICE, on=ON)),
        (a_measure_in_progress, lambda m: m.accept(score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=ON)),
        (a_measure_in_progress, lambda m: m.return_to_lead(reason="材料不全", by=JUDGE, on=ON)),
        (a_submitted_measure, lambda m: m.suspend(reason="等待方案", by=OFFICE, on=ON)),
        (a_submitted_measure, lambda m: m.assign_lead(lead=JUDGE.id, co_units=(), by=OFFICE, on=ON)),
        (an_accepted_measure, lambda m: m.return_to_lead(reason="材料不全", by=JUDGE, on=ON)),
        (lambda: a_measure_of(an_accepted_measure(), closed=True), lambda m: m.tag(TAGS, by=OFFICE, on=ON)),
    ],
)
def test_a_step_is_taken_from_its_own_states_only(
    measure: Callable[[], Measure], step: Callable[[Measure], object]
) -> None:
    with refused("measure.wrong-state"):
        step(measure())


@pytest.mark.parametrize(
    "step",
    [
        lambda m: m.launch(by=OFFICE, on=ON),
        lambda m: m.assign_lead(lead=LEAD.id, co_units=(), by=OFFICE, on=ON),
        lambda m: m.tag(TAGS, by=OFFICE, on=ON),
    ],
)
def test_nothing_is_done_about_the_measures_of_a_draft(step: Callable[[Measure], object]) -> None:
    with refused("measure.plan-not-adopted"):
        step(a_planned_measure(adopted_on=None))


def test_a_measure_is_neither_submitted_nor_accepted_while_an_item_is_open() -> None:
    with refused("measure.open-items"):
        a_measure_in_progress(work=UNDER_WAY).submit(by=LEAD, on=ON)
    reopened = a_measure_of(a_submitted_measure(), work=UNDER_WAY)
    with refused("measure.open-items"):
        reopened.accept(score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=ON)
    assert reopened.return_to_lead(reason="事项重启", by=JUDGE, on=ON).events


# ── by whom ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lead_does_not_help_itself() -> None:
    with refused("measure.lead-among-co-units", at="/co_units"):
        a_planned_measure().assign_lead(lead=LEAD.id, co_units=(CO_UNIT.id, LEAD.id), by=OFFICE, on=ON)


@pytest.mark.parametrize("unit", ["FIN", "CQ", "ORG-1"])
def test_only_the_lead_submits(unit: str) -> None:
    with refused("measure.not-lead"):
        a_measure_in_progress(work=ALL_ENDED).submit(by=UNITS[unit], on=ON)


def test_a_measure_without_a_lead_is_submitted_by_nobody() -> None:
    with refused("measure.not-lead"):
        replace(a_measure_in_progress(work=ALL_ENDED), leads=()).submit(by=LEAD, on=ON)


def test_who_led_on_the_day_is_asked_and_who_leads_now_is_offered() -> None:
    moved = a_measure_in_progress(work=ALL_ENDED)
    moved = moved.assign_lead(lead=JUDGE.id, co_units=(), by=OFFICE, on=date(2025, 6, 1)).state
    with refused("measure.not-lead"):
        moved.submit(by=JUDGE, on=date(2025, 5, 31))
    assert moved.submit(by=LEAD, on=date(2025, 5, 31)).events
    assert [path for _, path, no in moved.steps(JUDGE) if path == "submit" and no is None] == ["submit"]


@pytest.mark.parametrize("unit", ["ORG", "ORG-1", "FIN", "YB"])
def test_whoever_led_helped_or_did_an_item_neither_judges_nor_reviews(unit: str) -> None:
    measure, by = a_submitted_measure(), UNITS[unit]
    with refused("judge.not-independent"):
        measure.accept(score=Decimal(90), reviewers=(JUDGE,), by=by, on=ON)
    with refused("judge.not-independent"):
        measure.return_to_lead(reason="材料不全", by=by, on=ON)
    with refused("judge.not-independent", at="/reviewers/1"):
        measure.accept(score=Decimal(90), reviewers=(JUDGE, by), by=JUDGE, on=ON)
    assert {path for _, path, no in measure.steps(by) if no is None} == {"tags"}


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "step",
    [
        lambda m, on: m.launch(by=OFFICE, on=on),
        lambda m, on: m.assign_lead(lead=LEAD.id, co_units=(), by=OFFICE, on=on),
        lambda m, on: m.tag(TAGS, by=OFFICE, on=on),
    ],
)
def test_nothing_takes_effect_before_the_plan_began_or_was_adopted(step: Callable[[Measure, date], Any]) -> None:
    with refused("effective.before-plan", at="/effective_on"):
        step(a_planned_measure(), date(2020, 12, 31))
    with refused("effective.before-predecessor", at="/effective_on"):
        step(a_planned_measure(), date(2021, 1, 31))
    assert step(a_planned_measure(), date(2021, 2, 1)).events


@pytest.mark.parametrize(
    ("measure", "step", "first"),
    [
        (a_launched_measure, lambda m, on: m.suspend(reason="等待方案", by=OFFICE, on=on), date(2022, 1, 10)),
        (a_suspended_measure, lambda m, on: m.resume(by=OFFICE, on=on), date(2023, 3, 1)),
        (a_launched_measure, lambda m, on: m.assign_lead(lead=JUDGE.id, co_units=(), by=OFFICE, on=on),
         date(2022, 1, 5)),
        (lambda: a_launched_measure().tag(TAGS, by=OFFICE, on=date(2022, 5, 1)).state,
         lambda m, on: m.tag(Tags(), by=OFFICE, on=on), date(2022, 5, 1)),
        (lambda: a_measure_in_progress(work=ALL_ENDED), lambda m, on: m.submit(by=LEAD, on=on), date(2024, 12, 31)),
        (a_submitted_measure, lambda m, on: m.accept(score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=on),
         date(2025, 11, 10)),
        (a_submitted_measure, lambda m, on: m.return_to_lead(reason="材料不全", by=JUDGE, on=on), date(2025, 11, 10)),
        (lambda: a_measure_of(a_submitted_measure(), work=replace(ALL_ENDED, since=date(2025, 11, 20))),
         lambda m, on: m.accept(score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=on), date(2025, 11, 20)),
    ],
)  # fmt: skip
def test_no_step_takes_effect_before_what_it_follows(
    measure: Callable[[], Measure], step: Callable[[Measure, date], Any], first: date
) -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        step(measure(), first.replace(day=first.day - 1) if first.day > 1 else date(first.year, first.month - 1, 28))
    assert step(measure(), first).events
