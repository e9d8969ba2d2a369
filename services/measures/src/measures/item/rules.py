"""The rules of a reform item laid out: its states, who takes which step from which of them, and why one is refused."""

from enum import StrEnum
from typing import Final

from common.decision import Kind, Refusal
from measures.item.milestone import MilestoneState

WRONG_STATE = Refusal(
    "item.wrong-state", zh="事项现处于“{state}”，不能执行此操作", en="The item is {state}: this cannot be done now"
)
NOT_OWNER = Refusal(
    "item.not-owner",
    zh="此操作由责任单位执行",
    en="This is for the unit that owns the item",
    kind=Kind.FORBIDDEN,
)
NO_REQUIRED_MILESTONE = Refusal(
    "item.no-required-milestone",
    zh="事项须至少有一个必备节点",
    en="The item needs at least one required milestone",
)
OPEN_MILESTONES = Refusal(
    "item.open-milestones",
    zh="必备节点 {numbers} 尚未核验",
    en="Required milestones are not verified yet: {numbers}",
)
CLAIMED_OTHERWISE = Refusal(
    "item.claimed-otherwise", zh="事项已以另一内容上报完成", en="The item was reported done with another claim"
)
OWNER_AMONG_CO_UNITS = Refusal(
    "item.owner-among-co-units",
    zh="责任单位不得同时为协同单位",
    en="The owner cannot be a co-unit too",
    kind=Kind.INVALID,
)
DUE_BEFORE_START = Refusal(
    "item.due-before-start",
    zh="完成时限早于计划开始日",
    en="It would be due before it is planned to start",
    kind=Kind.INVALID,
)
UNKNOWN_MILESTONE = Refusal(
    "milestone.not-found", zh="事项没有节点 {number}", en="The item has no milestone {number}", kind=Kind.ABSENT
)
MILESTONE_NUMBER_TAKEN = Refusal(
    "milestone.number-taken", zh="节点 {number} 已存在", en="There is a milestone {number} already"
)
MILESTONE_WRONG_STATE = Refusal(
    "milestone.wrong-state",
    zh="节点现处于“{state}”，不能执行此操作",
    en="The milestone is {state}: this cannot be done now",
)
REPORTED_OTHERWISE = Refusal(
    "milestone.reported-otherwise",
    zh="节点已按另一达成日期上报",
    en="The milestone was reported as attained on another day",
)


class ItemState(StrEnum):
    """Where an item stands; closed is 销号."""

    DRAFT = "draft"
    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in-progress"
    REPORTED_DONE = "reported-done"
    VERIFIED_CLOSED = "verified-closed"


class Who(StrEnum):
    """Whose step it is: the reform office's, the owner's, or that of somebody independent of all who took part."""

    OFFICE = "office"
    OWNER = "owner"
    JUDGE = "judge"


PLANNING: Final = frozenset({ItemState.DRAFT, ItemState.ASSIGNED, ItemState.ACKNOWLEDGED, ItemState.IN_PROGRESS})
JUDGING: Final = frozenset({ItemState.IN_PROGRESS, ItemState.REPORTED_DONE})

STEPS: Final[dict[str, tuple[ItemState, Who]]] = {
    "assign": (ItemState.DRAFT, Who.OFFICE),
    "acknowledge": (ItemState.ASSIGNED, Who.OWNER),
    "start": (ItemState.ACKNOWLEDGED, Who.OWNER),
    "report-done": (ItemState.IN_PROGRESS, Who.OWNER),
    "return": (ItemState.REPORTED_DONE, Who.JUDGE),
    "close": (ItemState.REPORTED_DONE, Who.JUDGE),
}
"""From which state each step of an item is taken, and by whom."""

MILESTONE_STEPS: Final[dict[str, tuple[MilestoneState, frozenset[ItemState], Who]]] = {
    "report": (MilestoneState.PLANNED, frozenset({ItemState.IN_PROGRESS}), Who.OWNER),
    "verify": (MilestoneState.REPORTED, JUDGING, Who.JUDGE),
    "return": (MilestoneState.REPORTED, JUDGING, Who.JUDGE),
    "revoke": (MilestoneState.VERIFIED, JUDGING, Who.JUDGE),
    "reschedule": (MilestoneState.PLANNED, PLANNING, Who.OFFICE),
    "cancel": (MilestoneState.PLANNED, PLANNING, Who.OFFICE),
}
"""From which state each step of a milestone is taken, while its item is in which states, and by whom."""

STEPS_FROM: Final = {now: [step for step, (state, _) in STEPS.items() if state is now] for now in ItemState}
"""The steps that begin in each state of an item; whether one may be taken depends on more."""

MILESTONE_STEPS_FROM: Final = {
    (item, now): [
        step for step, (state, item_states, _) in MILESTONE_STEPS.items() if state is now and item in item_states
    ]
    for item in ItemState
    for now in MilestoneState
}
"""The steps of a milestone that begin in each state of its item and of its own."""
