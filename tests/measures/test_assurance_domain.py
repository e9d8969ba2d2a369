"""How a measure or an item is rated independently, and when a rating no longer holds."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from builders import CO_UNIT, JUDGE, OWNER, UNITS
from common.contracts.measures import AssuranceExpired, AssuranceGiven, AssuranceWithdrawn, Rating, SubjectKind
from common.decision import Unit
from measures.assurance.domain import Assurance, AssuranceState, give_assurance
from measures.subject.partakers import Partakers
from refusals import refused

GIVEN_ON, EXPIRES_ON = date(2022, 3, 1), date(2022, 9, 1)


def words(**changed: Any) -> dict[str, Any]:
    """What ``give_assurance`` is told: SOC rates an item of ORG, in which FIN takes part, for half a year."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "plan": "PLAN-1",
        "subject_kind": SubjectKind.ITEM,
        "subject": "A1-01",
        "partakers": Partakers(units=(OWNER.id, CO_UNIT.id)),
        "rating": Rating.YELLOW,
        "reason": "回执未齐",
        "expires_on": EXPIRES_ON,
        "by": JUDGE,
        "on": GIVEN_ON,
    }
    return told | changed


def a_valid_assurance(**changed: Any) -> Assurance:
    """One that was given on 2022-03-01 and expires on 2022-09-01."""
    return give_assurance(**words(**changed)).state


def a_withdrawn_assurance() -> Assurance:
    """One that was withdrawn on 2022-04-01."""
    return a_valid_assurance().withdraw(reason="材料有误", by=JUDGE, on=date(2022, 4, 1)).state


def anew(**changed: Any) -> dict[str, Any]:
    """What ``give`` is told: SOC thinks better of it a month later."""
    told = {"rating": Rating.GREEN, "reason": "已补齐", "expires_on": date(2023, 1, 1), "by": JUDGE}
    return told | {"on": date(2022, 4, 1)} | changed


# ── giving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rating_holds_from_the_day_on_which_it_is_given() -> None:
    told = words()
    change = give_assurance(**told)
    assert (change.state.state, change.state.since, change.state.given_version) == ("valid", GIVEN_ON, 1)
    about = {name: told[name] for name in ("plan", "subject_kind", "subject", "rating", "reason", "expires_on")}
    assert change.events == (
        AssuranceGiven(assurance=told["id"], assurer=JUDGE.id, replaces=None, given_on=GIVEN_ON, **about),
    )


@pytest.mark.parametrize("unit", ["ORG", "ORG-1", "FIN"])
def test_whoever_takes_part_or_stands_below_does_not_rate(unit: str) -> None:
    with refused("judge.not-independent"):
        give_assurance(**words(by=UNITS[unit]))
    with refused("judge.not-independent"):
        a_valid_assurance().give(**anew(by=UNITS[unit]))
    with refused("judge.not-independent"):
        a_valid_assurance().withdraw(reason="材料有误", by=UNITS[unit], on=date(2022, 4, 1))


@pytest.mark.parametrize("expires_on", [GIVEN_ON, date(2022, 2, 1)])
def test_a_rating_holds_for_a_day_at_least(expires_on: date) -> None:
    with refused("assurance.expires-too-early", at="/expires_on"):
        give_assurance(**words(expires_on=expires_on))
    with refused("assurance.expires-too-early", at="/expires_on"):
        a_valid_assurance().give(**anew(expires_on=expires_on, on=GIVEN_ON))


def test_a_rating_given_anew_replaces_the_one_that_held() -> None:
    before = a_valid_assurance()
    change = before.give(**anew())
    (event,) = change.events
    assert isinstance(event, AssuranceGiven)
    assert (event.replaces, event.rating, event.given_on) == (1, Rating.GREEN, date(2022, 4, 1))
    assert change.state == replace(
        before, version=2, rating=Rating.GREEN, reason="已补齐", expires_on=date(2023, 1, 1), given_version=2,
        since=date(2022, 4, 1),
    )  # fmt: skip


@pytest.mark.parametrize("ended", [a_withdrawn_assurance(), a_valid_assurance().expire(on=EXPIRES_ON).state])
def test_where_none_holds_a_new_one_replaces_nothing(ended: Assurance) -> None:
    change = ended.give(**anew(on=date(2022, 10, 1)))
    (event,) = change.events
    assert isinstance(event, AssuranceGiven)
    assert event.replaces is None
    assert (change.state.state, change.state.withdrawn_because) == ("valid", None)


def test_a_rating_whose_time_was_over_replaces_nothing_though_nobody_has_told_so_yet() -> None:
    (event,) = a_valid_assurance().give(**anew(on=EXPIRES_ON)).events
    assert isinstance(event, AssuranceGiven)
    assert event.replaces is None


def test_the_same_rating_said_again_changes_nothing() -> None:
    same = {name: words()[name] for name in ("rating", "reason", "expires_on", "by")}
    assert a_valid_assurance().give(**same, on=date(2022, 4, 1)).events == ()


def test_no_rating_is_given_before_the_one_that_it_replaces() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        a_valid_assurance().give(**anew(on=date(2022, 2, 28)))


# ── withdrawing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rating_is_withdrawn_with_a_reason() -> None:
    before, on = a_valid_assurance(), date(2022, 4, 1)
    change = before.withdraw(reason="材料有误", by=UNITS["YB"], on=on)
    assert change.state == replace(
        before, version=2, state=AssuranceState.WITHDRAWN, since=on, withdrawn_because="材料有误"
    )
    assert change.events == (
        AssuranceWithdrawn(assurance=before.id, reason="材料有误", by=UNITS["YB"].id, replaces=1, withdrawn_on=on),
    )


def test_withdrawing_twice_for_the_same_reason_changes_nothing() -> None:
    assert a_withdrawn_assurance().withdraw(reason="材料有误", by=JUDGE, on=date(2022, 5, 1)).events == ()


def test_withdrawing_it_for_another_reason_is_refused() -> None:
    with refused("assurance.withdrawn-otherwise"):
        a_withdrawn_assurance().withdraw(reason="他由", by=JUDGE, on=date(2022, 5, 1))


def test_an_expired_rating_is_not_withdrawn() -> None:
    with refused("assurance.wrong-state"):
        a_valid_assurance().expire(on=EXPIRES_ON).state.withdraw(reason="材料有误", by=JUDGE, on=EXPIRES_ON)


def test_a_rating_is_not_withdrawn_on_a_day_on_which_it_no_longer_held() -> None:
    with refused("assurance.expired-by-then", at="/effective_on"):
        a_valid_assurance().withdraw(reason="材料有误", by=JUDGE, on=EXPIRES_ON)


def test_a_rating_is_not_withdrawn_before_it_was_given() -> None:
    with refused("effective.before-predecessor", at="/effective_on"):
        a_valid_assurance().withdraw(reason="材料有误", by=JUDGE, on=date(2022, 2, 1))


# ── expiring ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rating_expires_on_its_day_however_late_that_is_seen() -> None:
    before = a_valid_assurance()
    change = before.expire(on=date(2022, 10, 11))
    assert (change.state.state, change.state.since, change.effective_on) == ("expired", EXPIRES_ON, EXPIRES_ON)
    assert change.events == (AssuranceExpired(assurance=before.id, replaces=1, expired_on=EXPIRES_ON),)


@pytest.mark.parametrize(
    ("assurance", "on"),
    [
        (a_valid_assurance(), date(2022, 8, 31)),
        (a_valid_assurance().expire(on=EXPIRES_ON).state, EXPIRES_ON),
        (a_withdrawn_assurance(), EXPIRES_ON),
        (a_valid_assurance().give(**anew()).state, EXPIRES_ON),
    ],
    ids=["it still holds", "it has expired", "it was withdrawn", "it was given anew"],
)
def test_nothing_expires_when(assurance: Assurance, on: date) -> None:
    assert assurance.expire(on=on).events == ()


# ── what is offered ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("assurance", "by", "offered"),
    [
        (a_valid_assurance(), JUDGE, {"give", "withdraw"}),
        (a_valid_assurance(), UNITS["ORG-1"], set()),
        (a_valid_assurance(), None, set()),
        (a_withdrawn_assurance(), JUDGE, {"give"}),
        (a_valid_assurance().expire(on=EXPIRES_ON).state, JUDGE, {"give"}),
    ],
)
def test_who_may_rate_is_offered_it(assurance: Assurance, by: Unit | None, offered: set[str]) -> None:
    assert {path for _, path, why_not in assurance.steps(by) if why_not is None} == offered
