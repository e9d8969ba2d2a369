"""What measures does beside answering."""

from collections.abc import Mapping
from typing import Final

from common.call import Service
from common.directory import DirectoryCopy, copy_of
from common.due import Clock, WhatIsDue
from common.settings import Settings
from common.worker import run_worker
from measures.assurance.due import expiries_due
from measures.item.due import reminders_due

DUE: Final[Mapping[str, WhatIsDue]] = {"assurance-expiry": expiries_due, "reminder": reminders_due}
"""What comes due in measures."""


async def run(settings: Settings) -> None:
    """Publish what was decided, keep the copy of the directory, do what has come due, until told to stop."""
    await run_worker(
        settings,
        service="measures",
        copies=[DirectoryCopy(copy_of("measures"))],
        beside=lambda pool: [Clock(Service("measures", pool, settings.public_url, settings.relay_slices), DUE)],
    )
