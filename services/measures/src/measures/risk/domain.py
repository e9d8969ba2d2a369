"""A risk (风险) to a measure or an item: its owner assesses it, treats it, and says how it ended."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import (
    RiskClosed,
    RiskMaterialised,
    RiskMitigationStarted,
    RiskRaised,
    RiskReassessed,
    SubjectKind,
)
from common.decision import NO_UNIT, Change, Kind, Refusal, Refused, Steps, Unit, Worded, must_follow
from measures.subject.partakers import NOBODY, Partakers

WRONG_STATE = Refusal(
    "risk.wrong-state", zh="风险现处于“{state}”，不能执行此操作", en="The risk is {state}: this cannot be done now"
)
NOT_OWNER = Refusal(
    "risk.not-owner",
    zh="此操作由风险责任单位执行",
    en="This is for the unit that answers for the risk",
    kind=Kind.FORBIDDEN,
)
MITIGATED_OTHERWISE = Refusal(
    "risk.mitigated-otherwise", zh="风险已采取另一应对措施", en="Something else is being done about the risk already"
)
ENDED_OTHERWISE = Refusal("risk.ended-otherwise", zh="风险已以另一结果了结", en="The risk ended with another outcome")


class RiskState(Worded):
    """Where a risk stands."""

    OPEN = "open", "待应对"
    MITIGATING = "mitigating", "应对中"
    CLOSED = "closed", "已关闭"
    MATERIALISED = "materialised", "已发生"


STEPS: Final[dict[str, tuple[RiskState, ...]]] = {
    "reassess": (RiskState.OPEN, RiskState.MITIGATING),
    "mitigate": (RiskState.OPEN,),
    "close": (RiskState.MITIGATING,),
    "materialise": (RiskState.OPEN, RiskState.MITIGATING),
}
"""From which states each step is taken, always by the owner: what nobody has treated may happen, but is not closed."""


@dataclass(frozen=True, slots=True)
class Risk:
    """Something that may keep a measure or an item from its goal, and what is done about it."""

    id: UUID
    version: int
    plan: str
    subject_kind: SubjectKind
    subject: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    likelihood: int
    """From 1, hardly, to 5, all but certain."""
    impact: int
    """From 1, hardly felt, to 5, the goal is lost."""
    state: RiskState
    since: date
    """The day on which its last step took effect."""
    response: str | None = None
    """What is done about it."""
    outcome: str | None = None
    """How it ended, or what happened."""
    partakers: Partakers = NOBODY
    """Whose work is at risk; read beside it."""

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state."""
        for action, states in STEPS.items():
            if self.state in states:
                yield f"risk.{action}", action, self._why_not(action, by)

    def reassess(self, *, likelihood: int, impact: int, reason: str, by: Unit, on: date) -> Change["Risk"]:
        """The owner thinks otherwise of how likely it is or what it would do.

        :raises Refused: ``risk.wrong-state``, ``risk.not-owner``, ``effective.before-predecessor``.
        """
        self._require("reassess", by)
        if (likelihood, impact) == (self.likelihood, self.impact):
            return Change(self, (), on)
        event = RiskReassessed(risk=self.id, likelihood=likelihood, impact=impact, reason=reason, reassessed_on=on)
        return self._told(replace(self, likelihood=likelihood, impact=impact), event, on)

    def mitigate(self, *, response: str, by: Unit, on: date) -> Change["Risk"]:
        """The owner does something about it.

        :raises Refused: ``risk.mitigated-otherwise``, ``risk.wrong-state``, ``risk.not-owner``,
            ``effective.before-predecessor``.
        """
        if self.state is RiskState.MITIGATING:
            if response != self.response:
                raise MITIGATED_OTHERWISE()
            return Change(self, (), on)  # said before: nothing happens twice
        self._require("mitigate", by)
        event = RiskMitigationStarted(risk=self.id, response=response, started_on=on)
        return self._told(replace(self, state=RiskState.MITIGATING, response=response), event, on)

    def close(self, *, outcome: str, by: Unit, on: date) -> Change["Risk"]:
        """It is over, and what was feared did not happen.

        :raises Refused: ``risk.ended-otherwise``, ``risk.wrong-state``, ``risk.not-owner``,
            ``effective.before-predecessor``.
        """
        event = RiskClosed(risk=self.id, outcome=outcome, closed_on=on)
        return self._ended("close", RiskState.CLOSED, event, outcome=outcome, by=by, on=on)

    def materialise(self, *, outcome: str, by: Unit, on: date) -> Change["Risk"]:
        """What was feared has happened.

        :raises Refused: as ``close``.
        """
        event = RiskMaterialised(risk=self.id, outcome=outcome, materialised_on=on)
        return self._ended("materialise", RiskState.MATERIALISED, event, outcome=outcome, by=by, on=on)

    def _ended(self, action: str, to: RiskState, event: Event, *, outcome: str, by: Unit, on: date) -> Change["Risk"]:
        if self.state is to:
            if outcome != self.outcome:
                raise ENDED_OTHERWISE()
            return Change(self, (), on)
        self._require(action, by)
        return self._told(replace(self, state=to, outcome=outcome), event, on)

    def _told(self, after: "Risk", event: Event, on: date) -> Change["Risk"]:
        must_follow(on, self.since)
        return Change(replace(after, version=self.version + 1, since=on), (event,), on)

    def _require(self, action: str, by: Unit) -> None:
        if refused := self._why_not(action, by):
            raise refused

    def _why_not(self, action: str, by: Unit | None) -> Refused | None:
        if self.state not in STEPS[action]:
            return WRONG_STATE(state=self.state)
        if by is None:
            return NO_UNIT()
        return None if by.id == self.owner else NOT_OWNER()


def raise_risk(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    plan: str,
    subject_kind: SubjectKind,
    subject: str,
    partakers: Partakers,
    code: str,
    title_zh: str,
    title_en: str,
    owner: UUID,
    likelihood: int,
    impact: int,
    on: date,
) -> Change[Risk]:
    """Put a risk to a measure or an item on record, with the unit that answers for it."""
    event = RiskRaised(
        risk=id, plan=plan, subject_kind=subject_kind, subject=subject, code=code, title_zh=title_zh,
        title_en=title_en, owner=owner, likelihood=likelihood, impact=impact, raised_on=on,
    )  # fmt: skip
    risk = Risk(
        id=id, version=1, plan=plan, subject_kind=subject_kind, subject=subject, code=code, title_zh=title_zh,
        title_en=title_en, owner=owner, likelihood=likelihood, impact=impact, state=RiskState.OPEN, since=on,
        partakers=partakers,
    )  # fmt: skip
    return Change(risk, (event,), on)
