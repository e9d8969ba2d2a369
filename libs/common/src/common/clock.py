"""Instants in UTC and business dates in Shanghai; the only place where the time is asked for."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def business_date(instant: datetime) -> date:
    """The day in Shanghai on which an instant falls."""
    return instant.astimezone(SHANGHAI).date()


def seconds_until_midnight(instant: datetime) -> float:
    """How long it takes from an instant until the next day begins in Shanghai."""
    here = instant.astimezone(SHANGHAI)
    midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), SHANGHAI)
    return (midnight - here).total_seconds()


def timestamp(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC with microseconds: ``2026-11-23T02:00:00.000000Z``."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
