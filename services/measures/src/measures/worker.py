"""What measures does beside answering."""

from typing import Final

from common.directory import DirectoryCopy
from common.settings import Settings
from common.worker import run_worker

DIRECTORY_COPY: Final = "measures-directory"


async def run(settings: Settings) -> None:
    """Publish what was decided and keep the copy of the directory, until told to stop."""
    await run_worker(settings, service="measures", copies=[DirectoryCopy(DIRECTORY_COPY)])
