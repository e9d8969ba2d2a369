"""What is told of a reminder: the unit that owns an item was told of the day by which it is to be done."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from common.contracts import EffectiveOn
from common.contracts.measures.item import ItemId
from common.contracts.measures.words import MeasuresEvent


class ReminderCause(StrEnum):
    """Why the owner is reminded."""

    DUE_SOON = "due-soon"
    OVERDUE = "overdue"


class ReformItemReminded(MeasuresEvent):
    """The item's owner was reminded: it is due soon, or overdue."""

    item: ItemId
    owner: UUID
    """The unit that was reminded."""
    cause: ReminderCause
    due_on: date
    """The day by which it is to be done, as it stood then."""
    by: UUID | None = None
    """The unit that reminded it; none where it was the platform's own clock."""
    reminded_on: EffectiveOn
