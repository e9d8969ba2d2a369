"""How a reform item (改革事项) stands, and which steps are open to whom: the rules that decide also offer."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from common.contracts.measures import Focus
from common.decision import NOT_INDEPENDENT, Refused, Steps, Unit
from measures.item.milestone import Milestone, MilestoneState
from measures.item.rules import (
    MILESTONE_STEPS,
    MILESTONE_STEPS_FROM,
    MILESTONE_WRONG_STATE,
    NO_REQUIRED_MILESTONE,
    NOT_OWNER,
    OPEN_MILESTONES,
    PLANNING,
    STEPS,
    STEPS_FROM,
    UNKNOWN_MILESTONE,
    WRONG_STATE,
    ItemState,
    Who,
)


@dataclass(frozen=True, slots=True)
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
    state: ItemState
    since: date
    """The day on which the last step of the item itself took effect."""
    claim: str | None
    """What the owner said when it reported the item done."""
    milestones: tuple[Milestone, ...]

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state, by the same rules that decide."""
        for action in STEPS_FROM[self.state]:
            yield f"item.{action}", action, self.why_not(action, by)
        if self.state in PLANNING:
            yield "milestone.plan", "milestones", None
        for milestone in self.milestones:
            for action in MILESTONE_STEPS_FROM[self.state, milestone.state]:
                path = f"milestones/{milestone.number}/{action}"
                yield f"milestone.{action}", path, self.why_not_milestone(action, milestone, by)

    def why_not(self, action: str, by: Unit | None) -> Refused | None:
        """What speaks against a step of the item by this unit; None if nothing does."""
        state, who = STEPS[action]
        if self.state is not state:
            return WRONG_STATE(state=self.state)
        if action == "assign" and not any(m.required and m.counts for m in self.milestones):
            return NO_REQUIRED_MILESTONE()
        if action == "close" and (numbers := self._open_milestones()):
            return OPEN_MILESTONES(numbers=", ".join(map(str, numbers)))
        return self._not_for(who, by)

    def why_not_milestone(self, action: str, milestone: Milestone, by: Unit | None) -> Refused | None:
        """What speaks against a step of one of its milestones by this unit; None if nothing does."""
        state, item_states, who = MILESTONE_STEPS[action]
        if self.state not in item_states:
            return WRONG_STATE(state=self.state)
        if milestone.state is not state:
            return MILESTONE_WRONG_STATE(state=milestone.state)
        if action == "cancel" and self.state is not ItemState.DRAFT and self._is_last_required(milestone):
            return NO_REQUIRED_MILESTONE()
        return self._not_for(who, by)

    def milestone(self, number: int) -> Milestone:
        """The milestone with that number.

        :raises Refused: ``milestone.not-found``.
        """
        for milestone in self.milestones:
            if milestone.number == number:
                return milestone
        raise UNKNOWN_MILESTONE(number=number)

    def _not_for(self, who: Who, by: Unit | None) -> Refused | None:
        """Owners do, and whoever judges belongs neither to the owner nor to a co-unit, nor to a unit below them."""
        if who is Who.OWNER and not (by and by.id == self.owner):
            return NOT_OWNER()
        if who is Who.JUDGE and (by is None or by.belongs_to(self.owner, *self.co_units)):
            return NOT_INDEPENDENT()
        return None

    def _open_milestones(self) -> list[int]:
        required = [m for m in self.milestones if m.required and m.counts]
        return [m.number for m in required if m.state is not MilestoneState.VERIFIED]

    def _is_last_required(self, milestone: Milestone) -> bool:
        return [m.number for m in self.milestones if m.required and m.counts] == [milestone.number]
