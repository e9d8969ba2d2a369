"""What is told of a plan: put down, adopted, entered phase by phase."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, NameEn, NameZh, Title, TitleEn, TitleZh
from common.contracts.measures.words import MeasuresEvent, Value

PlanId = Annotated[UUID, Field(description="The plan: the aggregate, and the record's key.")]


class PhaseMode(StrEnum):
    """What a phase asks of the units: to prepare, to pilot in some of them, to implement in all."""

    PREPARATION = "preparation"
    PILOT = "pilot"
    FULL = "full"


class Aspect(Value):
    """One of the plan's aspects (方面)."""

    code: Code
    name_zh: NameZh
    name_en: NameEn


class Measure(Value):
    """One of the plan's key measures (举措), under one aspect."""

    code: Code
    aspect: Code = Field(description="The aspect that it belongs to.")
    name_zh: NameZh
    name_en: NameEn


class Phase(Value):
    """A stretch of the plan's period, both days inclusive."""

    code: Code
    name_zh: NameZh
    name_en: NameEn
    mode: PhaseMode
    starts_on: date
    """Its first day."""
    ends_on: date
    """Its last day."""


class PlanDefined(MeasuresEvent):
    """A plan was put down with its aspects, measures and phases; their codes never change."""

    plan: PlanId
    code: Code
    title_zh: TitleZh
    title_en: TitleEn
    starts_on: date
    """The first day of its period."""
    ends_on: date
    """The last day of its period."""
    aspects: tuple[Aspect, ...]
    """In the plan's own order."""
    measures: tuple[Measure, ...]
    """In the plan's own order."""
    phases: tuple[Phase, ...]
    """In the order of time."""
    defined_on: EffectiveOn


class PlanAdopted(MeasuresEvent):
    """The plan was issued and binds from this day on."""

    plan: PlanId
    issuer: Title
    """Who issued it."""
    document_number: Title
    """The number of the document that issued it."""
    adopted_on: EffectiveOn


class PhaseEntered(MeasuresEvent):
    """A phase of the plan has begun."""

    plan: PlanId
    phase: Code = Field(description="The phase, by its code within the plan.")
    mode: PhaseMode
    entered_on: EffectiveOn
