"""How a measure is rated and scored by its plan's policy: the first rule that holds decides, and which one is said."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from common import clock
from common.contracts.measures import Method, Thresholds
from common.database import Connection
from events.asked import Asked
from events.views.progress import Share


class Rating(StrEnum):
    """What is thought of a measure on a day, by its figures alone."""

    DONE = "done"
    GREY = "grey"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


NAMES: Final[dict[Rating, tuple[str, str]]] = {
    Rating.DONE: ("已验收", "accepted"),
    Rating.GREY: ("不评级", "not rated"),
    Rating.GREEN: ("正常", "on track"),
    Rating.YELLOW: ("预警", "behind"),
    Rating.RED: ("滞后", "far behind"),
}


class Because(StrEnum):
    """Which rule decided."""

    ACCEPTED = "accepted"
    NO_DATA = "no-data"
    SUSPENDED = "suspended"
    WITHIN_GREEN = "within-green"
    WITHIN_YELLOW = "within-yellow"
    BEYOND_YELLOW = "beyond-yellow"


@dataclass(frozen=True, slots=True)
class Policy:
    """By what is scored and rated; version 0 until a plan adopts one."""

    version: int = 0
    method: Method = field(default_factory=Method)
    thresholds: Thresholds = field(default_factory=Thresholds)


class Overdue(BaseModel):
    """How many items and milestones are overdue, and by how many days the longest of them is."""

    count: int = 0
    days: int = 0


class Expected(BaseModel):
    """What should be attained by the day that is asked for, and how far what is verified falls short of it.

    Shares between 0 and 1 as decimal strings to six places; a gap below 0 is a lead. Null is no data.
    """

    now: Share | None = None
    """By the milestones' planned days as they stand."""
    by_baseline: Share | None = None
    """By the days that they were planned for at first."""
    gap: Share | None = None
    """Expected by the days as they stand, less verified."""
    gap_by_baseline: Share | None = None


class Rated(BaseModel):
    """A computed rating, and how it came about."""

    rating: Rating
    name_zh: str
    name_en: str
    because: Because
    reason_zh: str
    reason_en: str
    policy_version: int
    """Version 0 is what holds until a plan adopts a policy."""


class Score(BaseModel):
    """A measure's score between 0 and 1, and of what it is made."""

    value: Share | None
    item_share: Decimal
    """The policy's share of the items' verified progress."""
    outcome_share: Decimal
    """The policy's share of the attainment of outcome indicators."""
    attainment: Share | None = None
    """The mean attainment of outcome indicators; null as long as there are none."""
    note_zh: str = "尚无成果指标，得分即事项的已核验进度"
    note_en: str = "There are no outcome indicators: the score is the items' verified progress alone"


def expected(now: Decimal | None, by_baseline: Decimal | None, verified: Decimal | None) -> Expected:
    """What is expected, with its gaps to what is verified; each to six places, as it is shown and compared."""
    return Expected(
        now=now, by_baseline=by_baseline, gap=_less(now, verified), gap_by_baseline=_less(by_baseline, verified)
    )


def _less(expected: Decimal | None, verified: Decimal | None) -> Decimal | None:
    if expected is None or verified is None:
        return None
    return (expected - verified).quantize(Decimal("0.000001"), ROUND_HALF_UP) + 0  # so that there is no -0


def overdue(count: int, earliest: date | None, on: date) -> Overdue:
    """What is overdue on a day, if the first of it was to be done by ``earliest``."""
    return Overdue(count=count, days=(on - earliest).days if earliest else 0)


def overdue_together(parts: Iterable[Overdue]) -> Overdue:
    """What is overdue in a whole."""
    parts = list(parts)
    return Overdue(count=sum(part.count for part in parts), days=max((part.days for part in parts), default=0))


def decided(state: str, gap: Decimal | None, late: Overdue, up_to: Thresholds) -> tuple[Rating, Because]:
    """The first that holds of done, grey, green, yellow and red; ``state`` is the last that was told of the measure.

    Grey by staleness is not applied: it is counted in reporting periods, and there are none.
    """
    if state == "accepted":
        return Rating.DONE, Because.ACCEPTED
    if state == "suspended":
        return Rating.GREY, Because.SUSPENDED
    if gap is None:
        return Rating.GREY, Because.NO_DATA
    if gap * 100 <= up_to.green_gap and not late.count:
        return Rating.GREEN, Because.WITHIN_GREEN
    if gap * 100 <= up_to.yellow_gap and late.days <= up_to.yellow_overdue_days:
        return Rating.YELLOW, Because.WITHIN_YELLOW
    return Rating.RED, Because.BEYOND_YELLOW


def rated(state: str, gap: Decimal | None, late: Overdue, policy: Policy) -> Rated:
    """A measure's rating with its reason in both languages."""
    rating, because = decided(state, gap, late, policy.thresholds)
    names, reason = NAMES[rating], _reason(because, gap, late)
    return Rated(
        rating=rating, name_zh=names[0], name_en=names[1], because=because, reason_zh=reason[0], reason_en=reason[1],
        policy_version=policy.version,
    )  # fmt: skip


def _reason(because: Because, gap: Decimal | None, late: Overdue) -> tuple[str, str]:
    if because is Because.ACCEPTED:
        return "举措已通过验收", "The measure was accepted"
    if because is Because.SUSPENDED:
        return "举措已暂停", "The measure is suspended"
    if gap is None:
        return "没有可计算进度的事项", "There is nothing to compute progress from"
    points = f"{gap * 100:f}".rstrip("0").rstrip(".")
    if not late.count:
        return f"差距 {points} 个百分点，无逾期", f"Gap: {points} percentage points; nothing is overdue"
    return (
        f"差距 {points} 个百分点；逾期 {late.count} 项，最长 {late.days} 天",
        f"Gap: {points} percentage points; overdue: {late.count}, the longest by {late.days} days",
    )


def scored(verified: Decimal | None, policy: Policy) -> Score:
    """A measure's score: the items' term alone, taken whole, as long as there are no outcome indicators."""
    method = policy.method
    return Score(value=verified, item_share=method.item_share, outcome_share=method.outcome_share)


async def policy_of(connection: Connection, plan: UUID, question: Asked) -> Policy:
    """The policy that is in force on the day that is asked for, as known then; the present one if that is asked for."""
    now = clock.now()
    then = (clock.business_date(now), now) if question.present_policy else (question.as_of, question.known_at)
    row = await connection.fetchrow(
        "SELECT * FROM scoring_policy WHERE plan = $1 AND effective_on <= $2 AND recorded_at <= $3 "
        "ORDER BY effective_on DESC, version DESC LIMIT 1",
        plan,
        *then,
    )
    if row is None:
        return Policy()
    return Policy(
        row["policy_version"],
        Method(**{name: row[name] for name in Method.model_fields}),
        Thresholds(**{name: row[name] for name in Thresholds.model_fields}),
    )
