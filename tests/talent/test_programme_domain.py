"""How a programme is put down, activated and retired."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.talent import (
    Admission,
    Audience,
    ProgrammeActivated,
    ProgrammeDefined,
    ProgrammeKind,
    ProgrammeRetired,
)
from common.decision import Refused
from refusals import refused
from talent.programme.domain import Programme, ProgrammeState, define_programme


def words(**changed: Any) -> dict[str, Any]:
    """What ``define_programme`` is told: a yearly class."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "code": "CLASS",
        "kind": ProgrammeKind.TRAINING_CLASS,
        "name_zh": "研修班",
        "name_en": "Training class",
        "audience": Audience.TALENTS,
        "admission": Admission.NOMINATION,
        "held_every_months": 12,
        "measure": "A2",
        "on": date(2022, 1, 10),
    }
    return told | changed


def a_draft() -> Programme:
    """A programme that was put down on 2022-01-10."""
    return define_programme(**words()).state


def an_active_programme() -> Programme:
    """A programme that was activated on 2022-03-01."""
    return a_draft().activate(on=date(2022, 3, 1)).state


def a_retired_programme() -> Programme:
    """A programme that was retired on 2025-12-31."""
    return an_active_programme().retire(on=date(2025, 12, 31)).state


def test_a_programme_begins_as_a_draft_that_is_told_of_with_all_its_particulars() -> None:
    told = words()

    change = define_programme(**told)

    on = told.pop("on")
    assert (change.state.state, change.state.version, change.state.since) == (ProgrammeState.DRAFT, 1, on)
    assert change.events == (ProgrammeDefined(programme=told.pop("id"), defined_on=on, **told),)


def test_a_draft_is_activated_from_a_given_day_on() -> None:
    draft = a_draft()

    change = draft.activate(on=date(2022, 3, 1))

    assert change.events == (ProgrammeActivated(programme=draft.id, activated_on=date(2022, 3, 1)),)
    assert change.state == replace(draft, version=2, state=ProgrammeState.ACTIVE, since=date(2022, 3, 1))


def test_an_active_programme_is_retired_from_a_given_day_on() -> None:
    active = an_active_programme()

    change = active.retire(on=date(2025, 12, 31))

    assert change.events == (ProgrammeRetired(programme=active.id, retired_on=date(2025, 12, 31)),)
    assert change.state == replace(active, version=3, state=ProgrammeState.RETIRED, since=date(2025, 12, 31))


def test_activating_an_active_programme_changes_nothing_whatever_the_day() -> None:
    active = an_active_programme()

    change = active.activate(on=date(2020, 1, 1))

    assert (change.state, change.events) == (active, ())


def test_retiring_a_retired_programme_changes_nothing_whatever_the_day() -> None:
    retired = a_retired_programme()

    change = retired.retire(on=date(2020, 1, 1))

    assert (change.state, change.events) == (retired, ())


def test_a_draft_cannot_be_retired() -> None:
    with pytest.raises(Refused) as caught:
        a_draft().retire(on=date(2022, 3, 1))

    assert caught.value.refusal.code == "programme.wrong-state"
    assert caught.value.say("zh") == "项目现处于“草拟”，不能执行此操作"


def test_a_retired_programme_is_not_activated_again() -> None:
    with refused("programme.wrong-state"):
        a_retired_programme().activate(on=date(2026, 1, 1))


def test_a_programme_is_not_activated_before_it_was_defined() -> None:
    with refused("effective.before-predecessor"):
        a_draft().activate(on=date(2022, 1, 9))


def test_a_programme_is_not_retired_before_it_was_activated() -> None:
    with refused("effective.before-predecessor"):
        an_active_programme().retire(on=date(2022, 2, 28))


def test_all_three_steps_may_take_effect_on_one_day() -> None:
    on = date(2022, 1, 10)

    assert a_draft().activate(on=on).state.retire(on=on).state.since == on


@pytest.mark.parametrize(
    ("programme", "offered"),
    [
        (a_draft, [("programme.activate", "activate", None)]),
        (an_active_programme, [("programme.retire", "retire", None)]),
        (a_retired_programme, []),
    ],
)
def test_a_programme_offers_exactly_what_it_would_take(
    programme: Callable[[], Programme], offered: list[tuple[str, str, None]]
) -> None:
    assert list(programme().steps(None)) == offered
