"""What every deciding service does beside answering: it publishes, keeps its copies, and forgets old replies."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

import asyncpg

from common.contracts import topic
from common.database import open_pool, reachable
from common.inbox import Projection
from common.outbox import relays, watch_outbox
from common.process import Beating, work
from common.projection import Projector
from common.replies import keep_forgetting
from common.settings import Settings
from common.telemetry import log
from common.watching import TopicReplaced


class Loop(Beating, Protocol):
    """What runs for as long as the process does."""

    async def run(self) -> NoReturn:
        """Run for ever."""


async def run_worker(
    settings: Settings,
    *,
    service: str,
    copies: Sequence[Projection] = (),
    beside: Callable[[asyncpg.Pool], Sequence[Loop]] = lambda _pool: (),
) -> None:
    """Run until told to stop; ready while the database answers, whether or not Kafka does: the outbox waits.

    :param copies: what the service keeps of what others tell.
    :param beside: what else runs, on the same pool.
    """
    async with await open_pool(settings.database_url, size_max=4, application=f"{service}-worker") as pool:
        reigns = relays(service, settings, topic(service))
        keeping = [Keeping(copy, pool, settings.kafka_bootstrap) for copy in copies]
        others = beside(pool)
        await work(
            settings,
            loops=[
                *(relay.run() for relay in reigns),
                *(copy.run() for copy in keeping),
                *(other.run() for other in others),
                watch_outbox(pool, settings.relay_slices),
                keep_forgetting(pool),
            ],
            beating=[*reigns, *keeping, *others],
            checks={"database": lambda: reachable(pool), **{copy.name: copy.follows for copy in keeping}},
        )


class Keeping:
    """A copy, kept as long as it can be: when its topic was replaced it stands still, and publication goes on."""

    def __init__(self, copy: Projection, pool: asyncpg.Pool, bootstrap: str) -> None:
        self.name = copy.name
        self._projector = Projector(copy, pool=pool, bootstrap=bootstrap)
        self._stopped = ""

    @property
    def beat(self) -> float:
        """When the loop last came round; one that stands still for a known reason is not taken for hung."""
        return time.monotonic() if self._stopped else self._projector.beat

    async def run(self) -> None:
        """Keep the copy for ever, or stand still with the reason."""
        try:
            await self._projector.run()
        except TopicReplaced as reason:
            self._stopped = str(reason)
            log.error("copy.stopped", copy=self.name, reason=self._stopped)
            await asyncio.Event().wait()

    async def follows(self) -> str:
        """A readiness check: ``ok``, or why the copy no longer follows."""
        return self._stopped or "ok"
