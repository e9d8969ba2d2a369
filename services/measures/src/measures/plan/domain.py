"""A reform plan: put down once, adopted, entered phase by phase, evaluated and closed; its codes never change."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import (
    Aspect,
    CarriedOver,
    ClosedPlanAmended,
    FinalEvaluationStarted,
    Measure,
    Method,
    PartKind,
    Phase,
    PhaseEntered,
    PlanAdopted,
    PlanClosed,
    PlanDefined,
    PlanDiff,
    PlanRevised,
    ScoringPolicyAdopted,
    Siblings,
    Thresholds,
    Weight,
    WeightsSet,
)
from common.decision import EFFECTIVE_BEFORE_PLAN, Change, must_follow
from measures.plan.checklist import Checklist
from measures.plan.parts import Parts
from measures.plan.rules import (
    ADOPTED_OTHERWISE,
    BINDING,
    CARRIED_ELSEWHERE,
    CLOSED_OTHERWISE,
    PERIOD_REVERSED,
    PHASE_NOT_NOW,
    PHASE_PASSED,
    STEPS,
    STILL_OPEN,
    SUCCESSOR_ITSELF,
    SUCCESSOR_NEEDED,
    UNKNOWN_PHASE,
    WRONG_STATE,
    PlanState,
)
from measures.plan.scoring import ScoringPolicy, Weights, last, require_policy, require_weights
from measures.plan.standing import Added, Amendment, Standing


@dataclass(frozen=True, slots=True)
class Plan(Standing):
    """A plan and the steps that it takes: each is refused with a reason, or told as an event."""

    def adopt(self, *, issuer: str, document_number: str, on: date) -> Change["Plan"]:
        """The plan was issued with a document and binds from that day.

        :raises Refused: ``plan.adopted-otherwise``, ``effective.before-predecessor``.
        """
        if self.state is not PlanState.DRAFT:
            if (self.issuer, self.document_number) != (issuer, document_number):
                raise ADOPTED_OTHERWISE()
            return Change(self, (), on)
        return self._step(
            PlanAdopted(plan=self.id, issuer=issuer, document_number=document_number, adopted_on=on),
            on=on,
            state=PlanState.ADOPTED,
            issuer=issuer,
            document_number=document_number,
            adopted_on=on,
        )

    def enter_phase(self, code: str, *, on: date) -> Change["Plan"]:
        """A phase begins; with the first one the plan is in force. Phases are entered in order; one may be left out.

        :raises Refused: ``plan.wrong-state``, ``plan.unknown-phase``, ``plan.phase-passed``,
            ``plan.phase-not-on-this-day``, ``effective.before-predecessor``.
        """
        phase = next((phase for phase in self.phases if phase.code == code), None)
        if phase is None:
            raise UNKNOWN_PHASE(phase=code)
        if self.phase == code:
            return Change(self, (), on)
        if self.state not in BINDING:
            raise WRONG_STATE(state=self.state)
        codes = [phase.code for phase in self.phases]
        if self.phase and codes.index(code) < codes.index(self.phase):
            raise PHASE_PASSED(current=self.phase)
        if not phase.starts_on <= on <= phase.ends_on:
            raise PHASE_NOT_NOW(pointer="/effective_on", on=on, phase=code)
        must_follow(on, self.binds_from(PartKind.PHASE, code) or on)
        event = PhaseEntered(plan=self.id, phase=code, mode=phase.mode, entered_on=on)
        return self._step(event, on=on, state=PlanState.IN_FORCE, phase=code)

    def revise(self, diff: PlanDiff, *, reason: str, authority: str, on: date) -> Change["Plan"]:
        """Parts are added or called differently, for a reason and by an authority; no part is ever taken out.

        What was missed of the plan's own steps may still be told as of a day before the revision.

        :raises Refused: ``plan.wrong-state``, ``plan.code-in-use``, ``plan.unknown-part``, ``plan.code-twice``,
            ``plan.unknown-aspect``, ``plan.phase-outside``, ``plan.phases-overlap``, ``plan.period-reversed``,
            ``effective.before-predecessor``.
        """
        parts = self.parts.revised(diff, self.starts_on, self.ends_on)
        if parts == self.parts:
            return Change(self, (), on)
        self._require("revise")
        must_follow(on, max(self.since, self.revised_on or self.since))
        news = self.parts.news(diff)
        event = PlanRevised(plan=self.id, code=self.code, diff=news, reason=reason, authority=authority, revised_on=on)
        added = (Added(kind, one.code, on) for kind in PartKind for one in getattr(news, f"{kind}s"))
        changed = {name: getattr(parts, name) for name in Parts.__slots__} | {"added": (*self.added, *added)}
        return self._told(event, on=on, revised_on=on, **changed)

    def set_weights(
        self, siblings: Siblings, parent: str, weights: tuple[Weight, ...], *, items: Collection[str], on: date
    ) -> Change["Plan"]:
        """All siblings below one parent are weighted anew from that day on.

        :param items: the codes of the measure's items, if they are the siblings.
        :raises Refused: ``plan.wrong-state``, ``plan.unknown-parent``, ``plan.code-twice``,
            ``plan.weight-not-a-sibling``, ``plan.weight-missing``, ``plan.weights-sum-to-zero``,
            ``effective.before-plan``, ``effective.before-predecessor``.
        """
        codes = self.siblings(siblings, parent, items)
        require_weights(weights, codes, parent, optional=self.not_yet(siblings, on))
        before = last(self.weights_of(siblings, parent))
        if before and {one.code: one.weight for one in before.weights} == {one.code: one.weight for one in weights}:
            return Change(self, (), on)
        self._require("set-weights")
        self._require_within(on, before.since if before else None)
        event = WeightsSet(
            plan=self.id, code=self.code, siblings=siblings, parent=parent, weights=weights, effective_on=on
        )
        return self._told(event, on=on, weights=(*self.weights, Weights(siblings, parent, weights, on)))

    def adopt_policy(
        self, *, method: Method, thresholds: Thresholds, evidence_from: date | None, on: date
    ) -> Change["Plan"]:
        """From that day on progress is scored and rated this way.

        :raises Refused: ``plan.wrong-state``, ``plan.policy-shares-not-one``, ``plan.policy-yellow-below-green``,
            ``effective.before-plan``, ``effective.before-predecessor``.
        """
        require_policy(method, thresholds)
        before = last(self.policies)
        if before and before.says(method, thresholds, evidence_from):
            return Change(self, (), on)
        self._require("adopt-policy")
        self._require_within(on, before.since if before else None)
        policy = ScoringPolicy(len(self.policies) + 1, method, thresholds, evidence_from, on)
        event = ScoringPolicyAdopted(
            plan=self.id, policy_version=policy.version, method=method, thresholds=thresholds,
            evidence_from=evidence_from, adopted_on=on,
        )  # fmt: skip
        return self._told(event, on=on, policies=(*self.policies, policy))

    def start_final_evaluation(self, *, on: date) -> Change["Plan"]:
        """The plan is evaluated for the last time; from now on it takes no new items.

        :raises Refused: ``plan.wrong-state``, ``effective.before-predecessor``.
        """
        if self.state is PlanState.FINAL_EVALUATION:
            return Change(self, (), on)
        self._require("start-final-evaluation")
        event = FinalEvaluationStarted(plan=self.id, started_on=on)
        return self._step(event, on=on, state=PlanState.FINAL_EVALUATION)

    def close(self, checklist: Checklist, *, successor: str | None, on: date) -> Change["Plan"]:
        """The plan is over. Nothing in it is open; with what was carried over the successor goes on.

        :raises Refused: ``plan.wrong-state``, ``plan.closed-otherwise``, ``plan.still-open``,
            ``plan.successor-needed``, ``plan.successor-itself``, ``plan.carried-elsewhere``,
            ``effective.before-predecessor``, also where something in the plan ended or was settled later.
        """
        if self.state is PlanState.CLOSED:
            if successor != self.successor:
                raise CLOSED_OTHERWISE()
            return Change(self, (), on)
        self._require("close")
        if checklist.open:
            raise STILL_OPEN(count=checklist.open_count, codes=", ".join(one.code for one in checklist.open[:10]))
        if successor == self.code:
            raise SUCCESSOR_ITSELF(pointer="/successor")
        for one in checklist.carried:
            if successor is None:
                raise SUCCESSOR_NEEDED(pointer="/successor")
            if one.successor != successor:
                raise CARRIED_ELSEWHERE(pointer="/successor", code=one.code, successor=successor)
        must_follow(on, max(self.last_word_on, checklist.settled_on or self.since))
        carried = tuple(CarriedOver(item=one.id, code=one.code) for one in checklist.carried)
        event = PlanClosed(plan=self.id, successor=successor, carry_over=carried, closed_on=on)
        return self._step(event, on=on, state=PlanState.CLOSED, successor=successor)

    def amend(self, *, what: str, authority: str, on: date) -> Change["Plan"]:
        """Something about the closed plan was put right; it stays closed.

        :raises Refused: ``plan.wrong-state``, ``effective.before-predecessor``.
        """
        before = self.amendments[-1] if self.amendments else None
        if before and (before.what, before.authority) == (what, authority):
            return Change(self, (), on)
        self._require("amend")
        event = ClosedPlanAmended(plan=self.id, authority=authority, what=what, amended_on=on)
        return self._step(event, on=on, amendments=(*self.amendments, Amendment(what, authority, on)))

    def _require(self, step: str) -> None:
        if self.state not in STEPS[step][1]:
            raise WRONG_STATE(state=self.state)

    def _require_within(self, on: date, since: date | None) -> None:
        if on < self.starts_on:
            raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=self.starts_on)
        must_follow(on, since or self.starts_on)

    def _step(self, event: Event, *, on: date, **changed: Any) -> Change["Plan"]:
        must_follow(on, self.since)
        return self._told(event, on=on, since=on, **changed)

    def _told(self, event: Event, *, on: date, **changed: Any) -> Change["Plan"]:
        return Change(replace(self, version=self.version + 1, **changed), (event,), on)


def define_plan(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    code: str,
    title_zh: str,
    title_en: str,
    starts_on: date,
    ends_on: date,
    aspects: tuple[Aspect, ...],
    measures: tuple[Measure, ...],
    phases: tuple[Phase, ...],
    on: date,
) -> Change[Plan]:
    """Put down a plan. Codes are unique within it; every measure has its aspect; phases lie apart inside the period.

    :raises Refused: ``plan.period-reversed``, ``plan.code-twice``, ``plan.unknown-aspect``, ``plan.phase-outside``,
        ``plan.phases-overlap``.
    """
    if ends_on < starts_on:
        raise PERIOD_REVERSED(pointer="/ends_on")
    parts = Parts(title_zh, title_en, aspects, measures, phases).sound(starts_on, ends_on)
    said = {name: getattr(parts, name) for name in Parts.__slots__}
    event = PlanDefined(plan=id, code=code, starts_on=starts_on, ends_on=ends_on, defined_on=on, **said)
    plan = Plan(
        id=id, version=1, code=code, starts_on=starts_on, ends_on=ends_on, state=PlanState.DRAFT, since=on, **said
    )  # fmt: skip
    return Change(plan, (event,), on)
