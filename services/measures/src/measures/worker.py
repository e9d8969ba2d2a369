"""What measures does beside answering."""

from common.directory import DirectoryCopy, copy_of
from common.settings import Settings
from common.worker import run_worker


async def run(settings: Settings) -> None:
    """Publish what was decided and keep the copy of the directory, until told to stop."""
    await run_worker(settings, service="measures", copies=[DirectoryCopy(copy_of("measures"))])
