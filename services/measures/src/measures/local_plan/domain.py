"""A local plan (YB-…): how a unit carries municipal measures out; the unit writes it, the reform office files it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import (
    LocalPlanClosed,
    LocalPlanDrafted,
    LocalPlanEnteredIntoForce,
    LocalPlanFiled,
    LocalPlanRedrafted,
    LocalPlanReturned,
    LocalPlanSubmitted,
)
from common.decision import NO_UNIT, Change, Refused, Steps, Unit, must_follow
from measures.local_plan.rules import (
    CLOSED_OTHERWISE,
    DUE_OUTSIDE,
    FILED_OTHERWISE,
    ITEMS_OPEN,
    MEASURE_TWICE,
    NOT_OWNER,
    OUTSIDE_PLAN,
    OWNER_OUTSIDE,
    PERIOD_REVERSED,
    RETURNED_OTHERWISE,
    STEPS,
    STEPS_FROM,
    TAKES_ITEMS,
    UNKNOWN_MEASURE,
    WRONG_STATE,
    LocalPlanState,
    Who,
)

S = LocalPlanState


@dataclass(frozen=True, slots=True)
class Draft:
    """What a unit writes into its plan; its measures are those of the municipal plan."""

    title_zh: str
    title_en: str
    document_number: str
    measures: tuple[str, ...]
    starts_on: date
    ends_on: date

    def must_fit(self, plan_starts_on: date, plan_ends_on: date) -> None:
        """Refuse measures that come twice, and a period that is none or leaves the municipal plan's.

        :raises Refused: ``local-plan.measure-twice``, ``local-plan.period-reversed``, ``local-plan.outside-plan``.
        """
        for place, measure in enumerate(self.measures):
            if measure in self.measures[:place]:
                raise MEASURE_TWICE(pointer=f"/measures/{place}", measure=measure)
        if self.ends_on < self.starts_on:
            raise PERIOD_REVERSED(pointer="/ends_on")
        if self.starts_on < plan_starts_on or self.ends_on > plan_ends_on:
            raise OUTSIDE_PLAN(
                pointer="/starts_on" if self.starts_on < plan_starts_on else "/ends_on",
                starts_on=plan_starts_on,
                ends_on=plan_ends_on,
            )

    def words(self) -> dict[str, Any]:
        """What it says, name by name."""
        return {name: getattr(self, name) for name in Draft.__slots__}


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """A unit's plan as it stands."""

    id: UUID
    version: int
    plan: str
    """The municipal plan, by its code."""
    unit: UUID
    code: str
    title_zh: str
    title_en: str
    document_number: str
    measures: tuple[str, ...]
    starts_on: date
    ends_on: date
    state: LocalPlanState
    since: date
    """The day on which the last step took effect."""
    filing_number: str | None = None
    """The number under which it is on file (备案号)."""
    reason: str | None = None
    """Why it was returned last, or closed."""
    filed_on: date | None = None

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state, by the same rules that decide."""
        for step in STEPS_FROM[self.state]:
            yield f"local-plan.{step}", step, self.why_not(step, by)

    def why_not(self, step: str, by: Unit | None) -> Refused | None:
        """What speaks against a step by this unit; None if nothing does."""
        states, who = STEPS[step]
        if self.state not in states:
            return WRONG_STATE(state=self.state)
        if who is not Who.OWNER:
            return None
        if by is None:
            return NO_UNIT()
        return None if by.id == self.unit else NOT_OWNER()

    def redraft(
        self, draft: Draft, *, plan_starts_on: date, plan_ends_on: date, by: Unit, on: date
    ) -> Change["LocalPlan"]:
        """The unit puts its draft, or what was returned to it, in other words.

        :raises Refused: ``local-plan.wrong-state``, ``local-plan.not-owner``, as ``Draft.must_fit``,
            ``effective.before-predecessor``.
        """
        if all(getattr(self, name) == said for name, said in draft.words().items()):
            return Change(self, (), on)
        draft.must_fit(plan_starts_on, plan_ends_on)
        event = LocalPlanRedrafted(local_plan=self.id, **draft.words(), redrafted_on=on)
        return self._step("redraft", self.state, event, by=by, on=on, **draft.words())

    def submit(self, *, by: Unit, on: date) -> Change["LocalPlan"]:
        """The unit gives its plan to the reform office, to be filed.

        :raises Refused: ``local-plan.wrong-state``, ``local-plan.not-owner``, ``effective.before-predecessor``.
        """
        if self.state is S.SUBMITTED:
            return Change(self, (), on)
        event = LocalPlanSubmitted(local_plan=self.id, submitted_on=on)
        return self._step("submit", S.SUBMITTED, event, by=by, on=on, reason=None)

    def return_to_unit(self, *, reason: str, by: Unit | None, on: date) -> Change["LocalPlan"]:
        """The reform office sends it back, with a reason.

        :raises Refused: ``local-plan.wrong-state``, ``local-plan.returned-otherwise``,
            ``effective.before-predecessor``.
        """
        if self.state is S.RETURNED:
            if reason != self.reason:
                raise RETURNED_OTHERWISE()
            return Change(self, (), on)
        event = LocalPlanReturned(local_plan=self.id, reason=reason, returned_on=on)
        return self._step("return", S.RETURNED, event, by=by, on=on, reason=reason)

    def file(self, *, filing_number: str, by: Unit | None, on: date) -> Change["LocalPlan"]:
        """The reform office puts it on file (备案); from then on it takes items.

        :raises Refused: ``local-plan.wrong-state``, ``local-plan.filed-otherwise``, ``effective.before-predecessor``.
        """
        if self.filing_number is not None:
            if filing_number != self.filing_number:
                raise FILED_OTHERWISE()
            return Change(self, (), on)
        event = LocalPlanFiled(local_plan=self.id, filing_number=filing_number, filed_on=on)
        return self._step("file", S.FILED, event, by=by, on=on, filing_number=filing_number, filed_on=on)

    def enter_into_force(self, *, by: Unit, on: date) -> Change["LocalPlan"]:
        """The unit carries it out from that day on.

        :raises Refused: ``local-plan.wrong-state``, ``local-plan.not-owner``, ``effective.before-predecessor``.
        """
        if self.state is S.IN_FORCE:
            return Change(self, (), on)
        event = LocalPlanEnteredIntoForce(local_plan=self.id, entered_on=on)
        return self._step("enter-into-force", S.IN_FORCE, event, by=by, on=on)

    def close(
        self, *, reason: str, still_open: Sequence[str], settled_on: date | None, by: Unit | None, on: date
    ) -> Change["LocalPlan"]:
        """It is over, carried out or given up; none of its items is open.

        :param still_open: the codes of its items that have not ended.
        :param settled_on: the day on which the last of its items ended.
        :raises Refused: ``local-plan.wrong-state``, ``local-plan.closed-otherwise``, ``local-plan.items-open``,
            ``effective.before-predecessor``.
        """
        if self.state is S.CLOSED:
            if reason != self.reason:
                raise CLOSED_OTHERWISE()
            return Change(self, (), on)
        if still_open:
            raise ITEMS_OPEN(count=len(still_open), codes=", ".join(still_open[:10]))
        must_follow(on, settled_on or self.since)
        event = LocalPlanClosed(local_plan=self.id, reason=reason, closed_on=on)
        return self._step("close", S.CLOSED, event, by=by, on=on, reason=reason)

    def require_open_for_items(self, measure: str, *, owner: Unit, due_on: date, on: date) -> None:
        """Items of this measure may be put into the plan on that day, for that unit, to be done by the day it is due.

        :raises Refused: ``local-plan.wrong-state`` unless it is on file or in force, ``local-plan.unknown-measure``,
            ``local-plan.owner-outside``, ``local-plan.due-outside``, ``effective.before-predecessor``.
        """
        if self.state not in TAKES_ITEMS:
            raise WRONG_STATE(state=self.state)
        if measure not in self.measures:
            raise UNKNOWN_MEASURE(pointer="/measure", measure=measure)
        if not owner.belongs_to(self.unit):
            raise OWNER_OUTSIDE(pointer="/owner")
        if due_on > self.ends_on:
            raise DUE_OUTSIDE(pointer="/due_on", ends_on=self.ends_on)
        must_follow(on, self.filed_on or on)

    def _step(
        self, step: str, to: LocalPlanState, event: Event, *, by: Unit | None, on: date, **changed: Any
    ) -> Change["LocalPlan"]:
        if refused := self.why_not(step, by):
            raise refused
        must_follow(on, self.since)
        after = replace(self, version=self.version + 1, state=to, since=on, **changed)
        return Change(after, (event,), on)


def draft_local_plan(
    draft: Draft,
    *,
    id: UUID,  # noqa: A002 - the trade's word
    plan: str,
    plan_starts_on: date,
    plan_ends_on: date,
    code: str,
    by: Unit,
    on: date,
) -> Change[LocalPlan]:
    """A unit puts down its plan; its period lies within the municipal plan's.

    :raises Refused: as ``Draft.must_fit``.
    """
    draft.must_fit(plan_starts_on, plan_ends_on)
    event = LocalPlanDrafted(local_plan=id, plan=plan, unit=by.id, code=code, **draft.words(), drafted_on=on)
    local = LocalPlan(
        id=id, version=1, plan=plan, unit=by.id, code=code, **draft.words(), state=S.DRAFT, since=on
    )  # fmt: skip
    return Change(local, (event,), on)
