"""The library ``eventsourcing`` with a projection of its own kind: it reads from its recorder and not from Kafka."""

import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from common.contracts import Event
from common.contracts.measures import (
    MilestoneCancelled,
    MilestonePlanned,
    MilestoneReported,
    MilestoneReturned,
    MilestoneVerified,
    ReformItemAdded,
)
from common.process import work
from common.settings import Settings

COUNTED: Final[dict[type[Event], tuple[int, int, int, int]]] = {
    ReformItemAdded: (1, 0, 0, 0),
    MilestonePlanned: (0, 1, 0, 0),
    MilestoneCancelled: (0, -1, 0, 0),
    MilestoneReported: (0, 0, 1, 0),
    MilestoneReturned: (0, 0, -1, 0),
    MilestoneVerified: (0, 0, 0, 1),
}
"""By how much an event changes a measure's items, milestones, and of these the reported and the verified."""
NOTHING: Final = (0, 0, 0, 0)
APPLIED: Final = "SELECT coalesce(max(notification_id), 0)::int FROM counts_tracking"


class Item(Aggregate):
    """An item, to which things happen."""

    class Happened(Aggregate.Event):
        """Something counts for a measure."""

        measure: str
        counts: tuple[int, int, int, int]

        def apply(self, aggregate: "Item") -> None:
            """An item keeps nothing of it."""


class Reform(Application[Any]):
    """The application whose events are projected."""

    def tell(self, lives: Iterable[tuple[str, list[Event]]]) -> None:
        """Record what happens to items, each with its measure."""
        for measure, life in lives:
            item = Item()
            for event in life:
                item.trigger_event(Item.Happened, measure=measure, counts=COUNTED.get(type(event), NOTHING))
            self.save(item)


class Counts(PostgresTrackingRecorder):
    """The view: counts by measure."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.check_identifier_length("counts")
        table = {"counts": SQL("{}.{}").format(Identifier(self.datastore.schema), Identifier("counts"))}
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {counts} "
                "(measure text PRIMARY KEY, items int, milestones int, reported int, verified int)"
            ).format(**table)
        )
        self._count = SQL(
            "INSERT INTO {counts} AS c VALUES (%s, %s, %s, %s, %s) ON CONFLICT (measure) DO UPDATE SET "
            "items = c.items + excluded.items, milestones = c.milestones + excluded.milestones, "
            "reported = c.reported + excluded.reported, verified = c.verified + excluded.verified"
        ).format(**table)

    def count(self, measure: str, counts: tuple[int, int, int, int], tracking: Tracking) -> None:
        """Count an event and note how far the application was read, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._count, (measure, *counts), prepare=True)


class CountsOfMeasures(Projection[Counts]):
    """From what happens to items to the counts of measures."""

    name = "counts"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Count whatever counts; the rest is tracked all the same."""
        if isinstance(domain_event, Item.Happened):
            self.view.count(domain_event.measure, domain_event.counts, tracking)
        else:
            self.view.insert_tracking(tracking)


def environment(url: str) -> dict[str, str]:
    """What the library needs to know of its database."""
    place = urlsplit(url)
    told = {"dbname": place.path[1:], "host": place.hostname, "port": str(place.port), "user": place.username,
            "password": place.password}  # fmt: skip
    return {"PERSISTENCE_MODULE": "eventsourcing.postgres"} | {
        f"POSTGRES_{name.upper()}": value for name, value in told.items() if value is not None
    }


def record(url: str, told: Sequence[tuple[bytes, Event]]) -> int:
    """Record what is told of items, given by their keys; the number of the last notification."""
    app = Reform(env=environment(url))
    app.tell(_lives(told))
    last = app.recorder.max_notification_id()
    app.close()
    return last or 0


def counted(told: Sequence[tuple[bytes, Event]]) -> dict[str, list[int]]:
    """The counts of each measure, straight from what was told."""
    found: dict[str, list[int]] = {}
    for measure, life in _lives(told):
        for event in life:
            changes = COUNTED.get(type(event), NOTHING)
            found[measure] = [sum(pair) for pair in zip(found.get(measure, NOTHING), changes, strict=True)]
    return found


def _lives(told: Iterable[tuple[bytes, Event]]) -> Iterator[tuple[str, list[Event]]]:
    """What happens to each item, with its measure."""
    by_item: dict[bytes, list[Event]] = {}
    for item, event in told:
        by_item.setdefault(item, []).append(event)
    for life in by_item.values():
        if isinstance(life[0], ReformItemAdded):
            yield life[0].measure, life


def main() -> None:
    """Project until told to stop."""
    settings = Settings()
    with ProjectionRunner(
        application_class=Reform,
        projection_class=CountsOfMeasures,
        view_class=Counts,
        env={**os.environ, **environment(settings.database_url)},
    ):
        uvloop.run(work(settings, loops=[], beating=[], checks={}))


if __name__ == "__main__":
    import_module("bench.baselines.eventsourced").main()  # the library looks classes up by their module's name
