"""What talent does beside answering."""

from common.settings import Settings
from common.worker import run_worker


async def run(settings: Settings) -> None:
    """Publish what was decided, until told to stop."""
    await run_worker(settings, service="talent")
