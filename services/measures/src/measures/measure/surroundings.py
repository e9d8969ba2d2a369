"""What belongs to a measure, and what it knows of what stands beside it: its plan above and its items below."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from common.contracts.measures import Focus, Quality, ServiceTo, Tendency


@dataclass(frozen=True, slots=True)
class PutDown:
    """A measure as its plan puts it down; read beside it, so that it is always the plan's last word."""

    aspect: str
    name_zh: str
    name_en: str
    starts_on: date
    """The first day of the plan's period."""
    adopted_on: date | None
    """The day from which the plan binds; None while it is a draft."""
    closed: bool
    """Whether the plan is over."""
    added_on: date | None = None
    """The day of the revision that added it; None where it was there from the beginning."""

    @property
    def binds_from(self) -> date | None:
        """The day from which it binds; None while its plan is a draft."""
        return self.adopted_on and max(self.adopted_on, self.added_on or self.adopted_on)


@dataclass(frozen=True, slots=True)
class Work:
    """What the items of a measure amount to; read beside it."""

    items: int
    """How many it has."""
    started: bool
    """Whether one of them is under way or was verified and closed."""
    unfinished: int
    """How many of them have not ended."""
    units: tuple[UUID, ...] = ()
    """Their owners and co-units."""
    since: date | None = None
    """The last day on which a step of one of them took effect."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a measure is for, in the words of the reform, each word once and in the order of its list."""

    qualities: tuple[Quality, ...] = ()
    """强“三性”: the qualities that it strengthens."""
    tendencies: tuple[Tendency, ...] = ()
    """去“四化”: the tendencies that it removes."""
    services: tuple[ServiceTo, ...] = ()
    """“四服务”: whom or what it serves."""
    focus: tuple[Focus, ...] = ()
    """抓重点、补短板、强弱项: why it was chosen."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How a measure was judged."""

    score: Decimal
    """Points from 0 to 100."""
    reviewers: tuple[UUID, ...]
    """The units that reviewed it."""
