"""How a plan's parts are weighted and how its progress is scored, each from a day on."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders import (
    a_closed_plan,
    a_plan,
    a_plan_in_force,
)
from common.contracts.measures import (
    Method,
    ScoringPolicyAdopted,
    Siblings,
    Thresholds,
    Weight,
    WeightsSet,
)
from common.decision import Change
from measures.plan.domain import Plan
from refusals import refused

ON = date(2023, 2, 1)


# ── weighting its parts ──────────────────────────────────────────────────────────────────────────────────────────────


def _weights(**weights: int) -> tuple[Weight, ...]:
    return tuple(Weight(code=code, weight=Decimal(weight)) for code, weight in weights.items())


def _weighted(plan: Plan, siblings: str, parent: str, on: date = ON, /, **weights: int) -> Change[Plan]:
    items = {"A1-01", "A1-02"}
    return plan.set_weights(Siblings(siblings), parent, tuple(
        Weight(code=code.replace("_", "-"), weight=Decimal(weight)) for code, weight in weights.items()
    ), items=items, on=on)  # fmt: skip


@pytest.mark.parametrize(
    ("siblings", "parent", "weights"),
    [
        ("aspects", "PLAN-1", {"A": 60, "B": 40}),
        ("measures", "A", {"A1": 1, "A2": 0}),
        ("items", "A1", {"A1_01": 3, "A1_02": 1}),
    ],
)
def test_all_siblings_below_one_parent_are_weighted_at_once(
    siblings: str, parent: str, weights: dict[str, int]
) -> None:
    plan = a_plan_in_force()
    change = _weighted(plan, siblings, parent, **weights)
    (event,) = change.events
    assert isinstance(event, WeightsSet)
    assert (event.siblings, event.parent, event.effective_on) == (siblings, parent, ON)
    assert [int(one.weight) for one in event.weights] == list(weights.values())
    assert change.state.weights[0].weights == event.weights
    assert change.state.since == plan.since


def test_weights_may_take_effect_before_the_plans_last_step() -> None:
    assert _weighted(a_plan_in_force(), "measures", "A", date(2021, 1, 1), A1=1, A2=2).events


def test_weights_that_are_in_force_are_not_set_again() -> None:
    after = _weighted(a_plan_in_force(), "measures", "A", A1=1, A2=2).state
    assert _weighted(after, "measures", "A", date(2024, 1, 1), A2=2, A1=1).events == ()


def test_other_weights_follow_those_before_and_both_are_kept() -> None:
    once = _weighted(a_plan_in_force(), "measures", "A", A1=1, A2=2).state
    twice = _weighted(once, "measures", "A", date(2024, 1, 1), A1=2, A2=1).state
    assert [one.since for one in twice.weights_of(Siblings.MEASURES, "A")] == [ON, date(2024, 1, 1)]
    with refused("effective.before-predecessor", at="/effective_on"):
        _weighted(twice, "measures", "A", date(2023, 12, 31), A1=1, A2=1)


@pytest.mark.parametrize(
    ("siblings", "parent", "weights", "code", "at"),
    [
        ("measures", "A", {"A1": 0, "A2": 0}, "plan.weights-sum-to-zero", "/weights"),
        ("measures", "A", {"A1": 1}, "plan.weight-missing", "/weights"),
        ("items", "A1", {"A1_01": 1}, "plan.weight-missing", "/weights"),
        ("measures", "A", {"A1": 1, "A2": 1, "B1": 1}, "plan.weight-not-a-sibling", "/weights/2/code"),
        ("items", "A1", {"A1_01": 1, "A1_02": 1, "B1_01": 1}, "plan.weight-not-a-sibling", "/weights/2/code"),
        ("measures", "Z", {"A1": 1, "A2": 1}, "plan.unknown-parent", "/parent"),
        ("aspects", "A", {"A": 1, "B": 1}, "plan.unknown-parent", "/parent"),
        ("items", "A", {"A1_01": 1}, "plan.unknown-parent", "/parent"),
    ],
)
def test_weights_that_are_not_all_of_one_parents_are_refused(
    siblings: str, parent: str, weights: dict[str, int], code: str, at: str
) -> None:
    with refused(code, at=at):
        _weighted(a_plan_in_force(), siblings, parent, **weights)


def test_a_sibling_is_weighted_once() -> None:
    twice = (*_weights(A1=1, A2=1), *_weights(A1=2))
    with refused("plan.code-twice", at="/weights/2/code"):
        a_plan_in_force().set_weights(Siblings.MEASURES, "A", twice, items=(), on=ON)


def test_nothing_is_weighted_before_the_plan_begins() -> None:
    with refused("effective.before-plan", at="/effective_on"):
        _weighted(a_plan_in_force(), "measures", "A", date(2020, 12, 31), A1=1, A2=1)


def test_a_closed_plan_is_not_weighted() -> None:
    with refused("plan.wrong-state"):
        _weighted(a_closed_plan(), "measures", "A", A1=1, A2=1)


# ── how it is scored ─────────────────────────────────────────────────────────────────────────────────────────────────


def _policy(**changed: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"method": Method(), "thresholds": Thresholds(), "evidence_from": date(2023, 1, 1), "on": ON}
    return told | changed


def test_a_policy_that_is_adopted_is_the_first_and_holds_what_it_says() -> None:
    change = a_plan_in_force().adopt_policy(**_policy())
    assert change.events == (
        ScoringPolicyAdopted(
            plan=change.state.id, policy_version=1, method=Method(), thresholds=Thresholds(),
            evidence_from=date(2023, 1, 1), adopted_on=ON,
        ),
    )  # fmt: skip


def test_by_default_a_policy_is_the_commonly_used_one() -> None:
    policy = a_plan().policy_on(ON)
    assert (policy.method.item_share, policy.method.outcome_share) == (Decimal("0.6"), Decimal("0.4"))
    assert (policy.thresholds.green_gap, policy.thresholds.yellow_gap) == (Decimal(5), Decimal(15))
    assert (policy.thresholds.yellow_overdue_days, policy.version, policy.evidence_from) == (30, 0, None)


def test_each_day_has_the_policy_that_was_adopted_last_by_then() -> None:
    once = a_plan_in_force().adopt_policy(**_policy()).state
    twice = once.adopt_policy(**_policy(thresholds=Thresholds(green_gap=Decimal(3)), on=date(2024, 1, 1))).state
    days = (date(2023, 1, 31), ON, date(2023, 12, 31), date(2024, 1, 1))
    assert [twice.policy_on(day).version for day in days] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("on", "needed"), [(date(2023, 5, 31), False), (date(2023, 6, 1), True), (date(2024, 6, 1), True)]
)
def test_evidence_is_needed_from_the_day_that_the_policy_names(on: date, needed: bool) -> None:
    assert a_plan_in_force().adopt_policy(**_policy(evidence_from=date(2023, 6, 1))).state.needs_evidence(on) is needed


def test_without_a_policy_no_evidence_is_needed() -> None:
    assert not a_plan_in_force().needs_evidence(date(2026, 1, 1))


def test_the_policy_in_force_is_not_adopted_again() -> None:
    once = a_plan_in_force().adopt_policy(**_policy()).state
    assert once.adopt_policy(**_policy(on=date(2025, 1, 1))).events == ()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": Method(item_share=Decimal("0.7"))}, "plan.policy-shares-not-one"),
        ({"thresholds": Thresholds(green_gap=Decimal(16))}, "plan.policy-yellow-below-green"),
        ({"on": date(2020, 12, 31)}, "effective.before-plan"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(changed: dict[str, Any], code: str) -> None:
    with refused(code):
        a_plan_in_force().adopt_policy(**_policy(**changed))


def test_a_policy_follows_the_one_before() -> None:
    once = a_plan_in_force().adopt_policy(**_policy()).state
    with refused("effective.before-predecessor"):
        once.adopt_policy(**_policy(evidence_from=None, on=date(2023, 1, 31)))


def test_a_closed_plan_adopts_no_policy() -> None:
    with refused("plan.wrong-state"):
        a_closed_plan().adopt_policy(**_policy())
