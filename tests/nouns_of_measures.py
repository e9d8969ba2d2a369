"""The nouns of measures: things of each in every state, and the decision behind each of its commands."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import uuid4

from builders import (
    CO_UNIT,
    JUDGE,
    OWNER,
    SETTLED,
    UNITS,
    a_closed_item,
    a_closed_plan,
    a_draft_item,
    a_milestone,
    a_plan,
    a_plan_in_final_evaluation,
    a_plan_in_force,
    an_adopted_plan,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
    an_item_with_a_report,
    an_item_with_a_verified_milestone,
)
from common.contracts.measures import (
    EvidenceLink,
    Measure,
    Method,
    PlanDiff,
    Proven,
    Quality,
    Rating,
    Siblings,
    SubjectKind,
    Thresholds,
    Weight,
)
from common.decision import Unit
from local_plans import a_filed_local_plan, a_local_plan, a_submitted_local_plan, local_plan_draft
from measures.assurance.domain import give_assurance
from measures.assurance.store import assurances
from measures.evidence.store import evidences
from measures.item.domain import Item
from measures.item.particulars import Ending
from measures.item.store import items
from measures.local_plan.store import local_plans
from measures.measure.lead import Lead, MeasureAbove
from measures.measure.rules import MeasureState
from measures.measure.store import measures
from measures.measure.surroundings import Tags
from measures.measure.suspension import Suspension
from measures.plan.store import plans
from measures.risk.domain import raise_risk
from measures.risk.store import risks
from measures.subject.partakers import Partakers
from offers import ON, Noun, Steps, noun_of
from papers import LINK, some_evidence, verified_evidence
from putting_down import (
    ALL_ENDED,
    a_launched_measure,
    a_measure_in_progress,
    a_measure_of,
    a_planned_measure,
    a_submitted_measure,
    a_suspended_measure,
    an_accepted_measure,
)
from routes import app_of, commands
from taking import take_item

WHY: Final[dict[str, Any]] = {"reason": "原因", "authority": "会议纪要"}

# ── plans ────────────────────────────────────────────────────────────────────────────────────────────────────────────

ADDED = Measure(code="A9", aspect="A", name_zh="举措", name_en="Measure")
WEIGHTS = tuple(Weight(code=code, weight=Decimal(2)) for code in ("A1", "A2"))
PLAN = noun_of(
    "measures",
    plans,
    {
        "draft": a_plan(),
        "adopted": an_adopted_plan(),
        "in its first phase": an_adopted_plan().enter_phase("P0", on=date(2021, 6, 1)).state,
        "in force": a_plan_in_force(),
        "in its last phase": an_adopted_plan().enter_phase("P2", on=date(2023, 6, 1)).state,
        "in final evaluation": a_plan_in_final_evaluation(),
        "closed": a_closed_plan(),
    },
    {
        "adopt": lambda plan, by, on: plan.adopt(issuer="机关", document_number="1", on=on),
        "phases/P0/enter": lambda plan, by, on: plan.enter_phase("P0", on=date(2021, 12, 31)),
        "phases/P1/enter": lambda plan, by, on: plan.enter_phase("P1", on=date(2022, 12, 31)),
        "phases/P2/enter": lambda plan, by, on: plan.enter_phase("P2", on=date(2025, 12, 31)),
        "revise": lambda plan, by, on: plan.revise(PlanDiff(measures=(ADDED,)), **WHY, on=on),
        "weights": lambda plan, by, on: plan.set_weights(Siblings.MEASURES, "A", WEIGHTS, items=(), on=on),
        "scoring-policy": lambda plan, by, on: plan.adopt_policy(
            method=Method(), thresholds=Thresholds(), evidence_from=None, on=on
        ),
        "start-final-evaluation": lambda plan, by, on: plan.start_final_evaluation(on=on),
        "close": lambda plan, by, on: plan.close(SETTLED, successor=None, on=on),
        "amend": lambda plan, by, on: plan.amend(what="更正", authority="会议纪要", on=on),
    },
    code=("P0", "P1", "P2"),
)

LOCAL_STEPS: Final[Steps] = {
    "redraft": lambda local, by, on: local.redraft(
        local_plan_draft(title_en="Other words"),
        plan_starts_on=date(2021, 1, 1), plan_ends_on=date(2025, 12, 31), by=by, on=on,
    ),
    "submit": lambda local, by, on: local.submit(by=by, on=on),
    "return": lambda local, by, on: local.return_to_unit(reason="原因", by=by, on=on),
    "file": lambda local, by, on: local.file(filing_number="备案2", by=by, on=on),
    "enter-into-force": lambda local, by, on: local.enter_into_force(by=by, on=on),
    "close": lambda local, by, on: local.close(reason="原因", still_open=(), settled_on=None, by=by, on=on),
}  # fmt: skip
_IN_FORCE = a_filed_local_plan().enter_into_force(by=OWNER, on=date(2022, 4, 1)).state
LOCAL_PLAN = noun_of(
    "measures",
    local_plans,
    {
        "draft": a_local_plan(),
        "submitted": a_submitted_local_plan(),
        "returned": LOCAL_STEPS["return"](a_submitted_local_plan(), by=JUDGE, on=date(2022, 3, 1)).state,
        "filed": a_filed_local_plan(),
        "in force": _IN_FORCE,
        "closed": LOCAL_STEPS["close"](_IN_FORCE, by=JUDGE, on=date(2022, 12, 31)).state,
    },
    LOCAL_STEPS,
)

# ── measures and items ───────────────────────────────────────────────────────────────────────────────────────────────

MEASURE = noun_of(
    "measures",
    measures,
    {
        "of a draft": a_planned_measure(adopted_on=None),
        "planned": a_planned_measure(),
        "launched": a_launched_measure(),
        "in progress": a_measure_in_progress(),
        "in progress, all items ended": a_measure_in_progress(work=ALL_ENDED),
        "suspended": a_suspended_measure(),
        "submitted": a_submitted_measure(),
        "accepted": an_accepted_measure(),
        "closed": a_measure_of(an_accepted_measure(), closed=True),
    },
    {
        "launch": lambda measure, by, on: measure.launch(by=by, on=on),
        "lead": lambda measure, by, on: measure.assign_lead(lead=JUDGE.id, co_units=(), by=by, on=on),
        "tags": lambda measure, by, on: measure.tag(Tags(qualities=(Quality.MASS,)), by=by, on=on),
        "suspend": lambda measure, by, on: measure.suspend(reason="原因", by=by, on=on),
        "resume": lambda measure, by, on: measure.resume(by=by, on=on),
        "submit": lambda measure, by, on: measure.submit(by=by, on=on),
        "accept": lambda measure, by, on: measure.accept(score=Decimal(90), reviewers=(), by=by, on=on),
        "return": lambda measure, by, on: measure.return_to_lead(reason="原因", by=by, on=on),
    },
)


_LED = MeasureAbove(MeasureState.IN_PROGRESS, (Lead(JUDGE.id, (), date(2022, 1, 1)),))
_HELD_UP = MeasureAbove(MeasureState.SUSPENDED, suspensions=(Suspension(ON),))
_ENDING = MeasureAbove(MeasureState.IN_PROGRESS, plan_in_final_evaluation=True)


def _then(item: Item, path: str, by: Unit = OWNER) -> Item:
    return take_item(item, path, by, ON).state


ITEM = Noun(
    items,
    commands(app_of("measures"), items.at, {"number": ("1", "2")}),
    {
        "draft": a_draft_item(),
        "draft without milestones": a_draft_item(milestones=()),
        "assigned": an_assigned_item(),
        "received": an_assigned_item().acknowledge(by=OWNER, on=date(2022, 1, 20)).state,
        "in progress": an_item_in_progress(),
        "in progress, with two milestones": an_item_in_progress(milestones=(a_milestone(1), a_milestone(2))),
        "with an extension asked for": _then(an_item_in_progress(), "extension/request"),
        "with a report": an_item_with_a_report(),
        "with a verified milestone": an_item_with_a_verified_milestone(),
        "reported done": an_item_reported_done(),
        "reported done too early": _then(an_item_in_progress(), "report-done"),
        "reported done, its measure led by another": replace(an_item_reported_done(), above=_LED),
        "in progress, its measure suspended": replace(
            _then(an_item_in_progress(), "extension/request"), above=_HELD_UP
        ),
        "closed": a_closed_item(),
        "closed, and in doubt": _then(a_closed_item(), "milestones/1/revoke", by=JUDGE),
        "cancelled": _then(an_item_in_progress(), "cancel"),
        "merged": _then(an_assigned_item(), "merge"),
        "in progress, its plan in final evaluation": replace(an_item_in_progress(), above=_ENDING),
        "carried over elsewhere": replace(
            _then(replace(an_item_with_a_report(), above=_ENDING), "carry-over"),
            ending=Ending(reason="延续", authority="会议纪要", successor="PLAN-3"),
        ),
    },
    partial(take_item, on=ON),
)

# ── evidence, ratings, risks ─────────────────────────────────────────────────────────────────────────────────────────

PARTAKERS = Partakers((OWNER.id, CO_UNIT.id), (Lead(UNITS["YB"].id, (), date(2022, 1, 1)),))
LINKS = (LINK,)
SUCCESSOR = verified_evidence(links=LINKS)
FURTHER = EvidenceLink(kind=Proven.ITEM, id=uuid4(), number=None)
EVIDENCE = noun_of(
    "measures",
    evidences,
    {
        "registered": some_evidence(links=LINKS),
        "registered, its measure led by another": some_evidence(links=LINKS, partakers=(PARTAKERS,)),
        "verified": verified_evidence(links=LINKS),
        "rejected": some_evidence(links=LINKS).reject(reason="原因", by=JUDGE, on=date(2022, 6, 15)).state,
        "invalidated": verified_evidence(links=LINKS).invalidate(**WHY, by=JUDGE, on=date(2022, 7, 1)).state,
        "superseded": some_evidence(links=LINKS).supersede(SUCCESSOR, by=OWNER, on=date(2022, 7, 1)).state,
    },
    {
        "link": lambda evidence, by, on: evidence.link(FURTHER, by=by, on=on),
        "unlink": lambda evidence, by, on: evidence.unlink(LINK, reason="原因", by=by, on=on),
        "verify": lambda evidence, by, on: evidence.verify(by=by, on=on),
        "reject": lambda evidence, by, on: evidence.reject(reason="原因", by=by, on=on),
        "invalidate": lambda evidence, by, on: evidence.invalidate(**WHY, by=by, on=on),
        "supersede": lambda evidence, by, on: evidence.supersede(SUCCESSOR, by=by, on=on),
    },
)

_ABOUT: Final[dict[str, Any]] = {
    "id": uuid4(), "plan": "PLAN-1", "subject_kind": SubjectKind.ITEM, "subject": "A1-01", "partakers": PARTAKERS,
}  # fmt: skip
_RATED = give_assurance(
    **_ABOUT, rating=Rating.GREEN, reason="原因", expires_on=date(2030, 1, 1), by=JUDGE, on=date(2022, 3, 1)
).state
ASSURANCE = noun_of(
    "measures",
    assurances,
    {
        "valid": _RATED,
        "withdrawn": _RATED.withdraw(reason="原因", by=JUDGE, on=date(2022, 4, 1)).state,
        "expired": replace(_RATED, expires_on=date(2023, 1, 1)).expire(on=date(2023, 1, 1)).state,
    },
    {
        "give": lambda rated, by, on: rated.give(
            rating=Rating.RED, reason="原因", expires_on=on + timedelta(days=30), by=by, on=on
        ),
        "withdraw": lambda rated, by, on: rated.withdraw(reason="原因", by=by, on=on),
    },
)

_RAISED = raise_risk(
    **_ABOUT, code="R-1", title_zh="风险", title_en="Risk", owner=OWNER.id, likelihood=1, impact=5, on=date(2022, 3, 1)
).state
_MITIGATED = _RAISED.mitigate(response="应对", by=OWNER, on=date(2022, 4, 1)).state
RISK = noun_of(
    "measures",
    risks,
    {
        "open": _RAISED,
        "mitigating": _MITIGATED,
        "closed": _MITIGATED.close(outcome="结果", by=OWNER, on=date(2022, 5, 1)).state,
        "materialised": _RAISED.materialise(outcome="结果", by=OWNER, on=date(2022, 5, 1)).state,
    },
    {
        "reassess": lambda risk, by, on: risk.reassess(likelihood=5, impact=5, reason="复评", by=by, on=on),
        "mitigate": lambda risk, by, on: risk.mitigate(response="应对", by=by, on=on),
        "close": lambda risk, by, on: risk.close(outcome="结果", by=by, on=on),
        "materialise": lambda risk, by, on: risk.materialise(outcome="结果", by=by, on=on),
    },
)
