"""What is answered of a plan: the plan as a whole, its aspects, its measures, and what their figures rest on."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from events.asked import Stamp
from events.views.progress import Milestones, Progress
from events.views.rating import Expected, Overdue, Rated, Rating, Score
from events.views.standing import Assured


class MeasureProgress(BaseModel):
    """One measure: how it stands, its items and milestones, its progress, and how it is rated."""

    code: str
    aspect: str
    name_zh: str
    name_en: str
    state: Annotated[str, Field(examples=["in-progress"])]
    lead_unit: UUID | None
    co_units: list[UUID]
    tags: list[str]
    weight: Decimal
    """What it weighs among the measures of its aspect."""
    items: int
    by_state: dict[str, int]
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    """Of all that was ever planned, with what was cancelled or merged since."""
    expected: Expected
    overdue: Overdue
    rated: Rated
    """By its figures alone."""
    assured: Assured | None
    """By an independent unit, where its rating holds on that day."""
    score: Score
    risks_open: int
    """Risks, of the measure and of its items, that are neither closed nor have come true."""


class AspectProgress(BaseModel):
    """One aspect: the mean of its measures by their weights, and what is under it."""

    code: str
    name_zh: str
    name_en: str
    weight: Decimal
    """What it weighs among the aspects of its plan."""
    items: int
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    expected: Expected
    overdue: Overdue
    ratings: dict[Rating, int]
    """How many of its measures are rated so."""
    measures: list[MeasureProgress]


class PhaseNow(BaseModel):
    """The phase that the plan had entered by the day that is asked for."""

    code: str
    name_zh: str
    name_en: str
    mode: str
    starts_on: date
    ends_on: date


class PlanOverview(BaseModel):
    """The plan on the day that is asked for."""

    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    state: Annotated[str, Field(examples=["in-force"])]
    phase: PhaseNow | None
    days_left: int
    """Days from the day asked for to the plan's last; negative once it has ended."""
    items: int
    milestones: Milestones
    progress: Progress
    original_scope: Progress
    """Of all that was ever planned, with what was cancelled or merged since."""
    expected: Expected
    overdue: Overdue
    ratings: dict[Rating, int]
    """How many of its measures are rated so."""
    aspects: list[AspectProgress]


class Stamped(BaseModel):
    """Every answer says what it rests on."""

    stamp: Stamp


class PlanAnswer(Stamped):
    """A plan's overview."""

    plan: PlanOverview


class AspectsAnswer(Stamped):
    """A plan's aspects."""

    plan: str
    aspects: list[AspectProgress]


class MeasuresAnswer(Stamped):
    """A plan's measures in its own order."""

    plan: str
    measures: list[MeasureProgress]


class MeasureAnswer(Stamped):
    """One measure."""

    plan: str
    measure: MeasureProgress


class Lateness(BaseModel):
    """An item that has not ended by its day, or a milestone of it that is not verified by its own.

    By its code alone: what it is about and who answers for it, the service of measures tells whoever may know of it.
    """

    measure: str
    item: str
    """The item's code."""
    milestone: int | None
    """The milestone's number; null for the item itself."""
    due_on: date
    days: int
    """By how many days it is overdue on the day that is asked for."""
    reported: bool
    """Whether its owner says that it is done: then it waits for the judges."""


class OverdueAnswer(Stamped):
    """What is overdue, that for the longest first."""

    plan: str
    overdue: list[Lateness]
    next: str | None
    """Where the next page begins; null at the end."""
