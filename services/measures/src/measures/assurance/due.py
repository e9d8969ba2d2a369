"""Which ratings are to expire by a day, and have not."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import asyncpg

from common.due import Due
from measures.assurance.domain import Assurance
from measures.assurance.store import assurances


async def expiries_due(pool: asyncpg.Pool, today: date) -> Sequence[Due[Assurance]]:
    """The ratings whose day has come."""
    rows = await pool.fetch(
        "SELECT id, given_version, expires_on FROM assurance WHERE state = 'valid' AND expires_on <= $1", today
    )
    return [
        Due(
            on=row["expires_on"],
            key=f"assurance-expiry/{row['id']}@{row['given_version']}",
            store=assurances,
            id=row["id"],
            decide=partial(Assurance.expire, on=row["expires_on"]),
        )
        for row in rows
    ]
