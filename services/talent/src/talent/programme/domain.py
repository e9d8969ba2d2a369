"""A talent programme: put down as a draft, activated, and retired in the end; its code never changes."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from common.contracts import Event
from common.contracts.talent import (
    Admission,
    Audience,
    ProgrammeActivated,
    ProgrammeDefined,
    ProgrammeKind,
    ProgrammeRetired,
)
from common.decision import Change, Refusal, Steps, Unit, Worded, must_follow

WRONG_STATE = Refusal(
    "programme.wrong-state",
    zh="项目现处于“{state}”，不能执行此操作",
    en="The programme is {state}: this cannot be done now",
)


class ProgrammeState(Worded):
    """Where a programme stands."""

    DRAFT = "draft", "草拟"
    ACTIVE = "active", "有效"
    RETIRED = "retired", "已停办"


@dataclass(frozen=True, slots=True)
class Programme:
    """A training class or a lecture hall: for whom it is held, how one gets in, how often it is expected."""

    id: UUID
    version: int
    code: str
    kind: ProgrammeKind
    name_zh: str
    name_en: str
    audience: Audience
    admission: Admission
    held_every_months: int
    """The expected interval between two cohorts, in months."""
    measure: str
    """Code of the reform measure that it serves."""
    state: ProgrammeState
    since: date
    """The day on which the last step took effect."""

    def steps(self, by: Unit | None) -> Steps:  # noqa: ARG002 - who asks makes no difference here
        """What begins in this state."""
        if self.state is ProgrammeState.DRAFT:
            yield "programme.activate", "activate", None
        if self.state is ProgrammeState.ACTIVE:
            yield "programme.retire", "retire", None

    def activate(self, *, on: date) -> Change["Programme"]:
        """Cohorts may be held from that day on.

        :raises Refused: ``programme.wrong-state`` if it is retired, ``effective.before-predecessor``.
        """
        return self._step(
            ProgrammeState.DRAFT, ProgrammeState.ACTIVE, ProgrammeActivated(programme=self.id, activated_on=on), on
        )

    def retire(self, *, on: date) -> Change["Programme"]:
        """No new cohort is held from that day on.

        :raises Refused: ``programme.wrong-state`` if it was never activated, ``effective.before-predecessor``.
        """
        return self._step(
            ProgrammeState.ACTIVE, ProgrammeState.RETIRED, ProgrammeRetired(programme=self.id, retired_on=on), on
        )

    def _step(self, before: ProgrammeState, after: ProgrammeState, event: Event, on: date) -> Change["Programme"]:
        if self.state is after:
            return Change(self, (), on)
        if self.state is not before:
            raise WRONG_STATE(state=self.state)
        must_follow(on, self.since)
        return Change(replace(self, version=self.version + 1, state=after, since=on), (event,), on)


def define_programme(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    code: str,
    kind: ProgrammeKind,
    name_zh: str,
    name_en: str,
    audience: Audience,
    admission: Admission,
    held_every_months: int,
    measure: str,
    on: date,
) -> Change[Programme]:
    """Put down a programme, as a draft."""
    event = ProgrammeDefined(
        programme=id, code=code, kind=kind, name_zh=name_zh, name_en=name_en, audience=audience, admission=admission,
        held_every_months=held_every_months, measure=measure, defined_on=on,
    )  # fmt: skip
    programme = Programme(
        id=id, version=1, code=code, kind=kind, name_zh=name_zh, name_en=name_en, audience=audience,
        admission=admission, held_every_months=held_every_months, measure=measure, state=ProgrammeState.DRAFT, since=on,
    )  # fmt: skip
    return Change(programme, (event,), on)
