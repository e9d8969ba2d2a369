"""How a reform item (改革事项) stands, and which steps are open to whom: the rules that decide also offer."""

from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID

from common.contracts.measures import Focus, ItemTag, ProgressBasis
from common.decision import NO_UNIT, NOT_INDEPENDENT, Refused, Steps, Unit, unchanging
from measures.evidence.grounds import Grounds
from measures.item.milestone import Milestone, MilestoneState
from measures.item.particulars import AsOf, Doubt, Ending, ProgressNote, Schedule
from measures.item.rules import (
    EXTENSION_OPEN,
    EXTENSION_STEPS,
    EXTENSION_STEPS_FROM,
    LOCAL_PLAN_OVER,
    MILESTONE_STEPS,
    MILESTONE_STEPS_FROM,
    MILESTONE_WRONG_STATE,
    NO_EXTENSION,
    NO_REQUIRED_MILESTONE,
    NO_VERIFIED_EVIDENCE,
    NOT_OWNER,
    NOT_PARTAKER,
    OPEN_MILESTONES,
    PLAN_GOES_ON,
    PLAN_OVER,
    PLANNING,
    STEPS,
    STEPS_FROM,
    TERMINAL,
    UNKNOWN_MILESTONE,
    WRONG_STATE,
    ItemState,
    Who,
)
from measures.measure.lead import MeasureAbove, leading
from measures.measure.rules import SUSPENDED, MeasureState
from measures.measure.suspension import was_suspended

BOUND: Final = (Who.NAMED, Who.OWNER, Who.PARTAKER, Who.JUDGE)
"""Those to whom a step may be closed for what their unit is to the item."""


@unchanging
class Standing:
    """A reform item: exactly one measure counts it, one unit owns it, its milestones say how far it is."""

    id: UUID
    version: int
    plan: str
    plan_starts_on: date
    measure: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    co_units: tuple[UUID, ...]
    responsible_post: str | None
    problem: str
    deliverable: str
    effect: str
    focus: Focus
    planned_start_on: date
    due_on: date
    added_on: date
    """The day on which it was put on the list: nothing is said of it for a day before."""
    state: ItemState
    since: date
    """The day on which the last step of the item itself took effect."""
    claim: str | None
    """What the owner said when it reported the item done."""
    milestones: tuple[Milestone, ...]
    schedule: Schedule
    """What was said of its due date."""
    note: ProgressNote | None = None
    """The last word on how the work goes; those before it are in the history."""
    doubts: tuple[Doubt, ...] = ()
    """Why it may have been closed wrongly; it is never reopened by itself."""
    ending: Ending | None = None
    """Why it ended, if otherwise than verified and closed."""
    reminded_on: date | None = None
    """The day for which its owner was reminded last."""
    local_plan: str | None = None
    """The unit's own plan that it stands in, by its code; then it counts in no municipal figure of its own."""
    parent: UUID | None = None
    """The municipal item that a local one is part of."""
    progress_basis: ProgressBasis = ProgressBasis.MILESTONES
    """Whether its progress is measured by its milestones or by the local items that are part of it."""
    tags: tuple[ItemTag, ...] = ()
    continues: UUID | None = None
    """The item of an earlier plan with which it goes on."""
    above: MeasureAbove = MeasureAbove()
    """How its measure stands, who leads it, and whether its plan is about to end; read beside the item."""
    grounds: Grounds = Grounds()
    """The evidence for it and its milestones, and what its plan demands of that; read beside the item."""

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state, by the same rules that decide."""
        not_for = {who: self._not_for(who, by, None) for who in BOUND}  # once: there are more steps than kinds of these
        for permission, action, who in STEPS_FROM[self.state]:
            yield permission, action, self._lacks(action, None) or not_for.get(who)
        for permission, path, action, who in EXTENSION_STEPS_FROM[self.state, self.schedule.extension is not None]:
            yield permission, path, (self._held_up(None) if action == "grant" else None) or not_for.get(who)
        if self.state in PLANNING:
            yield "milestone.plan", "milestones", None
        for milestone in self.milestones:
            for permission, action, who in MILESTONE_STEPS_FROM[self.state, milestone.state]:
                path = f"milestones/{milestone.number}/{action}"
                yield permission, path, self._milestone_lacks(action, milestone, None) or not_for.get(who)

    def as_of(self, today: date) -> AsOf:
        """What follows of it from the day, by the rule of the lists' ``late``."""
        return AsOf(days_late=0 if self.state in TERMINAL else max(0, (today - self.due_on).days))

    def why_not(self, action: str, by: Unit | None, on: date | None = None) -> Refused | None:
        """What speaks against a step of the item by this unit on that day, or now; None if nothing does."""
        states, who = STEPS[action]
        if self.state not in states:
            return WRONG_STATE(state=self.state)
        return self._lacks(action, on) or self._not_for(who, by, on)

    def why_not_extension(self, action: str, by: Unit | None, on: date) -> Refused | None:
        """What speaks against asking for an extension, or deciding on it, by this unit on that day; None if nothing."""
        asked, item_states, who = EXTENSION_STEPS[action]
        if self.state not in item_states:
            return WRONG_STATE(state=self.state)
        if asked and self.schedule.extension is None:
            return NO_EXTENSION()
        lacks = self._held_up(on) if action == "grant" else None
        return (None if asked else self._undecided()) or lacks or self._not_for(who, by, None)

    def why_not_milestone(
        self, action: str, milestone: Milestone, by: Unit | None, on: date | None = None
    ) -> Refused | None:
        """What speaks against a step of one of its milestones by this unit on that day, or now; None if none."""
        state, item_states, who = MILESTONE_STEPS[action]
        if self.state not in item_states:
            return WRONG_STATE(state=self.state)
        if milestone.state is not state:
            return MILESTONE_WRONG_STATE(state=milestone.state)
        return self._milestone_lacks(action, milestone, on) or self._not_for(who, by, on)

    def milestone(self, number: int) -> Milestone:
        """The milestone with that number.

        :raises Refused: ``milestone.not-found``.
        """
        for milestone in self.milestones:
            if milestone.number == number:
                return milestone
        raise UNKNOWN_MILESTONE(number=number)

    def _lacks(self, action: str, on: date | None) -> Refused | None:
        """What the item lacks for a step that begins in its state, on that day or now."""
        rule = NEEDS.get(action)
        return rule(self, on) if rule else None

    def _milestone_lacks(self, action: str, milestone: Milestone, on: date | None) -> Refused | None:
        """What one of its milestones lacks for a step that begins in its state, on that day or now."""
        rule = MILESTONE_NEEDS.get(action)
        return rule(self, milestone, on) if rule else None

    def _held_up(self, on: date | None) -> Refused | None:
        """None of its dates moves for a day on which its measure was suspended, or now while it is."""
        if on is None:
            return SUSPENDED() if self.above.state is MeasureState.SUSPENDED else None
        return SUSPENDED() if was_suspended(self.above.suspensions, on) else None

    def _undecided(self) -> Refused | None:
        """One word about the due date after the other: an extension that was asked for is decided first."""
        extension = self.schedule.extension
        return EXTENSION_OPEN(due_on=extension.due_on) if extension else None

    def _not_for(self, who: Who, by: Unit | None, on: date | None) -> Refused | None:
        """Owners do, co-units help; a judge is neither of them, here or in the item above, nor leads, nor is below."""
        if who is Who.OFFICE:
            return None
        if by is None:
            return NO_UNIT()
        if who is Who.OWNER and by.id != self.owner:
            return NOT_OWNER()
        if who is Who.PARTAKER and by.id not in (self.owner, *self.co_units):
            return NOT_PARTAKER()
        if who is Who.JUDGE:
            took_part = (self.owner, *self.co_units, *self.above.whole, *leading(self.above.leads, on))
            return NOT_INDEPENDENT() if by.belongs_to(*took_part) else None
        return None

    def _required(self) -> list[Milestone]:
        return [m for m in self.milestones if m.required and m.counts]

    def _unplanned(self, _: date | None) -> Refused | None:
        return None if self._required() else NO_REQUIRED_MILESTONE()

    def _unattained(self, _: date | None) -> Refused | None:
        numbers = [str(m.number) for m in self._required() if m.state is not MilestoneState.VERIFIED]
        return OPEN_MILESTONES(numbers=", ".join(numbers)) if numbers else None

    def _too_early(self, _: date | None) -> Refused | None:
        if self.above.plan_closed:
            return PLAN_OVER()
        return None if self.above.plan_in_final_evaluation else PLAN_GOES_ON()

    def _too_late(self, _: date | None) -> Refused | None:
        if self.above.plan_closed:
            return PLAN_OVER()
        return LOCAL_PLAN_OVER() if self.above.local_plan_closed else None

    def _immovable(self, on: date | None) -> Refused | None:
        return self._held_up(on) or self._undecided()

    def _unproven(self, milestone: Milestone, on: date | None) -> Refused | None:
        lacks = milestone.required and self.grounds.lack(milestone.number, on)
        return NO_VERIFIED_EVIDENCE(number=milestone.number) if lacks else None

    def _irrevocable(self, _: Milestone, __: date | None) -> Refused | None:
        return PLAN_OVER() if self.above.plan_closed else None

    def _indispensable(self, milestone: Milestone, _: date | None) -> Refused | None:
        last = self.state is not ItemState.DRAFT and self._required() == [milestone]
        return NO_REQUIRED_MILESTONE() if last else None

    def _milestone_held_up(self, _: Milestone, on: date | None) -> Refused | None:
        return self._held_up(on)


NEEDS: Final[dict[str, Callable[[Standing, date | None], Refused | None]]] = {
    "assign": Standing._unplanned,
    "close": Standing._unattained,
    "carry-over": Standing._too_early,
    "reopen": Standing._too_late,
    "reschedule": Standing._immovable,
}
"""What speaks against a step of an item that begins in its state, on a day or now, whoever takes it."""
MILESTONE_NEEDS: Final[dict[str, Callable[[Standing, Milestone, date | None], Refused | None]]] = {
    "verify": Standing._unproven,
    "revoke": Standing._irrevocable,
    "cancel": Standing._indispensable,
    "reschedule": Standing._milestone_held_up,
}
"""The same for a step of one of its milestones."""
