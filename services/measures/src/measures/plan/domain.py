"""A reform plan: put down once, adopted, and entered phase by phase; its codes never change."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import Aspect, Measure, Phase, PhaseEntered, PlanAdopted, PlanDefined
from common.decision import EFFECTIVE_BEFORE_PLAN, Change, Kind, Refusal, Steps, Unit, must_follow

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


class PlanState(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    ADOPTED = "adopted"
    IN_FORCE = "in-force"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of several years: aspects, the key measures under them, and phases in the order of time."""

    id: UUID
    version: int
    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    aspects: tuple[Aspect, ...]
    measures: tuple[Measure, ...]
    phases: tuple[Phase, ...]
    state: PlanState
    since: date
    """The day on which the last step took effect."""
    issuer: str | None = None
    document_number: str | None = None
    phase: str | None = None
    """Code of the phase that was entered last."""

    def steps(self, by: Unit | None) -> Steps:  # noqa: ARG002 - who asks makes no difference here
        """What begins in this state."""
        if self.state is PlanState.DRAFT:
            yield "plan.adopt", "adopt", None
            return
        codes = [phase.code for phase in self.phases]
        for code in codes[codes.index(self.phase) + 1 if self.phase else 0 :]:
            yield "plan.enter-phase", f"phases/{code}/enter", None

    def adopt(self, *, issuer: str, document_number: str, on: date) -> Change["Plan"]:
        """The plan was issued with a document and binds from that day.

        :raises Refused: ``plan.adopted-otherwise``, ``effective.before-predecessor``.
        """
        if self.state is not PlanState.DRAFT:
            if (self.issuer, self.document_number) != (issuer, document_number):
                raise ADOPTED_OTHERWISE()
            return Change(self, (), on)
        must_follow(on, self.since)
        return self._told(
            on,
            PlanAdopted(plan=self.id, issuer=issuer, document_number=document_number, adopted_on=on),
            replace(self, state=PlanState.ADOPTED, issuer=issuer, document_number=document_number),
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
        if self.state is PlanState.DRAFT:
            raise WRONG_STATE(state=self.state)
        codes = [phase.code for phase in self.phases]
        if self.phase and codes.index(code) < codes.index(self.phase):
            raise PHASE_PASSED(current=self.phase)
        if not phase.starts_on <= on <= phase.ends_on:
            raise PHASE_NOT_NOW(pointer="/effective_on", on=on, phase=code)
        must_follow(on, self.since)
        return self._told(
            on,
            PhaseEntered(plan=self.id, phase=code, mode=phase.mode, entered_on=on),
            replace(self, state=PlanState.IN_FORCE, phase=code),
        )

    def require_open_for_items(self, measure: str, *, on: date) -> None:
        """Items may be put under this measure on that day.

        :raises Refused: ``plan.wrong-state`` before adoption, ``plan.unknown-measure``, ``effective.before-plan``.
        """
        if self.state is PlanState.DRAFT:
            raise WRONG_STATE(state=self.state)
        if measure not in {known.code for known in self.measures}:
            raise UNKNOWN_MEASURE(pointer="/measure", measure=measure)
        if on < self.starts_on:
            raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=self.starts_on)

    def _told(self, on: date, event: Event, after: "Plan") -> Change["Plan"]:
        return Change(replace(after, version=self.version + 1, since=on), (event,), on)


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
    for list_name, codes in (
        ("aspects", [aspect.code for aspect in aspects]),
        ("measures", [measure.code for measure in measures]),
        ("phases", [phase.code for phase in phases]),
    ):
        for position, one in enumerate(codes):
            if one in codes[:position]:
                raise CODE_TWICE(pointer=f"/{list_name}/{position}/code", code=one)
    known = {aspect.code for aspect in aspects}
    for position, measure in enumerate(measures):
        if measure.aspect not in known:
            raise UNKNOWN_ASPECT(pointer=f"/measures/{position}/aspect", measure=measure.code, aspect=measure.aspect)
    phases = tuple(sorted(phases, key=lambda phase: phase.starts_on))
    _require_apart(phases, starts_on, ends_on)
    event = PlanDefined(
        plan=id, code=code, title_zh=title_zh, title_en=title_en, starts_on=starts_on, ends_on=ends_on,
        aspects=aspects, measures=measures, phases=phases, defined_on=on,
    )  # fmt: skip
    plan = Plan(
        id=id, version=1, code=code, title_zh=title_zh, title_en=title_en, starts_on=starts_on, ends_on=ends_on,
        aspects=aspects, measures=measures, phases=phases, state=PlanState.DRAFT, since=on,
    )  # fmt: skip
    return Change(plan, (event,), on)


def _require_apart(phases: tuple[Phase, ...], starts_on: date, ends_on: date) -> None:
    previous_end: date | None = None
    for phase in phases:
        if phase.ends_on < phase.starts_on:
            raise PERIOD_REVERSED(pointer="/phases")
        if phase.starts_on < starts_on or phase.ends_on > ends_on:
            raise PHASE_OUTSIDE(pointer="/phases", phase=phase.code)
        if previous_end is not None and phase.starts_on <= previous_end:
            raise PHASES_OVERLAP(pointer="/phases", phase=phase.code)
        previous_end = phase.ends_on
