"""A plan and a local plan as their events alone tell of them: what a reader can know, written apart from us."""

from collections.abc import Sequence
from dataclasses import replace

from common.contracts import Event
from common.contracts.measures import (
    ClosedPlanAmended,
    FinalEvaluationStarted,
    LocalPlanClosed,
    LocalPlanDrafted,
    LocalPlanEnteredIntoForce,
    LocalPlanFiled,
    LocalPlanRedrafted,
    LocalPlanReturned,
    LocalPlanSubmitted,
    PartKind,
    PhaseEntered,
    PlanAdopted,
    PlanClosed,
    PlanDefined,
    PlanDiff,
    PlanRevised,
    ScoringPolicyAdopted,
    WeightsSet,
)
from measures.local_plan.domain import LocalPlan
from measures.local_plan.rules import LocalPlanState
from measures.plan.domain import Plan
from measures.plan.rules import PlanState
from measures.plan.scoring import ScoringPolicy, Weights
from measures.plan.standing import Added, Amendment


def fold_plan(events: Sequence[Event]) -> Plan:
    """The plan that these events tell of."""
    first, *rest = events
    assert isinstance(first, PlanDefined)
    plan = Plan(
        id=first.plan,
        version=1,
        state=PlanState.DRAFT,
        since=first.defined_on,
        aspects=first.aspects,
        measures=first.measures,
        phases=first.phases,
        **first.model_dump(exclude={"plan", "defined_on", "aspects", "measures", "phases"}),
    )
    for version, event in enumerate(rest, start=2):
        plan = replace(_plan_after(plan, event), version=version)
    return plan


def _plan_after(plan: Plan, event: Event) -> Plan:
    match event:
        case PlanAdopted():
            plan = replace(plan, state=PlanState.ADOPTED, since=event.adopted_on)
            plan = replace(plan, issuer=event.issuer, document_number=event.document_number)
            plan = replace(plan, adopted_on=event.adopted_on)
        case PhaseEntered():
            plan = replace(plan, state=PlanState.IN_FORCE, since=event.entered_on, phase=event.phase)
        case PlanRevised():
            parts = ((PartKind.ASPECT, event.diff.aspects), (PartKind.MEASURE, event.diff.measures),
                     (PartKind.PHASE, event.diff.phases))  # fmt: skip
            added = [Added(part, one.code, event.revised_on) for part, ones in parts for one in ones]
            plan = replace(_revised(plan, event.diff), revised_on=event.revised_on, added=(*plan.added, *added))
        case WeightsSet():
            weights = Weights(event.siblings, event.parent, event.weights, event.effective_on)
            plan = replace(plan, weights=(*plan.weights, weights))
        case ScoringPolicyAdopted():
            said = (event.policy_version, event.method, event.thresholds, event.evidence_from, event.adopted_on)
            plan = replace(plan, policies=(*plan.policies, ScoringPolicy(*said)))
        case FinalEvaluationStarted():
            plan = replace(plan, state=PlanState.FINAL_EVALUATION, since=event.started_on)
        case PlanClosed():
            plan = replace(plan, state=PlanState.CLOSED, since=event.closed_on, successor=event.successor)
        case ClosedPlanAmended():
            amendment = Amendment(event.what, event.authority, event.amended_on)
            plan = replace(plan, since=event.amended_on, amendments=(*plan.amendments, amendment))
        case _:
            raise AssertionError(f"no plan is told of by {event!r}")
    return plan


def _revised(plan: Plan, diff: PlanDiff) -> Plan:
    names = {(one.part, one.code): {"name_zh": one.name_zh, "name_en": one.name_en} for one in diff.renamed}
    phases = sorted((*plan.phases, *diff.phases), key=lambda phase: phase.starts_on)
    return replace(
        plan,
        title_zh=diff.title_zh or plan.title_zh,
        title_en=diff.title_en or plan.title_en,
        aspects=tuple(
            one.model_copy(update=names.get((PartKind.ASPECT, one.code))) for one in (*plan.aspects, *diff.aspects)
        ),
        measures=tuple(
            one.model_copy(update=names.get((PartKind.MEASURE, one.code))) for one in (*plan.measures, *diff.measures)
        ),
        phases=tuple(one.model_copy(update=names.get((PartKind.PHASE, one.code))) for one in phases),
    )


def fold_local_plan(events: Sequence[Event]) -> LocalPlan:
    """The local plan that these events tell of."""
    first, *rest = events
    assert isinstance(first, LocalPlanDrafted)
    words = first.model_dump(exclude={"local_plan", "drafted_on"})
    local = LocalPlan(id=first.local_plan, version=1, state=LocalPlanState.DRAFT, since=first.drafted_on, **words)
    for version, event in enumerate(rest, start=2):
        local = replace(_local_plan_after(local, event), version=version)
    return local


def _local_plan_after(local: LocalPlan, event: Event) -> LocalPlan:
    match event:
        case LocalPlanRedrafted():
            words = event.model_dump(exclude={"local_plan", "redrafted_on"})
            return replace(local, since=event.redrafted_on, **words)
        case LocalPlanSubmitted():
            return replace(local, state=LocalPlanState.SUBMITTED, since=event.submitted_on, reason=None)
        case LocalPlanReturned():
            return replace(local, state=LocalPlanState.RETURNED, since=event.returned_on, reason=event.reason)
        case LocalPlanFiled():
            filed = replace(local, state=LocalPlanState.FILED, since=event.filed_on, filed_on=event.filed_on)
            return replace(filed, filing_number=event.filing_number)
        case LocalPlanEnteredIntoForce():
            return replace(local, state=LocalPlanState.IN_FORCE, since=event.entered_on)
        case LocalPlanClosed():
            return replace(local, state=LocalPlanState.CLOSED, since=event.closed_on, reason=event.reason)
    raise AssertionError(f"no local plan is told of by {event!r}")
