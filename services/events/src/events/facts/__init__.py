"""What is known, at the grain at which it happened, with both clocks: when it was true, and when it was recorded.

The rule for a question (``as_of``, ``known_at``): of the facts recorded by ``known_at`` leave out those that another
of them replaces; of the rest the latest with ``effective_on ≤ as_of`` counts, ties by version. Whatever is said about
whether a milestone is attained replaces the word before it, so the last word known decides, and from the day that
it names: a verified milestone counts from the day it was attained, not from the day somebody looked.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from common.cloudevents import Recorded
from common.contracts import Event
from common.database import Connection
from events.facts import items, judgements, measures, milestones, plans, units
from events.facts.plans import Rows
from events.tables import Base

FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = (
    plans.FACTS | items.FACTS | milestones.FACTS | measures.FACTS | judgements.FACTS | units.FACTS
)
"""Which facts follow from an event."""
COLUMNS: Final = {
    fact: (fact.__table__.name, [column.name for column in fact.__table__.columns])  # type: ignore[attr-defined]
    for fact in (*plans.KINDS, *items.KINDS, *milestones.KINDS, *measures.KINDS, *judgements.KINDS, *units.KINDS)
}
"""Each fact's table and its columns, in the order in which its rows name them."""


async def keep(connection: Connection, records: Sequence[Recorded]) -> None:
    """Keep the facts that follow from these events, in one copy for each table."""
    rows: dict[type[Base], list[tuple[Any, ...]]] = {}
    for record in records:
        if follow := FACTS.get(type(record.event)):
            for fact, values in follow(record, record.event):
                rows.setdefault(fact, []).append(values)
    for fact, found in rows.items():
        table, columns = COLUMNS[fact]
        await connection.copy_records_to_table(table, records=found, columns=columns)
