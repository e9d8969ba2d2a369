"""What a domain may say to a command: a change with the events that tell of it, or a refusal with a stable code."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any, Generic, Self, TypeAlias, TypeVar, dataclass_transform
from uuid import UUID

from common.contracts import Event

State = TypeVar("State")


@dataclass_transform(frozen_default=True)
def unchanging(kind: type[State]) -> type[State]:
    """A dataclass that is made anew for each change, never changed: the type checker sees to it.

    For states of many fields: as ``frozen`` sees to it at run time, making one takes ten times as long.
    """
    return dataclass(slots=True)(kind)


@dataclass(frozen=True, slots=True)
class Change(Generic[State]):
    """A decision's outcome: the new state, the events that tell of it in order, and the day on which it holds.

    No event means that what was asked holds already: nothing happens twice.
    """

    state: State
    events: tuple[Event, ...]
    effective_on: date


class Worded(StrEnum):
    """A choice of values whose names people read too: each member is its value, ``draft``, with its Chinese word."""

    zh: str
    __hash__ = str.__hash__  # that of an Enum is written in Python, and rules look much up by such values

    def __new__(cls, value: str, zh: str = "") -> Self:
        """The member of that value."""
        member = str.__new__(cls, value)
        member._value_, member.zh = value, zh
        return member


class Kind(IntEnum):
    """Why something is refused, as an HTTP status."""

    MALFORMED = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    ABSENT = 404
    CONFLICT = 409
    STALE = 412
    TOO_LARGE = 413
    UNSUPPORTED = 415
    INVALID = 422
    FAULT = 500
    UNAVAILABLE = 503


class Refused(Exception):
    """A command was refused; nothing was written."""

    def __init__(self, refusal: "Refusal", facts: dict[str, Any], pointer: str | None = None) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.facts = facts
        self.pointer = pointer

    def say(self, language: str) -> str:
        """The reason in ``zh`` or ``en``, with its facts filled in."""
        if language != "zh":
            return self.refusal.en.format(**self.facts)
        return self.refusal.zh.format(**{name: getattr(fact, "zh", fact) for name, fact in self.facts.items()})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason to refuse: a stable code and its text in both languages; call it to raise it with facts."""

    code: str
    zh: str
    en: str
    kind: Kind = Kind.CONFLICT

    def __call__(self, *, pointer: str | None = None, **facts: Any) -> Refused:
        """The refusal as an exception; ``pointer`` is the JSON pointer of the field that is at fault."""
        return Refused(self, facts, pointer)


@dataclass(frozen=True, slots=True)
class Unit:
    """An association unit as a rule sees it: whom it belongs to, and what belongs to it."""

    id: UUID
    code: str
    lineage: tuple[UUID, ...]
    """Itself first, the top last."""
    subtree: frozenset[UUID]
    """Itself and all below it."""

    def belongs_to(self, *units: UUID) -> bool:
        """Whether this unit is one of the given ones or below one of them."""
        return not set(units).isdisjoint(self.lineage)


Steps: TypeAlias = Iterator[tuple[str, str, Refused | None]]
"""Steps as a state names them: the permission that each needs (``milestone.verify``), the command's path relative to
the aggregate's address (``milestones/2/verify``), and what speaks against it now, if anything does."""

NO_UNIT = Refusal(
    "caller.no-unit",
    zh="此操作须以所属单位的名义进行，而令牌未载明名录中的单位",
    en="This is done in the name of a unit, and the token names none that the directory knows",
    kind=Kind.FORBIDDEN,
)
NOT_INDEPENDENT = Refusal(
    "judge.not-independent",
    zh="核验单位不得为牵头单位、责任单位、协同单位或其下属单位",
    en="Whoever judges may not belong to the lead, the owner or a co-unit of what is judged",
    kind=Kind.FORBIDDEN,
)
EFFECTIVE_IN_FUTURE = Refusal(
    "effective.in-future",
    zh="生效日期 {on} 晚于今日 {today}",
    en="The effective date {on} is later than today, {today}",
    kind=Kind.INVALID,
)
EFFECTIVE_BEFORE_PREDECESSOR = Refusal(
    "effective.before-predecessor",
    zh="生效日期 {on} 早于上一步的日期 {since}",
    en="The effective date {on} is before that of the step before, {since}",
    kind=Kind.INVALID,
)

EFFECTIVE_BEFORE_PLAN = Refusal(
    "effective.before-plan",
    zh="日期 {on} 早于方案起始日 {starts_on}",
    en="{on} is before the plan began, {starts_on}",
    kind=Kind.INVALID,
)


def must_follow(on: date, since: date) -> None:
    """Refuse a step that would take effect before its predecessor did."""
    if on < since:
        raise EFFECTIVE_BEFORE_PREDECESSOR(pointer="/effective_on", on=on, since=since)
