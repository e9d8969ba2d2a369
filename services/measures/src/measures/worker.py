"""What measures does beside answering: publishes what it decided, and keeps its copy of the directory."""

from typing import Final

from common.contracts import topic
from common.database import open_pool, reachable
from common.directory import DirectoryCopy
from common.outbox import relays, watch_outbox
from common.process import work
from common.projection import Projector
from common.replies import keep_forgetting
from common.settings import Settings

DIRECTORY_COPY: Final = "measures-directory"


async def run(settings: Settings) -> None:
    """Run until told to stop; ready while the database answers, whether or not Kafka does: the outbox waits."""
    async with await open_pool(settings.database_url, size_max=4, application="measures-worker") as pool:
        reigns = relays("measures", settings, topic("measures"))
        directory = Projector(DirectoryCopy(DIRECTORY_COPY), pool=pool, bootstrap=settings.kafka_bootstrap)
        await work(
            settings,
            loops=[
                *(relay.run() for relay in reigns),
                watch_outbox(pool, settings.relay_slices),
                keep_forgetting(pool),
                directory.run(),
            ],
            beating=[*reigns, directory],
            checks={"database": lambda: reachable(pool)},
        )
