"""What every deciding service does beside answering: it publishes, keeps its copies, and forgets old replies."""

from collections.abc import Sequence

from common.contracts import topic
from common.database import open_pool, reachable
from common.inbox import Projection
from common.outbox import relays, watch_outbox
from common.process import work
from common.projection import Projector
from common.replies import keep_forgetting
from common.settings import Settings


async def run_worker(settings: Settings, *, service: str, copies: Sequence[Projection] = ()) -> None:
    """Run until told to stop; ready while the database answers, whether or not Kafka does: the outbox waits.

    :param copies: what the service keeps of what others tell.
    """
    async with await open_pool(settings.database_url, size_max=4, application=f"{service}-worker") as pool:
        reigns = relays(service, settings, topic(service))
        keeping = [Projector(copy, pool=pool, bootstrap=settings.kafka_bootstrap) for copy in copies]
        await work(
            settings,
            loops=[
                *(relay.run() for relay in reigns),
                *(projector.run() for projector in keeping),
                watch_outbox(pool, settings.relay_slices),
                keep_forgetting(pool),
            ],
            beating=[*reigns, *keeping],
            checks={"database": lambda: reachable(pool)},
        )
