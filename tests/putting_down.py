"""Measures as a plan puts them down and as they go on: A1, led by ORG with the help of FIN; YB has one of its items."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from builders import CO_UNIT, JUDGE, OWNER, UNITS
from measures.measure.domain import Measure, planned
from measures.measure.surroundings import PutDown, Work

OFFICE = UNITS["CQ"]
NOTHING_YET = Work(items=1, started=False, unfinished=1, units=(UNITS["YB"].id,), since=date(2022, 1, 5))
UNDER_WAY = replace(NOTHING_YET, items=2, started=True, unfinished=1, since=date(2022, 2, 1))
GIVEN_UP = replace(NOTHING_YET, unfinished=0)
ALL_ENDED = replace(UNDER_WAY, unfinished=0, since=date(2024, 12, 31))


def a_planned_measure(*, work: Work = NOTHING_YET, **put_down: Any) -> Measure:
    """A measure of a plan that was adopted, before its first command."""
    told: dict[str, Any] = {
        "aspect": "A", "name_zh": "举措A1", "name_en": "Measure A1", "starts_on": date(2021, 1, 1),
        "adopted_on": date(2021, 2, 1), "closed": False,
    }  # fmt: skip
    return planned(
        id=uuid5(NAMESPACE_URL, "A1"), plan="PLAN-1", code="A1", put_down=PutDown(**(told | put_down)), work=work
    )


def a_measure_of(measure: Measure, *, work: Work | None = None, **put_down: Any) -> Measure:
    """The same measure while other things stand beside it."""
    return replace(measure, work=work or measure.work, put_down=replace(measure.put_down, **put_down))


def a_launched_measure(*, work: Work = NOTHING_YET) -> Measure:
    """A measure that was given its lead on 2022-01-05 and was launched on 2022-01-10."""
    led = a_planned_measure(work=work).assign_lead(
        lead=OWNER.id, co_units=(CO_UNIT.id,), by=OFFICE, on=date(2022, 1, 5)
    )
    return led.state.launch(by=OFFICE, on=date(2022, 1, 10)).state


def a_measure_in_progress(*, work: Work = UNDER_WAY) -> Measure:
    """A measure one of whose items is under way."""
    return a_launched_measure(work=work)


def a_suspended_measure() -> Measure:
    """A measure that was suspended on 2023-03-01."""
    return a_measure_in_progress().suspend(reason="等待方案", by=OFFICE, on=date(2023, 3, 1)).state


def a_submitted_measure() -> Measure:
    """A measure that its lead put before the judges on 2025-11-10."""
    return a_measure_in_progress(work=ALL_ENDED).submit(by=OWNER, on=date(2025, 11, 10)).state


def an_accepted_measure() -> Measure:
    """A measure that was accepted with 90 points on 2025-12-01."""
    return a_submitted_measure().accept(score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=date(2025, 12, 1)).state
