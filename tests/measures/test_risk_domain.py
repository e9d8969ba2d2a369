"""How a risk is raised, assessed and treated, and how it ends."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from builders import OWNER, UNITS
from common.contracts.measures import (
    RiskClosed,
    RiskMaterialised,
    RiskMitigationStarted,
    RiskRaised,
    RiskReassessed,
    SubjectKind,
)
from measures.risk.domain import Risk, RiskState, raise_risk
from measures.subject.partakers import Partakers
from refusals import refused

LATER = date(2022, 6, 1)


def words(**changed: Any) -> dict[str, Any]:
    """What ``raise_risk`` is told: a risk to measure A1 for which ORG answers."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "plan": "PLAN-1",
        "subject_kind": SubjectKind.MEASURE,
        "subject": "A1",
        "partakers": Partakers(),
        "code": "A1-R01",
        "title_zh": "经费未落实",
        "title_en": "No funds yet",
        "owner": OWNER.id,
        "likelihood": 3,
        "impact": 4,
        "on": date(2022, 3, 1),
    }
    return told | changed


def an_open_risk() -> Risk:
    """A risk that was raised on 2022-03-01."""
    return raise_risk(**words()).state


def a_treated_risk() -> Risk:
    """A risk about which something is done since 2022-03-15."""
    return an_open_risk().mitigate(response="另行申请", by=OWNER, on=date(2022, 3, 15)).state


def a_closed_risk() -> Risk:
    """A risk that was over on 2022-05-01."""
    return a_treated_risk().close(outcome="经费到位", by=OWNER, on=date(2022, 5, 1)).state


def a_materialised_risk() -> Risk:
    """A risk that came true on 2022-05-01."""
    return a_treated_risk().materialise(outcome="未获经费", by=OWNER, on=date(2022, 5, 1)).state


def test_a_risk_begins_open_and_is_told_of_with_all_its_particulars() -> None:
    told = words()
    change = raise_risk(**told)
    on, _ = told.pop("on"), told.pop("partakers")
    assert (change.state.state, change.state.version, change.state.since) == (RiskState.OPEN, 1, on)
    assert change.events == (RiskRaised(risk=told.pop("id"), raised_on=on, **told),)


@pytest.mark.parametrize("risk", [an_open_risk(), a_treated_risk()], ids=["open", "mitigating"])
def test_its_owner_thinks_otherwise_of_it(risk: Risk) -> None:
    change = risk.reassess(likelihood=2, impact=4, reason="已有意向", by=OWNER, on=LATER)
    assert change.state == replace(risk, version=risk.version + 1, likelihood=2, since=LATER)
    assert change.events == (
        RiskReassessed(risk=risk.id, likelihood=2, impact=4, reason="已有意向", reassessed_on=LATER),
    )


def test_thinking_the_same_of_it_changes_nothing() -> None:
    assert an_open_risk().reassess(likelihood=3, impact=4, reason="复评", by=OWNER, on=LATER).events == ()


def test_its_owner_does_something_about_it() -> None:
    risk = an_open_risk()
    change = risk.mitigate(response="另行申请", by=OWNER, on=LATER)
    assert change.state == replace(risk, version=2, state=RiskState.MITIGATING, since=LATER, response="另行申请")
    assert change.events == (RiskMitigationStarted(risk=risk.id, response="另行申请", started_on=LATER),)


def test_what_is_done_about_it_may_be_said_twice_but_not_otherwise() -> None:
    assert a_treated_risk().mitigate(response="另行申请", by=OWNER, on=LATER).events == ()
    with refused("risk.mitigated-otherwise"):
        a_treated_risk().mitigate(response="由发起单位垫付", by=OWNER, on=LATER)


def test_a_risk_that_was_treated_is_closed_when_it_is_over() -> None:
    risk = a_treated_risk()
    change = risk.close(outcome="经费到位", by=OWNER, on=LATER)
    assert change.state == replace(risk, version=3, state=RiskState.CLOSED, since=LATER, outcome="经费到位")
    assert change.events == (RiskClosed(risk=risk.id, outcome="经费到位", closed_on=LATER),)


def test_a_risk_that_nobody_treated_is_not_closed() -> None:
    with refused("risk.wrong-state"):
        an_open_risk().close(outcome="经费到位", by=OWNER, on=LATER)


@pytest.mark.parametrize("risk", [an_open_risk(), a_treated_risk()], ids=["open", "mitigating"])
def test_what_was_feared_happens_whether_it_was_treated_or_not(risk: Risk) -> None:
    change = risk.materialise(outcome="未获经费", by=OWNER, on=LATER)
    assert (change.state.state, change.state.outcome) == (RiskState.MATERIALISED, "未获经费")
    assert change.events == (RiskMaterialised(risk=risk.id, outcome="未获经费", materialised_on=LATER),)


def test_how_it_ended_may_be_said_twice_but_not_otherwise() -> None:
    assert a_closed_risk().close(outcome="经费到位", by=OWNER, on=LATER).events == ()
    assert a_materialised_risk().materialise(outcome="未获经费", by=OWNER, on=LATER).events == ()
    with refused("risk.ended-otherwise"):
        a_closed_risk().close(outcome="未获经费", by=OWNER, on=LATER)
    with refused("risk.ended-otherwise"):
        a_materialised_risk().materialise(outcome="经费到位", by=OWNER, on=LATER)


@pytest.mark.parametrize("risk", [a_closed_risk(), a_materialised_risk()], ids=["closed", "materialised"])
def test_what_has_ended_takes_no_step(risk: Risk) -> None:
    assert list(risk.steps(OWNER)) == []
    with refused("risk.wrong-state"):
        risk.mitigate(response="另行申请", by=OWNER, on=LATER)
    with refused("risk.wrong-state"):
        risk.reassess(likelihood=1, impact=1, reason="复评", by=OWNER, on=LATER)


@pytest.mark.parametrize("unit", ["SOC", "ORG-1", "CQ"])
def test_every_step_is_its_owner_s_alone(unit: str) -> None:
    by = UNITS[unit]
    with refused("risk.not-owner"):
        an_open_risk().mitigate(response="另行申请", by=by, on=LATER)
    with refused("risk.not-owner"):
        an_open_risk().reassess(likelihood=1, impact=1, reason="复评", by=by, on=LATER)
    with refused("risk.not-owner"):
        a_treated_risk().close(outcome="经费到位", by=by, on=LATER)
    with refused("risk.not-owner"):
        an_open_risk().materialise(outcome="未获经费", by=by, on=LATER)
    assert all(why_not for _, _, why_not in a_treated_risk().steps(by))


def test_no_step_is_taken_before_the_one_that_it_follows() -> None:
    early = date(2022, 2, 28)
    with refused("effective.before-predecessor", at="/effective_on"):
        an_open_risk().mitigate(response="另行申请", by=OWNER, on=early)
    with refused("effective.before-predecessor", at="/effective_on"):
        an_open_risk().reassess(likelihood=1, impact=1, reason="复评", by=OWNER, on=early)
    with refused("effective.before-predecessor", at="/effective_on"):
        a_treated_risk().close(outcome="经费到位", by=OWNER, on=early)
