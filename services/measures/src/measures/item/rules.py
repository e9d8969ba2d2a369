"""The rules of a reform item laid out: its states, who takes which step from which of them, and why one is refused."""

from enum import StrEnum
from typing import Final

from common.decision import Kind, Refusal, Worded
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
PARENT_OF_MUNICIPAL = Refusal(
    "item.parent-of-municipal",
    zh="仅地方方案的事项可有上级事项",
    en="Only an item of a local plan is part of another",
    kind=Kind.INVALID,
)
LOCAL_PLAN_ELSEWHERE = Refusal(
    "item.local-plan-elsewhere",
    zh="地方方案不属于该方案",
    en="The local plan carries out another plan",
    kind=Kind.INVALID,
)
PARENT_ELSEWHERE = Refusal(
    "item.parent-elsewhere",
    zh="上级事项须为同一方案、同一举措的市级事项",
    en="A local item is part of a municipal one of the same plan and measure",
    kind=Kind.INVALID,
)
PARENT_BY_MILESTONES = Refusal(
    "item.parent-by-milestones",
    zh="上级事项按节点计算进度，不能再设地方事项",
    en="The progress of that item is measured by milestones, never by local items too",
    kind=Kind.INVALID,
)
PARENT_ENDED = Refusal(
    "item.parent-ended",
    zh="上级事项现处于“{state}”，不再增设地方事项",
    en="The item that it is to be part of is {state}",
)
LOCAL_BY_LOCAL = Refusal(
    "item.local-by-local",
    zh="地方事项按节点计算进度",
    en="The progress of a local item is measured by its milestones",
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
NO_VERIFIED_EVIDENCE = Refusal(
    "milestone.no-verified-evidence",
    zh="必备节点 {number} 尚无已核验的佐证材料",
    en="Milestone {number} is required, and no verified evidence is linked to it",
)
REPORTED_OTHERWISE = Refusal(
    "milestone.reported-otherwise",
    zh="节点已按另一达成日期上报",
    en="The milestone was reported as attained on another day",
)


NOT_PARTAKER = Refusal(
    "item.not-partaker",
    zh="此操作由责任单位或协同单位执行",
    en="This is for the unit that owns the item and for its co-units",
    kind=Kind.FORBIDDEN,
)
EXTENSION_OPEN = Refusal(
    "item.extension-open",
    zh="延期至 {due_on} 的申请尚未答复",
    en="The request to extend the item to {due_on} is not decided yet",
)
NO_EXTENSION = Refusal(
    "item.no-extension", zh="事项没有待答复的延期申请", en="No extension of the item is waiting to be decided"
)
NOT_LATER = Refusal(
    "item.extension-not-later",
    zh="申请的时限须晚于现时限 {due_on}",
    en="An extension is to a day after the one on which the item is due, {due_on}",
    kind=Kind.INVALID,
)
ENDED_OTHERWISE = Refusal(
    "item.ended-otherwise", zh="事项已以另一依据终止", en="The item has ended on other grounds already"
)
MERGED_INTO_ITSELF = Refusal(
    "item.merged-into-itself", zh="事项不能并入自身", en="An item is not merged into itself", kind=Kind.INVALID
)
MERGED_ELSEWHERE = Refusal(
    "item.merged-elsewhere",
    zh="只能并入同一方案、同一层级的事项",
    en="An item is merged into one of the same plan, and of the same local plan if it has one",
    kind=Kind.INVALID,
)
MERGED_INTO_ENDED = Refusal(
    "item.merged-into-ended",
    zh="目标事项现处于“{state}”，不能并入",
    en="The item that it would be merged into is {state}",
)
PLAN_GOES_ON = Refusal(
    "item.plan-goes-on",
    zh="方案尚未进入总结评估，事项不能结转",
    en="Items are carried over while their plan is evaluated for the last time",
)
PLAN_OVER = Refusal(
    "item.plan-over",
    zh="方案已关闭，其事项不再变动；如有错误，更正方案",
    en="The plan is closed: nothing of its items is changed; what was wrong is put right by amending the plan",
)
LOCAL_PLAN_OVER = Refusal(
    "item.local-plan-over",
    zh="地方方案已关闭，其事项不能重开",
    en="The local plan is closed: no item of it is reopened",
)
CONTINUED_ALREADY = Refusal(
    "item.continued-already",
    zh="接续方案已列入该事项",
    en="The successor has the item on its list already",
)
CARRIED_NOWHERE = Refusal(
    "item.carried-into-own-plan",
    zh="事项须结转至另一方案",
    en="An item is carried over into another plan than its own",
    kind=Kind.INVALID,
)
SUCCESSOR_UNFIT = Refusal(
    "item.successor-unfit",
    zh="方案 {successor} 不能接续：须晚于本方案结束，且尚未进入总结评估",
    en="The plan {successor} cannot go on with it: it must end later than this one, and still take items",
    kind=Kind.INVALID,
)


class ItemState(Worded):
    """Where an item stands; closed is 销号."""

    DRAFT = "draft", "草拟"
    ASSIGNED = "assigned", "已交办"
    ACKNOWLEDGED = "acknowledged", "已签收"
    IN_PROGRESS = "in-progress", "进行中"
    REPORTED_DONE = "reported-done", "已报完成"
    VERIFIED_CLOSED = "verified-closed", "已销号"
    CANCELLED = "cancelled", "已取消"
    MERGED = "merged", "已并入"
    CARRIED_OVER = "carried-over", "已结转"


TERMINAL: Final = (ItemState.VERIFIED_CLOSED, ItemState.CANCELLED, ItemState.MERGED, ItemState.CARRIED_OVER)
"""In these states an item waits for nobody; only one that was verified and closed can be reopened."""


class Who(StrEnum):
    """Whose step it is: the office's, the owner's, that of all who take part, or of somebody independent of them."""

    OFFICE = "office"
    NAMED = "named"
    """The office's too, and in the name of a unit, which the event tells."""
    OWNER = "owner"
    PARTAKER = "partaker"
    JUDGE = "judge"

    __hash__ = str.__hash__  # that of an Enum is written in Python


PLANNING: Final = frozenset({ItemState.DRAFT, ItemState.ASSIGNED, ItemState.ACKNOWLEDGED, ItemState.IN_PROGRESS})
JUDGING: Final = frozenset({ItemState.IN_PROGRESS, ItemState.REPORTED_DONE})
LIVE: Final = PLANNING | JUDGING
HANDED_OUT: Final = LIVE - {ItemState.DRAFT}
WITH_OWNER: Final = HANDED_OUT & PLANNING

STEPS: Final[dict[str, tuple[frozenset[ItemState], Who]]] = {
    "assign": (frozenset({ItemState.DRAFT}), Who.OFFICE),
    "acknowledge": (frozenset({ItemState.ASSIGNED}), Who.OWNER),
    "start": (frozenset({ItemState.ACKNOWLEDGED}), Who.OWNER),
    "report-done": (frozenset({ItemState.IN_PROGRESS}), Who.OWNER),
    "return": (frozenset({ItemState.REPORTED_DONE}), Who.JUDGE),
    "close": (frozenset({ItemState.REPORTED_DONE}), Who.JUDGE),
    "reopen": (frozenset({ItemState.VERIFIED_CLOSED}), Who.OFFICE),
    "note": (HANDED_OUT, Who.PARTAKER),
    "reschedule": (PLANNING, Who.OFFICE),
    "remind": (WITH_OWNER, Who.NAMED),
    "cancel": (LIVE, Who.OFFICE),
    "merge": (LIVE, Who.OFFICE),
    "carry-over": (LIVE | {ItemState.CARRIED_OVER}, Who.OFFICE),
}
"""From which states each step of an item is taken, and by whom."""

EXTENSION_STEPS: Final[dict[str, tuple[bool, frozenset[ItemState], Who]]] = {
    "request": (False, HANDED_OUT & PLANNING, Who.OWNER),
    "grant": (True, HANDED_OUT, Who.OFFICE),
    "refuse": (True, HANDED_OUT, Who.OFFICE),
}
"""Whether an extension was asked for when each of its steps is taken, while its item is in which states, by whom."""

MILESTONE_STEPS: Final[dict[str, tuple[MilestoneState, frozenset[ItemState], Who]]] = {
    "report": (MilestoneState.PLANNED, frozenset({ItemState.IN_PROGRESS}), Who.OWNER),
    "verify": (MilestoneState.REPORTED, JUDGING, Who.JUDGE),
    "return": (MilestoneState.REPORTED, JUDGING, Who.JUDGE),
    "revoke": (MilestoneState.VERIFIED, JUDGING | {ItemState.VERIFIED_CLOSED}, Who.JUDGE),
    "reschedule": (MilestoneState.PLANNED, PLANNING, Who.OFFICE),
    "cancel": (MilestoneState.PLANNED, PLANNING, Who.OFFICE),
}
"""From which state each step of a milestone is taken, while its item is in which states, and by whom."""

STEPS_FROM: Final = {
    now: [(f"item.{step}", step, who) for step, (states, who) in STEPS.items() if now in states] for now in ItemState
}
"""The permissions and names of the steps that begin in each state of an item, and whose each is."""

EXTENSION_STEPS_FROM: Final = {
    (item, asked): [
        (f"extension.{step}", f"extension/{step}", step, who)
        for step, (wanted, item_states, who) in EXTENSION_STEPS.items()
        if wanted is asked and item in item_states
    ]
    for item in ItemState
    for asked in (False, True)
}
"""The same for an extension, by the state of its item and whether one was asked for, with their paths."""

MILESTONE_STEPS_FROM: Final = {
    (item, now): [
        (f"milestone.{step}", step, who)
        for step, (state, item_states, who) in MILESTONE_STEPS.items()
        if state is now and item in item_states
    ]
    for item in ItemState
    for now in MilestoneState
}
"""The same for a milestone, by the state of its item and its own."""
