"""Which owners are to be reminded of their items by a day, and have not been."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Final

import asyncpg

from common.due import Due
from measures.item.domain import Item
from measures.item.reminder import (
    LAPSED_AFTER_DAYS,
    REMINDED_DAYS_AFTER_DUE,
    REMINDERS_APART_DAYS,
    remind_on_its_day,
)
from measures.item.rules import WITH_OWNER
from measures.item.store import items

DUE: Final = """
SELECT item.id, item.due_on, item.due_on + days AS remind_on
FROM item LEFT JOIN measure ON measure.plan = item.plan AND measure.code = item.measure
CROSS JOIN unnest($1::int[]) AS days
WHERE item.due_on BETWEEN $6::date AND $7::date
AND item.state = ANY($2::text[]) AND item.due_on + days BETWEEN $3::date - $4::int AND $3::date
AND measure.state IS DISTINCT FROM 'suspended'
AND item.due_on + days >= greatest(item.since, (item.schedule->>'since')::date, measure.since)
AND item.due_on + days >= coalesce(item.reminded_on + $5::int, item.due_on + days)
"""
"""Of a day on which the item was not yet with its owner, not yet due when it is now, or held up, nobody is reminded.
$6 and $7 follow from the rest, so that it goes by index."""


async def reminders_due(pool: asyncpg.Pool, today: date) -> Sequence[Due[Item]]:
    """The reminders whose day has come."""
    days = REMINDED_DAYS_AFTER_DUE
    earliest, latest = today - timedelta(days=LAPSED_AFTER_DAYS + max(days)), today - timedelta(days=min(days))
    rows = await pool.fetch(
        DUE, days, list(WITH_OWNER), today, LAPSED_AFTER_DAYS, REMINDERS_APART_DAYS, earliest, latest
    )
    return [
        Due(
            on=row["remind_on"],
            key=f"reminder/{row['id']}/{row['due_on']}/{row['remind_on']}",
            store=items,
            id=row["id"],
            decide=partial(remind_on_its_day, due_on=row["due_on"], on=row["remind_on"]),
        )
        for row in rows
    ]
