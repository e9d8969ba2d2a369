"""What a client says to the commands of an item."""

from datetime import date
from decimal import Decimal

from common.contracts import Code, Text, Title
from common.contracts.measures import Focus, MilestoneKind
from common.http import Body, Command, Day
from pydantic import Field

from measures.item.milestone import PlannedMilestone


class MilestoneGiven(Body):
    """A milestone as it is planned."""

    number: int = Field(ge=1, le=99)
    title_zh: Title
    title_en: Title
    kind: MilestoneKind = MilestoneKind.QUALITATIVE
    required: bool = True
    weight: Decimal = Field(default=Decimal(1), ge=0, le=1000, max_digits=8, decimal_places=4)
    """Its weight among the item's milestones; a decimal as a string."""
    planned_on: Day

    def as_planned(self) -> PlannedMilestone:
        """In the domain's words."""
        return PlannedMilestone(**self.model_dump(include=set(PlannedMilestone.__slots__)))


class MilestonePlan(MilestoneGiven, Command):
    """A further milestone."""


class ItemAddition(Command):
    """An item as it is put on the list; units are named by their codes."""

    plan: Code
    measure: Code
    code: Code
    title_zh: Title
    title_en: Title
    owner: Code
    co_units: tuple[Code, ...] = Field(default=(), max_length=50)
    responsible_post: Title | None = None
    problem: Text
    deliverable: Text
    effect: Text
    focus: Focus
    planned_start_on: Day
    due_on: date
    milestones: tuple[MilestoneGiven, ...] = Field(default=(), max_length=50)


class Claim(Command):
    """What the owner says is done."""

    claim: Text


class Reason(Command):
    """Why."""

    reason: Text


class ReasonWithAuthority(Reason):
    """Why, and by which decision or document."""

    authority: Title


class Attainment(Command):
    """On which day the milestone was attained."""

    attained_on: Day
    note: Text | None = None


class NewDate(Reason):
    """For which day it is planned now, and why."""

    planned_on: Day
