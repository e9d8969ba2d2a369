"""An assurance (独立评价): one measure's or item's independent rating, of which at most one holds at a time."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import AssuranceExpired, AssuranceGiven, AssuranceWithdrawn, Rating, SubjectKind
from common.decision import Change, Kind, Refusal, Steps, Unit, Worded, must_follow
from measures.subject.partakers import NOBODY, Partakers

WRONG_STATE = Refusal(
    "assurance.wrong-state",
    zh="独立评价现处于“{state}”，不能执行此操作",
    en="The assurance is {state}: this cannot be done now",
)
EXPIRES_TOO_EARLY = Refusal(
    "assurance.expires-too-early",
    zh="失效日期 {expires_on} 须晚于评价日期 {on}",
    en="It has to hold for a day at least: given on {on} it cannot expire on {expires_on}",
    kind=Kind.INVALID,
)
EXPIRED_BY_THEN = Refusal(
    "assurance.expired-by-then",
    zh="该评价自 {expires_on} 起已失效，不能于 {on} 撤回",
    en="It holds no longer from {expires_on} on: it cannot be withdrawn on {on}",
    kind=Kind.INVALID,
)
WITHDRAWN_OTHERWISE = Refusal(
    "assurance.withdrawn-otherwise",
    zh="独立评价已以另一原因撤回",
    en="The assurance was withdrawn for another reason",
)


class AssuranceState(Worded):
    """Whether a rating holds, and if not, why not."""

    VALID = "valid", "有效"
    WITHDRAWN = "withdrawn", "已撤回"
    EXPIRED = "expired", "已到期"


@dataclass(frozen=True, slots=True)
class Assurance:
    """What an independent unit last said of one measure or item; given anew, it replaces what held."""

    id: UUID
    version: int
    plan: str
    subject_kind: SubjectKind
    subject: str
    rating: Rating
    reason: str
    assurer: UUID
    expires_on: date
    """The first day on which the rating no longer holds."""
    given_version: int
    """The version that gave the rating."""
    state: AssuranceState
    since: date
    """The day on which its last step took effect."""
    withdrawn_because: str | None = None
    partakers: Partakers = NOBODY
    """Whose work is rated; read beside it."""

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state."""
        yield "assurance.give", "give", self.partakers.not_independent(by)
        if self.state is AssuranceState.VALID:
            yield "assurance.withdraw", "withdraw", self.partakers.not_independent(by)

    def give(self, *, rating: Rating, reason: str, expires_on: date, by: Unit, on: date) -> Change["Assurance"]:
        """Rate it anew: what held before holds no longer.

        :raises Refused: ``judge.not-independent``, ``effective.before-predecessor``, ``assurance.expires-too-early``.
        """
        said = (rating, reason, expires_on, by.id)
        if self.state is AssuranceState.VALID and said == (self.rating, self.reason, self.expires_on, self.assurer):
            return Change(self, (), on)  # said before: nothing happens twice
        _require(by, self.partakers, on=on, expires_on=expires_on)
        must_follow(on, self.since)
        held = self.state is AssuranceState.VALID and on < self.expires_on
        version = self.version + 1
        event = AssuranceGiven(
            assurance=self.id, plan=self.plan, subject_kind=self.subject_kind, subject=self.subject, rating=rating,
            reason=reason, expires_on=expires_on, assurer=by.id, replaces=self.given_version if held else None,
            given_on=on,
        )  # fmt: skip
        after = replace(
            self, version=version, rating=rating, reason=reason, assurer=by.id, expires_on=expires_on,
            given_version=version, state=AssuranceState.VALID, since=on, withdrawn_because=None,
        )  # fmt: skip
        return Change(after, (event,), on)

    def withdraw(self, *, reason: str, by: Unit, on: date) -> Change["Assurance"]:
        """Take the rating back: nothing holds in its place.

        :raises Refused: ``assurance.withdrawn-otherwise``, ``assurance.wrong-state``, ``judge.not-independent``,
            ``effective.before-predecessor``, ``assurance.expired-by-then``.
        """
        if self.state is AssuranceState.WITHDRAWN:
            if reason != self.withdrawn_because:
                raise WITHDRAWN_OTHERWISE()
            return Change(self, (), on)
        if self.state is not AssuranceState.VALID:
            raise WRONG_STATE(state=self.state)
        if refused := self.partakers.not_independent(by, on):
            raise refused
        must_follow(on, self.since)
        if on >= self.expires_on:
            raise EXPIRED_BY_THEN(pointer="/effective_on", expires_on=self.expires_on, on=on)
        event = AssuranceWithdrawn(
            assurance=self.id, reason=reason, by=by.id, replaces=self.given_version, withdrawn_on=on
        )
        return self._ended(AssuranceState.WITHDRAWN, event, on=on, because=reason)

    def expire(self, *, on: date) -> Change["Assurance"]:
        """The rating's time is over; where it was withdrawn or prolonged meanwhile, nothing happens."""
        if self.state is not AssuranceState.VALID or on < self.expires_on:
            return Change(self, (), on)
        event = AssuranceExpired(assurance=self.id, replaces=self.given_version, expired_on=self.expires_on)
        return self._ended(AssuranceState.EXPIRED, event, on=self.expires_on)

    def _ended(
        self, state: AssuranceState, event: Event, *, on: date, because: str | None = None
    ) -> Change["Assurance"]:
        after = replace(self, version=self.version + 1, state=state, since=on, withdrawn_because=because)
        return Change(after, (event,), on)


def give_assurance(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    plan: str,
    subject_kind: SubjectKind,
    subject: str,
    partakers: Partakers,
    rating: Rating,
    reason: str,
    expires_on: date,
    by: Unit,
    on: date,
) -> Change[Assurance]:
    """Rate a measure or an item for the first time.

    :raises Refused: ``judge.not-independent``, ``assurance.expires-too-early``.
    """
    _require(by, partakers, on=on, expires_on=expires_on)
    event = AssuranceGiven(
        assurance=id, plan=plan, subject_kind=subject_kind, subject=subject, rating=rating, reason=reason,
        expires_on=expires_on, assurer=by.id, given_on=on,
    )  # fmt: skip
    assurance = Assurance(
        id=id, version=1, plan=plan, subject_kind=subject_kind, subject=subject, rating=rating, reason=reason,
        assurer=by.id, expires_on=expires_on, given_version=1, state=AssuranceState.VALID, since=on,
        partakers=partakers,
    )  # fmt: skip
    return Change(assurance, (event,), on)


def _require(by: Unit, partakers: Partakers, *, on: date, expires_on: date) -> None:
    if refused := partakers.not_independent(by, on):
        raise refused
    if expires_on <= on:
        raise EXPIRES_TOO_EARLY(pointer="/expires_on", expires_on=expires_on, on=on)
