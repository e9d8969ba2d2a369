"""The one projection of this service: in a batch's transaction facts are kept, measures computed, changes noted."""

import gc
from collections.abc import Sequence
from typing import Final

from common.cloudevents import Recorded
from common.contracts import Event, talent, topic
from common.contracts import measures as told
from common.database import Connection, open_pool, reachable
from common.process import work
from common.projection import Projector
from common.settings import Settings
from events import facts, feed
from events.tables import PROJECTION
from events.views import progress

UNPROJECTED: Final[dict[type[Event], str]] = {
    told.ClosedPlanAmended: "moves no figure, and no view shows what was put right",
    told.LocalPlanDrafted: "no view shows local plans yet",
    told.LocalPlanRedrafted: "no view shows local plans yet",
    told.LocalPlanSubmitted: "no view shows local plans yet",
    told.LocalPlanReturned: "no view shows local plans yet",
    told.LocalPlanFiled: "no view shows local plans yet",
    told.LocalPlanEnteredIntoForce: "no view shows local plans yet",
    told.LocalPlanClosed: "no view shows local plans yet",
    told.ExtensionRequested: "moves nothing before it is granted",
    told.ExtensionGranted: "ReformItemRescheduled tells what moves by it",
    told.ExtensionRefused: "moves nothing",
    told.ProgressNoted: "words, from which no figure follows",
    told.AssuranceExpired: "a rating tells its last day when it is given",
    told.ReformItemReminded: "tells an owner of a day that the item has told already",
    told.RiskReassessed: "no view weighs risks: it counts those that are open",
    told.EvidenceRegistered: "no view shows evidence yet",
    told.EvidenceLinked: "no view shows evidence yet",
    told.EvidenceUnlinked: "no view shows evidence yet",
    told.EvidenceVerified: "no view shows evidence yet",
    told.EvidenceRejected: "no view shows evidence yet",
    told.EvidenceInvalidated: "no view shows evidence yet",
    told.EvidenceSuperseded: "no view shows evidence yet",
    talent.ProgrammeDefined: "no view shows programmes yet",
    talent.ProgrammeActivated: "no view shows programmes yet",
    talent.ProgrammeRetired: "no view shows programmes yet",
}
"""Event types that are received and counted, and from which deliberately nothing follows, with the reason."""


COLLECT_AFTER: Final = 500_000
"""So many objects may be made before garbage is looked for: two batches need fewer, and go again by themselves."""


class ReformProgress:
    """From the facts of three services to the progress of the reform."""

    name = PROJECTION
    topics: tuple[str, ...] = (topic("measures"), topic("societies"), topic("talent"))
    concerns: frozenset[str] | None = None

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """Keep the facts first: what is computed afterwards is computed from them."""
        await facts.keep(connection, records)
        await feed.write(connection, await progress.refresh(connection, records))


async def run(settings: Settings) -> None:
    """Run until told to stop."""
    gc.collect()
    gc.freeze()  # what was made at start-up stays: no need to look through it again with every batch
    gc.set_threshold(COLLECT_AFTER)
    async with await open_pool(settings.database_url, size_max=4, application="events-projector") as pool:
        projector = Projector(
            ReformProgress(), pool=pool, bootstrap=settings.kafka_bootstrap, settled=lambda: feed.sequence(pool)
        )
        await work(settings, loops=[projector.run()], beating=[projector], checks={"database": lambda: reachable(pool)})
