"""The rules of a measure laid out: its states, who takes which step from which of them, and why one is refused."""

from enum import StrEnum
from typing import Final

from common.decision import Kind, Refusal, Worded

WRONG_STATE = Refusal(
    "measure.wrong-state",
    zh="举措现处于“{state}”，不能执行此操作",
    en="The measure is {state}: this cannot be done now",
)
PLAN_NOT_ADOPTED = Refusal(
    "measure.plan-not-adopted",
    zh="方案尚未印发，其举措不能启动或变动",
    en="The plan is not adopted yet: nothing is done about its measures",
)
NOT_LEAD = Refusal(
    "measure.not-lead",
    zh="此操作由举措的牵头单位执行",
    en="This is for the unit that leads the measure",
    kind=Kind.FORBIDDEN,
)
LEAD_AMONG_CO_UNITS = Refusal(
    "measure.lead-among-co-units",
    zh="牵头单位不得同时为协同单位",
    en="The lead cannot be a co-unit too",
    kind=Kind.INVALID,
)
OPEN_ITEMS = Refusal(
    "measure.open-items",
    zh="举措尚有 {count} 个改革事项未办结",
    en="{count} reform items of the measure have not ended yet",
)
SUSPENDED_OTHERWISE = Refusal(
    "measure.suspended-otherwise",
    zh="举措已以另一理由暂停",
    en="The measure was suspended for another reason",
)
ACCEPTED_OTHERWISE = Refusal(
    "measure.accepted-otherwise",
    zh="举措已以另一评分或评审单位通过验收",
    en="The measure was accepted with another score or by other reviewers",
)
SUSPENDED = Refusal(
    "measure.suspended",
    zh="举措暂停期间，其事项和节点的时限不变",
    en="The measure is suspended: no date of its items or milestones moves",
)
TAKES_NO_ITEMS = Refusal(
    "measure.takes-no-items",
    zh="举措现处于“{state}”，其事项清单不再变动",
    en="The measure is {state}: the list of its items stays as it is",
)


class MeasureState(Worded):
    """Where a measure stands. ``in-progress`` follows from its items, and ``closed`` from its plan."""

    PLANNED = "planned", "已计划"
    LAUNCHED = "launched", "已启动"
    IN_PROGRESS = "in-progress", "进行中"
    SUSPENDED = "suspended", "已暂停"
    SUBMITTED_FOR_ACCEPTANCE = "submitted-for-acceptance", "待验收"
    ACCEPTED = "accepted", "已验收"
    CLOSED = "closed", "已关闭"


class Who(StrEnum):
    """Whose step it is: the reform office's, the lead's, or that of somebody independent of all who took part."""

    OFFICE = "office"
    LEAD = "lead"
    JUDGE = "judge"


S = MeasureState
RUNNING: Final = frozenset({S.LAUNCHED, S.IN_PROGRESS})
"""The states of a measure that was launched and that nothing holds up."""
UNDER_JUDGEMENT: Final = frozenset({S.SUBMITTED_FOR_ACCEPTANCE, S.ACCEPTED, S.CLOSED})
"""In these states the list of its items stays as it was put before the judges."""

STEPS: Final[dict[str, tuple[str, frozenset[MeasureState], Who]]] = {
    "launch": ("measure.launch", frozenset({S.PLANNED}), Who.OFFICE),
    "lead": ("measure.assign-lead", frozenset({S.PLANNED, S.SUSPENDED}) | RUNNING, Who.OFFICE),
    "tags": ("measure.tag", frozenset(S) - {S.CLOSED}, Who.OFFICE),
    "suspend": ("measure.suspend", RUNNING, Who.OFFICE),
    "resume": ("measure.resume", frozenset({S.SUSPENDED}), Who.OFFICE),
    "submit": ("measure.submit", frozenset({S.IN_PROGRESS}), Who.LEAD),
    "accept": ("measure.accept", frozenset({S.SUBMITTED_FOR_ACCEPTANCE}), Who.JUDGE),
    "return": ("measure.return", frozenset({S.SUBMITTED_FOR_ACCEPTANCE}), Who.JUDGE),
}
"""Each step by its path: the permission that it needs, the states in which it begins, and whose it is."""
