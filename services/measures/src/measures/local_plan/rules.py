"""The rules of a local plan laid out: its states, who takes which step from which of them, and why one is refused."""

from enum import StrEnum
from typing import Final

from common.decision import Kind, Refusal, Worded

WRONG_STATE = Refusal(
    "local-plan.wrong-state",
    zh="地方方案现处于“{state}”，不能执行此操作",
    en="The local plan is {state}: this cannot be done now",
)
NOT_OWNER = Refusal(
    "local-plan.not-owner",
    zh="此操作由方案所属单位执行",
    en="This is for the unit whose plan it is",
    kind=Kind.FORBIDDEN,
)
MEASURE_TWICE = Refusal(
    "local-plan.measure-twice",
    zh="举措 {measure} 出现了两次",
    en="The measure {measure} is given twice",
    kind=Kind.INVALID,
)
PERIOD_REVERSED = Refusal(
    "local-plan.period-reversed", zh="开始日期晚于结束日期", en="It would end before it starts", kind=Kind.INVALID
)
OUTSIDE_PLAN = Refusal(
    "local-plan.outside-plan",
    zh="期限超出全市方案的期限（{starts_on} 至 {ends_on}）",
    en="Its period lies outside that of the municipal plan, {starts_on} to {ends_on}",
    kind=Kind.INVALID,
)
FILED_OTHERWISE = Refusal(
    "local-plan.filed-otherwise", zh="方案已按另一备案号备案", en="The plan is on file under another number"
)
RETURNED_OTHERWISE = Refusal(
    "local-plan.returned-otherwise", zh="方案已以另一理由退回", en="The plan was returned for another reason"
)
CLOSED_OTHERWISE = Refusal(
    "local-plan.closed-otherwise", zh="方案已以另一理由关闭", en="The plan was closed for another reason"
)
ITEMS_OPEN = Refusal(
    "local-plan.items-open",
    zh="方案尚有 {count} 个事项未了结：{codes}",
    en="{count} items of the plan have not ended: {codes}",
)
UNKNOWN_MEASURE = Refusal(
    "local-plan.unknown-measure",
    zh="地方方案不含举措 {measure}",
    en="The local plan does not map to the measure {measure}",
    kind=Kind.INVALID,
)
OWNER_OUTSIDE = Refusal(
    "local-plan.owner-outside",
    zh="地方事项的责任单位须为方案所属单位或其下级",
    en="An item of a local plan is owned by the plan's unit or one below it",
    kind=Kind.INVALID,
)
DUE_OUTSIDE = Refusal(
    "local-plan.due-outside",
    zh="地方事项的完成时限不得晚于地方方案的终止日 {ends_on}",
    en="An item of a local plan is to be done while the plan lasts, by {ends_on}",
    kind=Kind.INVALID,
)


class LocalPlanState(Worded):
    """Where a local plan stands; filed is 备案."""

    DRAFT = "draft", "草拟"
    SUBMITTED = "submitted", "已报送"
    RETURNED = "returned", "已退回"
    FILED = "filed", "已备案"
    IN_FORCE = "in-force", "实施中"
    CLOSED = "closed", "已关闭"


class Who(StrEnum):
    """Whose step it is: the reform office's, or that of the unit whose plan it is."""

    OFFICE = "office"
    OWNER = "owner"


S = LocalPlanState
IN_HAND: Final = frozenset({S.DRAFT, S.RETURNED})
"""The unit is still writing."""
TAKES_ITEMS: Final = frozenset({S.FILED, S.IN_FORCE})

STEPS: Final[dict[str, tuple[frozenset[LocalPlanState], Who]]] = {
    "redraft": (IN_HAND, Who.OWNER),
    "submit": (IN_HAND, Who.OWNER),
    "return": (frozenset({S.SUBMITTED}), Who.OFFICE),
    "file": (frozenset({S.SUBMITTED}), Who.OFFICE),
    "enter-into-force": (frozenset({S.FILED}), Who.OWNER),
    "close": (frozenset(S) - {S.CLOSED}, Who.OFFICE),
}
"""From which states each step is taken, and by whom; one that is given up before it is in force is closed as well."""

STEPS_FROM: Final = {now: tuple(step for step, (states, _) in STEPS.items() if now in states) for now in S}
"""The steps that begin in each state."""
