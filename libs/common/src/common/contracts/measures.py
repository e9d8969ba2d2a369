"""What measures tells: a plan adopted and entered phase by phase, its items done step by step, judged by others."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts import Code, Event, Text, Title


class Value(BaseModel):
    """A part of an event: frozen, and read leniently like the event itself."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class PhaseMode(StrEnum):
    """What a phase asks of the units: to prepare, to pilot in some of them, to implement in all."""

    PREPARATION = "preparation"
    PILOT = "pilot"
    FULL = "full"


class MilestoneKind(StrEnum):
    """Whether a milestone is attained by something that exists or by a number that is reached."""

    QUALITATIVE = "qualitative"
    QUANTITATIVE = "quantitative"


class Focus(StrEnum):
    """抓重点、补短板、强弱项: why an item was chosen."""

    KEY_POINT = "key-point"
    SHORTCOMING = "shortcoming"
    WEAK_ITEM = "weak-item"


class Aspect(Value):
    """One of the plan's aspects (方面)."""

    code: Code
    name_zh: Title
    name_en: Title


class Measure(Value):
    """One of the plan's key measures (举措), under one aspect."""

    code: Code
    aspect: Code
    name_zh: Title
    name_en: Title


class Phase(Value):
    """A stretch of the plan's period, both days inclusive."""

    code: Code
    name_zh: Title
    name_en: Title
    mode: PhaseMode
    starts_on: date
    ends_on: date


class MeasuresEvent(Event):
    """A fact told by measures."""

    producer: ClassVar[str] = "measures"


class PlanDefined(MeasuresEvent):
    """A plan was put down with its aspects, measures and phases; their codes never change."""

    plan: UUID
    code: Code
    title_zh: Title
    title_en: Title
    starts_on: date
    ends_on: date
    aspects: tuple[Aspect, ...]
    measures: tuple[Measure, ...]
    phases: tuple[Phase, ...]
    defined_on: date


class PlanAdopted(MeasuresEvent):
    """The plan was issued and binds from this day on."""

    plan: UUID
    issuer: Title
    document_number: Title
    adopted_on: date


class PhaseEntered(MeasuresEvent):
    """A phase of the plan has begun."""

    plan: UUID
    phase: Code
    mode: PhaseMode
    entered_on: date


class ReformItemAdded(MeasuresEvent):
    """A reform item (改革事项) was put on the list of one measure."""

    item: UUID
    plan: Code
    measure: Code
    code: Code
    title_zh: Title
    title_en: Title
    owner: UUID
    co_units: tuple[UUID, ...] = ()
    responsible_post: Title | None = None
    problem: Text
    deliverable: Text
    effect: Text
    focus: Focus
    planned_start_on: date
    due_on: date
    added_on: date


class ReformItemAssigned(MeasuresEvent):
    """The item was handed to its owner."""

    item: UUID
    owner: UUID
    assigned_on: date


class ReformItemAcknowledged(MeasuresEvent):
    """The owner has received the item (签收)."""

    item: UUID
    acknowledged_on: date


class ReformItemStarted(MeasuresEvent):
    """Work on the item has begun."""

    item: UUID
    started_on: date


class ReformItemReportedDone(MeasuresEvent):
    """The owner says that the item is done."""

    item: UUID
    claim: Text
    reported_on: date


class ReformItemReturned(MeasuresEvent):
    """The claim that the item is done was sent back, for this reason."""

    item: UUID
    reason: Text
    by: UUID
    returned_on: date


class ReformItemVerifiedClosed(MeasuresEvent):
    """The item was judged done and struck off (销号)."""

    item: UUID
    verifier: UUID
    closed_on: date


class MilestonePlanned(MeasuresEvent):
    """A milestone (节点) was put into the item; it counts in the denominators from this day on."""

    item: UUID
    number: int = Field(ge=1, le=99)
    title_zh: Title
    title_en: Title
    kind: MilestoneKind
    required: bool
    weight: Decimal = Field(ge=0, le=1000, max_digits=8, decimal_places=4)
    planned_on: date
    effective_on: date


class MilestoneReported(MeasuresEvent):
    """The owner says that the milestone was attained on a day, perhaps long before the saying."""

    item: UUID
    number: int
    attained_on: date
    note: Text | None = None
    replaces: int | None = None
    """The aggregate version of the statement about this milestone that no longer holds."""
    reported_on: date


class MilestoneVerified(MeasuresEvent):
    """The milestone was judged attained; it counts from the day it was attained, not from the day of judging."""

    item: UUID
    number: int
    attained_on: date
    verifier: UUID
    replaces: int | None = None
    """The aggregate version of the report that this judgement settles."""
    verified_on: date


class MilestoneReturned(MeasuresEvent):
    """The report about the milestone was sent back, for this reason; it no longer counts as reported."""

    item: UUID
    number: int
    reason: Text
    by: UUID
    replaces: int | None = None
    """The aggregate version of the report that no longer holds."""
    returned_on: date


class MilestoneVerificationRevoked(MeasuresEvent):
    """The milestone was wrongly judged attained; it must be reported anew."""

    item: UUID
    number: int
    reason: Text
    authority: Title
    by: UUID
    replaces: int | None = None
    """The aggregate version of the verification that no longer holds."""
    revoked_on: date


class MilestoneRescheduled(MeasuresEvent):
    """The milestone is planned for another day; the baselines before it are kept."""

    item: UUID
    number: int
    moved_from: date
    moved_to: date
    reason: Text
    baseline_number: int = Field(ge=1)
    """Which plan of the milestone this is: 1 for the first move."""
    rescheduled_on: date


class MilestoneCancelled(MeasuresEvent):
    """The milestone leaves the denominators from this day on, but stays listed."""

    item: UUID
    number: int
    reason: Text
    authority: Title
    cancelled_on: date
