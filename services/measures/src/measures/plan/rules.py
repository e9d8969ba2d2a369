"""The rules of a plan laid out: its states, which steps begin in which of them, and why one is refused."""

from typing import Final

from common.decision import Kind, Refusal, Worded

CODE_TWICE = Refusal(
    "plan.code-twice", zh="代码 {code} 出现了两次", en="The code {code} is given twice", kind=Kind.INVALID
)
UNKNOWN_ASPECT = Refusal(
    "plan.unknown-aspect",
    zh="举措 {measure} 所属方面 {aspect} 不在方案中",
    en="Measure {measure} belongs to aspect {aspect}, which the plan does not have",
    kind=Kind.INVALID,
)
PERIOD_REVERSED = Refusal(
    "plan.period-reversed", zh="开始日期晚于结束日期", en="It would end before it starts", kind=Kind.INVALID
)
PHASE_OUTSIDE = Refusal(
    "plan.phase-outside",
    zh="阶段 {phase} 超出方案期限",
    en="Phase {phase} lies outside the plan's period",
    kind=Kind.INVALID,
)
PHASES_OVERLAP = Refusal(
    "plan.phases-overlap",
    zh="阶段 {phase} 与前一阶段重叠",
    en="Phase {phase} overlaps the one before it",
    kind=Kind.INVALID,
)
WRONG_STATE = Refusal(
    "plan.wrong-state", zh="方案现处于“{state}”，不能执行此操作", en="The plan is {state}: this cannot be done now"
)
ADOPTED_OTHERWISE = Refusal(
    "plan.adopted-otherwise", zh="方案已按另一文件印发", en="The plan was adopted with other particulars"
)
UNKNOWN_PHASE = Refusal(
    "plan.unknown-phase", zh="方案没有阶段 {phase}", en="The plan has no phase {phase}", kind=Kind.ABSENT
)
PHASE_NOT_NOW = Refusal(
    "plan.phase-not-on-this-day",
    zh="{on} 不在阶段 {phase} 的期限内",
    en="{on} is not within phase {phase}",
    kind=Kind.INVALID,
)
PHASE_PASSED = Refusal(
    "plan.phase-passed", zh="方案已进入其后的阶段 {current}", en="The plan has entered a later phase, {current}"
)
UNKNOWN_MEASURE = Refusal(
    "plan.unknown-measure", zh="方案没有举措 {measure}", en="The plan has no measure {measure}", kind=Kind.INVALID
)
NEEDS_REVISION = Refusal(
    "plan.needs-revision",
    zh="方案已有代码 {code}：新增 {added} 须按程序修订方案，载明理由和依据",
    en="There is a plan {code} already: {added} is added to it only by a revision, with a reason and an authority",
)
CODE_IN_USE = Refusal(
    "plan.code-in-use",
    zh="方案已用代码 {code}，代码不得改义或重用",
    en="The plan uses the code {code} already; a code never means anything else",
)
UNKNOWN_PART = Refusal(
    "plan.unknown-part", zh="方案没有 {code}，无从更名", en="The plan has no {code} to rename", kind=Kind.INVALID
)
UNKNOWN_PARENT = Refusal(
    "plan.unknown-parent",
    zh="方案中没有可在其下设置权重的 {parent}",
    en="The plan has no {parent} below which weights could be set",
    kind=Kind.INVALID,
)
NOT_A_SIBLING = Refusal(
    "plan.weight-not-a-sibling",
    zh="{code} 不在 {parent} 之下",
    en="{code} does not stand below {parent}",
    kind=Kind.INVALID,
)
SIBLING_MISSING = Refusal(
    "plan.weight-missing",
    zh="权重须一次设全：缺 {codes}",
    en="All siblings are weighted in one command: {codes} missing",
    kind=Kind.INVALID,
)
WEIGHTS_SUM_TO_ZERO = Refusal(
    "plan.weights-sum-to-zero", zh="权重之和不得为零", en="The weights sum to zero", kind=Kind.INVALID
)
SHARES_NOT_ONE = Refusal(
    "plan.policy-shares-not-one",
    zh="两项比重之和须为 1",
    en="The two shares must add up to 1",
    kind=Kind.INVALID,
)
YELLOW_BELOW_GREEN = Refusal(
    "plan.policy-yellow-below-green",
    zh="黄色上限不得低于绿色上限",
    en="Yellow may not end before green does",
    kind=Kind.INVALID,
)
NO_NEW_ITEMS = Refusal(
    "plan.takes-no-new-items",
    zh="方案已进入总结评估，不再新增事项",
    en="The plan is in its final evaluation or closed: it takes nothing new",
)
STILL_OPEN = Refusal(
    "plan.still-open",
    zh="方案尚有 {count} 项未了结：{codes}",
    en="{count} in the plan have neither ended nor been carried over: {codes}",
)
SUCCESSOR_NEEDED = Refusal(
    "plan.successor-needed",
    zh="有事项已结转，须载明接续方案",
    en="Items were carried over: name the plan that succeeds this one",
    kind=Kind.INVALID,
)
SUCCESSOR_ITSELF = Refusal(
    "plan.successor-itself", zh="方案不能接续自身", en="A plan does not succeed itself", kind=Kind.INVALID
)
CARRIED_ELSEWHERE = Refusal(
    "plan.carried-elsewhere",
    zh="事项 {code} 未结转至方案 {successor}",
    en="Item {code} was not carried over into the plan {successor}",
    kind=Kind.INVALID,
)
CLOSED_OTHERWISE = Refusal(
    "plan.closed-otherwise", zh="方案已按另一接续方案关闭", en="The plan was closed with another successor"
)


class PlanState(Worded):
    """Where a plan stands."""

    DRAFT = "draft", "草拟"
    ADOPTED = "adopted", "已印发"
    IN_FORCE = "in-force", "实施中"
    FINAL_EVALUATION = "final-evaluation", "终期评估"
    CLOSED = "closed", "已关闭"


BINDING: Final = frozenset({PlanState.ADOPTED, PlanState.IN_FORCE})
"""A plan that binds, takes items and enters its phases."""
OPEN: Final = frozenset(PlanState) - {PlanState.CLOSED}

STEPS: Final[dict[str, tuple[str, frozenset[PlanState]]]] = {
    "adopt": ("adopt", frozenset({PlanState.DRAFT})),
    "revise": ("revise", OPEN),
    "set-weights": ("weights", OPEN),
    "adopt-policy": ("scoring-policy", OPEN),
    "start-final-evaluation": ("start-final-evaluation", frozenset({PlanState.IN_FORCE})),
    "close": ("close", frozenset({PlanState.FINAL_EVALUATION})),
    "amend": ("amend", frozenset({PlanState.CLOSED})),
}
"""Each step but the entering of a phase: the path of its command, and the states in which it begins."""
