"""What talent does beside answering: publishes what it decided."""

from common.contracts import topic
from common.database import open_pool, reachable
from common.outbox import relays, watch_outbox
from common.process import work
from common.replies import keep_forgetting
from common.settings import Settings


async def run(settings: Settings) -> None:
    """Run until told to stop; ready while the database answers, whether or not Kafka does: the outbox waits."""
    async with await open_pool(settings.database_url, size_max=4, application="talent-worker") as pool:
        reigns = relays("talent", settings, topic("talent"))
        await work(
            settings,
            loops=[
                *(relay.run() for relay in reigns),
                watch_outbox(pool, settings.relay_slices),
                keep_forgetting(pool),
            ],
            beating=reigns,
            checks={"database": lambda: reachable(pool)},
        )
