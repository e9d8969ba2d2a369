"""What talent tells: programmes that are defined, run and retired."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from common.contracts import Code, Event, Title


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


class TalentEvent(Event):
    """A fact told by talent; never with anything that identifies a person."""

    producer: ClassVar[str] = "talent"


class ProgrammeDefined(TalentEvent):
    """A programme was put down: what it is, for whom, how often it is expected."""

    programme: UUID
    code: Code
    kind: ProgrammeKind
    name_zh: Title
    name_en: Title
    audience: Audience
    admission: Admission
    held_every_months: int = Field(ge=1, le=60)
    """The expected interval between two cohorts, in months."""
    measure: Code
    """The reform measure that the programme serves."""
    defined_on: date


class ProgrammeActivated(TalentEvent):
    """Cohorts of the programme may be held from this day on."""

    programme: UUID
    activated_on: date


class ProgrammeRetired(TalentEvent):
    """No new cohort of the programme is held from this day on."""

    programme: UUID
    retired_on: date
