"""What is told of an assurance: an independent rating that holds until it is replaced, withdrawn or expires."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn
from common.contracts.measures.words import Judge, MeasuresEvent, Reason, Subject, SubjectKind

AssuranceId = Annotated[
    UUID, Field(description="The assurance of one measure or item: the aggregate, the record's key.")
]


class Rating(StrEnum):
    """How likely it is, by an independent unit's word, that what was promised comes in time."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class AssuranceGiven(MeasuresEvent):
    """A unit that takes no part rated a measure or an item; the rating that held before it holds no longer."""

    assurance: AssuranceId
    plan: Code = Field(description="The plan, by its code.")
    subject_kind: SubjectKind
    subject: Subject
    rating: Rating
    reason: Reason
    expires_on: date
    """The first day in Shanghai on which the rating no longer holds."""
    assurer: Judge
    replaces: int | None = None
    """The aggregate version of the rating that held until this day, if one did."""
    given_on: EffectiveOn


class AssuranceWithdrawn(MeasuresEvent):
    """The rating was taken back, for this reason; nothing holds in its place."""

    assurance: AssuranceId
    reason: Reason
    by: Judge
    replaces: int
    """The aggregate version of the rating that no longer holds."""
    withdrawn_on: EffectiveOn


class AssuranceExpired(MeasuresEvent):
    """The rating's last day is over, and no other was given."""

    assurance: AssuranceId
    replaces: int
    """The aggregate version of the rating that no longer holds."""
    expired_on: EffectiveOn
