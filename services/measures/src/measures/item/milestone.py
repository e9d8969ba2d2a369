"""A milestone (节点) within an item: planned, reported by the owner, judged by others; nothing said of it is erased."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.contracts.measures import MilestoneKind, MilestonePlanned
from common.decision import EFFECTIVE_BEFORE_PLAN, Kind, Refusal, Worded, must_follow

ATTAINED_LATER = Refusal(
    "milestone.attained-after-report",
    zh="达成日期 {attained_on} 晚于上报日期 {on}",
    en="It cannot be reported on {on} as attained later, on {attained_on}",
    kind=Kind.INVALID,
)


class MilestoneState(Worded):
    """Where a milestone stands; that it is overdue follows from dates and is never a state."""

    PLANNED = "planned", "已计划"
    REPORTED = "reported", "已上报"
    VERIFIED = "verified", "已核验"
    CANCELLED = "cancelled", "已取消"


@dataclass(frozen=True, slots=True)
class PlannedMilestone:
    """A milestone as it is planned: its number within the item, what it is, its weight among its siblings."""

    number: int
    title_zh: str
    title_en: str
    kind: MilestoneKind
    required: bool
    weight: Decimal
    planned_on: date

    def words(self) -> dict[str, Any]:
        """What was said when it was planned."""
        return {name: getattr(self, name) for name in PlannedMilestone.__slots__}

    def on_the_list(self, on: date) -> "Milestone":
        """The milestone as it stands on the day on which it is put into its item."""
        return Milestone(**self.words(), state=MilestoneState.PLANNED, since=on)

    def told(self, item: UUID, on: date) -> MilestonePlanned:
        """The event that tells of it."""
        return MilestonePlanned(item=item, **self.words(), effective_on=on)


@dataclass(frozen=True, slots=True)
class Milestone(PlannedMilestone):
    """A milestone as it stands now."""

    state: MilestoneState
    since: date
    """The day on which its last step took effect."""
    baselines: tuple[date, ...] = ()
    """The days it was planned for before, oldest first."""
    attained_on: date | None = None
    """The day it was attained, as reported; it counts from then, whenever somebody looked."""
    claim_version: int | None = None
    """The item's version that said the last word on whether it is attained; the next word replaces that one."""

    @property
    def counts(self) -> bool:
        """Whether it is in the denominators."""
        return self.state is not MilestoneState.CANCELLED

    def reported(self, *, attained_on: date, on: date, version: int, plan_starts_on: date) -> "Milestone":
        """The owner says that it was attained.

        :raises Refused: ``milestone.attained-after-report``, ``effective.before-plan``,
            ``effective.before-predecessor``.
        """
        must_follow(on, self.since)
        if attained_on > on:
            raise ATTAINED_LATER(pointer="/attained_on", attained_on=attained_on, on=on)
        if attained_on < plan_starts_on:
            raise EFFECTIVE_BEFORE_PLAN(pointer="/attained_on", on=attained_on, starts_on=plan_starts_on)
        return replace(self, state=MilestoneState.REPORTED, attained_on=attained_on, claim_version=version, since=on)

    def judged(self, state: MilestoneState, *, on: date, version: int) -> "Milestone":
        """A judgement on its report or on an earlier judgement; a day of attainment is kept only if it is verified.

        :raises Refused: ``effective.before-predecessor``.
        """
        must_follow(on, self.since)
        attained_on = self.attained_on if state is MilestoneState.VERIFIED else None
        return replace(self, state=state, attained_on=attained_on, claim_version=version, since=on)

    def rescheduled(self, planned_on: date, *, on: date) -> "Milestone":
        """It is planned for another day; the day before is kept.

        :raises Refused: ``effective.before-predecessor``.
        """
        must_follow(on, self.since)
        return replace(self, planned_on=planned_on, baselines=(*self.baselines, self.planned_on), since=on)

    def cancelled(self, *, on: date) -> "Milestone":
        """It leaves the denominators but stays listed.

        :raises Refused: ``effective.before-predecessor``.
        """
        must_follow(on, self.since)
        return replace(self, state=MilestoneState.CANCELLED, since=on)
