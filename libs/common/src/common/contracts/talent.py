"""What talent tells: programmes that are defined, run and retired."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Event, NameEn, NameZh


class ProgrammeKind(StrEnum):
    """A class is nominated for, attended in hours and certified; a hall is a series of lectures."""

    TRAINING_CLASS = "training-class"
    LECTURE_HALL = "lecture-hall"


class Audience(StrEnum):
    """For whom a programme is held."""

    TALENTS = "talents"
    CADRES = "cadres"


class Admission(StrEnum):
    """How one gets in: by own application, by an organisation's nomination, or by either."""

    SELF = "self"
    NOMINATION = "nomination"
    BOTH = "both"


ProgrammeId = Annotated[UUID, Field(description="The programme: the aggregate, and the record's key.")]


class TalentEvent(Event):
    """A fact told by talent; never with anything that identifies a person."""

    producer: ClassVar[str] = "talent"


class ProgrammeDefined(TalentEvent):
    """A programme was put down: what it is, for whom, how often it is expected."""

    programme: ProgrammeId
    code: Code
    kind: ProgrammeKind
    name_zh: NameZh
    name_en: NameEn
    audience: Audience
    admission: Admission
    held_every_months: int = Field(ge=1, le=60)
    """The expected interval between two cohorts, in months."""
    measure: Code = Field(description="The reform measure that the programme serves.")
    defined_on: EffectiveOn


class ProgrammeActivated(TalentEvent):
    """Cohorts of the programme may be held from this day on."""

    programme: ProgrammeId
    activated_on: EffectiveOn


class ProgrammeRetired(TalentEvent):
    """No new cohort of the programme is held from this day on."""

    programme: ProgrammeId
    retired_on: EffectiveOn
