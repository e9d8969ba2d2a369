"""A measure (举措): launched and led, held up if it must be, and accepted by judges when all its items have ended."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from common.contracts import Event
from common.contracts.measures import (
    MeasureAcceptanceReturned,
    MeasureAccepted,
    MeasureLaunched,
    MeasureLeadAssigned,
    MeasureResumed,
    MeasureSubmittedForAcceptance,
    MeasureSuspended,
    MeasureTagged,
)
from common.decision import EFFECTIVE_BEFORE_PLAN, NO_UNIT, NOT_INDEPENDENT, Change, Refused, Steps, Unit, must_follow
from measures.measure.lead import Lead, leading, led_on
from measures.measure.rules import (
    ACCEPTED_OTHERWISE,
    LEAD_AMONG_CO_UNITS,
    NOT_LEAD,
    OPEN_ITEMS,
    PLAN_NOT_ADOPTED,
    RUNNING,
    STEPS,
    SUSPENDED_OTHERWISE,
    WRONG_STATE,
    MeasureState,
    Who,
)
from measures.measure.surroundings import Acceptance, PutDown, Tags, Work
from measures.measure.suspension import Suspension, resumed

S = MeasureState


def measure_id(plan: UUID, code: str) -> UUID:
    """The id of a plan's measure: it follows from the plan's and the code, so that there is one before any command."""
    return uuid5(plan, code)


@dataclass(frozen=True, slots=True)
class Measure:
    """One of a plan's key measures: put down by the plan, and an aggregate of its own from its first command on."""

    id: UUID
    version: int
    plan: str
    code: str
    state: MeasureState
    since: date
    """The day on which the step into its state took effect; before the first, the day on which its plan begins."""
    put_down: PutDown
    """What its plan says of it."""
    work: Work
    """What its items amount to."""
    leads: tuple[Lead, ...] = ()
    """Who has led it, earliest first."""
    tags: Tags = field(default_factory=Tags)
    tagged_on: date | None = None
    suspended_for: str | None = None
    """Why it is suspended."""
    suspensions: tuple[Suspension, ...] = ()
    """Each time that it was suspended, earliest first."""
    acceptance: Acceptance | None = None
    returned_on: date | None = None
    """The day on which judges sent it back last: until then it took no items."""

    def __post_init__(self) -> None:
        """Two states follow from what stands beside it and are told by no event of its own."""
        if self.put_down.closed:
            object.__setattr__(self, "state", S.CLOSED)
        elif self.state in RUNNING:
            object.__setattr__(self, "state", S.IN_PROGRESS if self.work.started else S.LAUNCHED)

    # ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state, by the same rules that decide."""
        for path, (permission, states, _) in STEPS.items():
            if self.state in states:
                yield permission, path, self.why_not(path, by)

    def why_not(self, step: str, by: Unit | None, on: date | None = None) -> Refused | None:
        """What speaks against a step by this unit on that day, or now; None if nothing does."""
        _, states, who = STEPS[step]
        if self.put_down.adopted_on is None:
            return PLAN_NOT_ADOPTED()
        if self.state not in states:
            return WRONG_STATE(state=self.state)
        if step in {"submit", "accept"} and self.work.unfinished:
            return OPEN_ITEMS(count=self.work.unfinished)
        return self._not_for(who, by, on)

    def _not_for(self, who: Who, by: Unit | None, on: date | None) -> Refused | None:
        if who is Who.OFFICE:
            return None
        if by is None:
            return NO_UNIT()
        if who is Who.JUDGE:
            return NOT_INDEPENDENT() if by.belongs_to(*self._took_part(on)) else None
        lead = led_on(self.leads, on)
        return None if lead and by.id == lead.unit else NOT_LEAD()

    def _took_part(self, on: date | None) -> tuple[UUID, ...]:
        """Whoever led or helped on the day, and whoever had a part in one of its items."""
        return (*leading(self.leads, on), *self.work.units)

    # ── its steps ────────────────────────────────────────────────────────────────────────────────────────────────

    def launch(self, *, by: Unit | None, on: date) -> Change["Measure"]:
        """Work on it is opened; its plan is adopted by then.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``effective.before-plan``.
        """
        if self.state in RUNNING:
            return Change(self, (), on)
        event = MeasureLaunched(**self._named(), launched_on=on)
        return self._step("launch", event, by=by, on=on, state=S.LAUNCHED)

    def assign_lead(self, *, lead: UUID, co_units: tuple[UUID, ...], by: Unit | None, on: date) -> Change["Measure"]:
        """A unit leads it from that day on, and others help; not before the lead before it did.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``measure.lead-among-co-units``,
            ``effective.before-plan``, ``effective.before-predecessor``.
        """
        self._require("lead", by, on)
        if lead in co_units:
            raise LEAD_AMONG_CO_UNITS(pointer="/co_units")
        after = Lead(lead, tuple(sorted(set(co_units))), on)
        if self.leads:
            last = self.leads[-1]
            if replace(last, since=on) == after:
                return Change(self, (), on)
            must_follow(on, last.since)
        event = MeasureLeadAssigned(**self._named(), lead_unit=lead, co_units=after.co_units, assigned_on=on)
        return self._told(event, on, leads=(*self.leads, after))

    def tag(self, tags: Tags, *, by: Unit | None, on: date) -> Change["Measure"]:
        """These tags, and no others.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``effective.before-plan``,
            ``effective.before-predecessor``.
        """
        self._require("tags", by, on)
        if tags == self.tags:
            return Change(self, (), on)
        must_follow(on, self.tagged_on or on)
        event = MeasureTagged(
            **self._named(), qualities=tags.qualities, tendencies=tags.tendencies, services=tags.services,
            focus=tags.focus, tagged_on=on,
        )  # fmt: skip
        return self._told(event, on, tags=tags, tagged_on=on)

    def suspend(self, *, reason: str, by: Unit | None, on: date) -> Change["Measure"]:
        """It is held up: its items stay in the denominators and their dates where they are.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``measure.suspended-otherwise``,
            ``effective.before-predecessor``.
        """
        if self.state is S.SUSPENDED:
            if reason != self.suspended_for:
                raise SUSPENDED_OTHERWISE()
            return Change(self, (), on)
        event = MeasureSuspended(**self._named(), reason=reason, suspended_on=on)
        held_up = {"suspended_for": reason, "suspensions": (*self.suspensions, Suspension(on))}
        return self._step("suspend", event, by=by, on=on, state=S.SUSPENDED, **held_up)

    def resume(self, *, by: Unit | None, on: date) -> Change["Measure"]:
        """It goes on where it stood.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``effective.before-predecessor``.
        """
        if self.state in RUNNING:
            return Change(self, (), on)
        event = MeasureResumed(**self._named(), resumed_on=on)
        going_on = {"suspended_for": None, "suspensions": resumed(self.suspensions, on)}
        return self._step("resume", event, by=by, on=on, state=S.LAUNCHED, **going_on)

    def submit(self, *, by: Unit, on: date) -> Change["Measure"]:
        """The lead puts it before the judges: every item has ended by then.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``measure.open-items``,
            ``measure.not-lead``, ``effective.before-predecessor``.
        """
        if self.state is S.SUBMITTED_FOR_ACCEPTANCE:
            return Change(self, (), on)
        event = MeasureSubmittedForAcceptance(**self._named(), by=by.id, submitted_on=on)
        change = self._step("submit", event, by=by, on=on, state=S.SUBMITTED_FOR_ACCEPTANCE)
        must_follow(on, self.work.since or on)
        return change

    def accept(self, *, score: Decimal, reviewers: tuple[Unit, ...], by: Unit, on: date) -> Change["Measure"]:
        """It is judged done, with points from 0 to 100; whoever took part neither judges nor reviews.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``measure.open-items``,
            ``measure.accepted-otherwise``, ``judge.not-independent``, ``effective.before-predecessor``.
        """
        acceptance = Acceptance(score, tuple(sorted({unit.id for unit in reviewers})))
        if self.state is S.ACCEPTED:
            if self.acceptance != acceptance:
                raise ACCEPTED_OTHERWISE()
            return Change(self, (), on)
        event = MeasureAccepted(**self._named(), score=score, reviewers=acceptance.reviewers, by=by.id, accepted_on=on)
        change = self._step("accept", event, by=by, on=on, state=S.ACCEPTED, acceptance=acceptance)
        must_follow(on, self.work.since or on)
        for position, reviewer in enumerate(reviewers):
            if reviewer.belongs_to(*self._took_part(on)):
                raise NOT_INDEPENDENT(pointer=f"/reviewers/{position}")
        return change

    def return_to_lead(self, *, reason: str, by: Unit, on: date) -> Change["Measure"]:
        """It is sent back with a reason; work goes on.

        :raises Refused: ``measure.plan-not-adopted``, ``measure.wrong-state``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        event = MeasureAcceptanceReturned(**self._named(), reason=reason, by=by.id, returned_on=on)
        return self._step("return", event, by=by, on=on, state=S.LAUNCHED, returned_on=on)

    def _step(self, step: str, event: Event, *, by: Unit | None, on: date, **changed: Any) -> Change["Measure"]:
        self._require(step, by, on)
        must_follow(on, self.since)
        return self._told(event, on, since=on, **changed)

    def _require(self, step: str, by: Unit | None, on: date) -> None:
        if refused := self.why_not(step, by, on):
            raise refused
        if on < self.put_down.starts_on:
            raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=self.put_down.starts_on)
        must_follow(on, self.put_down.binds_from or on)

    def _told(self, event: Event, on: date, **changed: Any) -> Change["Measure"]:
        return Change(replace(self, version=self.version + 1, **changed), (event,), on)

    def _named(self) -> dict[str, Any]:
        return {"measure": self.id, "plan": self.plan, "code": self.code}


def planned(*, id: UUID, plan: str, code: str, put_down: PutDown, work: Work) -> Measure:  # noqa: A002 - the trade's word
    """A measure as its plan puts it down, before its first command."""
    return Measure(
        id=id, version=0, plan=plan, code=code, state=S.PLANNED, since=put_down.starts_on, put_down=put_down, work=work
    )
