"""Events as commands leave them: items with all that happened to them, interleaved, in a service's journal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from uuid_utils.compat import uuid7

from builders import JUDGE, NOON, OWNER, item_words
from common.cloudevents import GENESIS, Circumstances, headers_of, linked
from common.contracts import Event
from common.database import Connection
from common.decision import Change
from common.reading import ends_of, read
from measures.item.addition import add_item
from measures.item.domain import Item

PUBLIC_URL = "http://localhost:8080"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
COLUMNS = ("event_id", "aggregate_type", "aggregate_id", "aggregate_version", "type", "payload", "headers",
           "effective_on", "recorded_at", "actor", "correlation", "causation", "prev_hash", "hash")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """What stands on a topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def life_of_an_item() -> list[Event]:
    """From the list to its closing: assigned, acknowledged, started, its milestone reported and verified."""
    steps: list[Callable[[Item], Change[Item]]] = [
        lambda item: item.assign(by=None, on=date(2022, 1, 10)),
        lambda item: item.acknowledge(by=OWNER, on=date(2022, 1, 20)),
        lambda item: item.start(by=OWNER, on=date(2022, 2, 1)),
        lambda item: item.report_milestone(
            1, attained_on=date(2022, 6, 1), note=None, by=OWNER, on=date(2022, 6, 10)
        ),
        lambda item: item.verify_milestone(1, by=JUDGE, on=date(2022, 6, 20)),
        lambda item: item.report_done(claim="已完成", by=OWNER, on=date(2022, 7, 1)),
        lambda item: item.close(by=JUDGE, on=date(2022, 7, 10)),
    ]  # fmt: skip
    change: Change[Item] = add_item(**item_words())
    events = list(change.events)
    for step in steps:
        change = step(change.state)
        events += change.events
    return events


async def keep_events(pool: asyncpg.Pool, number: int) -> list[Record]:
    """Put so many events into the journal, none of which is queued; the records that they must become."""
    rows = rows_of_events(number)
    async with pool.acquire() as connection:
        await connection.copy_records_to_table("event", columns=COLUMNS, records=rows)
    return [record_of(row) for row in rows]


def record_of(row: tuple[Any, ...]) -> Record:
    """The record that a row of the journal must become."""
    told = orjson.loads(row[COLUMNS.index("headers")])
    key, payload = str(row[COLUMNS.index("aggregate_id")]).encode(), row[COLUMNS.index("payload")]
    return Record(key, payload, [(name, told[name].encode()) for name in sorted(told)])


async def queue_all(connection: Connection) -> None:
    """Put every event of the journal into the outbox, at one instant."""
    await connection.execute("INSERT INTO outbox (position, slice) SELECT position, 0 FROM event")


def rows_of_events(number: int) -> list[tuple[Any, ...]]:
    """So many rows of the journal, by ``COLUMNS``.

    All items take their first step, then all their second, as many hands at once would have it.
    """
    life = life_of_an_item()
    return list(islice(_rows([uuid7() for _ in range(-(-number // len(life)))], life), number))


def _rows(items: Sequence[UUID], life: Sequence[Event]) -> Iterator[tuple[Any, ...]]:
    hashes = dict.fromkeys(items, GENESIS)
    for version, event in enumerate(life, start=1):
        for item in items:
            about = Circumstances(
                id=uuid7(),
                aggregate_type="item",
                aggregate_id=item,
                version=version,
                recorded_at=NOON + timedelta(seconds=version),
                effective_on=date(2022, 1, version),
                actor=str(uuid4()),
                unit=OWNER.id,
                traceparent=TRACEPARENT,
            )
            told = event.model_copy(update={"item": item})
            headers, payload = headers_of(told, about, public_url=PUBLIC_URL), told.model_dump_json().encode()
            previous = hashes[item]
            hashes[item] = linked(previous, headers, payload)
            yield (about.id, "item", item, version, event.type, payload, orjson.dumps(headers).decode(),
                   about.effective_on, about.recorded_at, about.actor, None, None, previous, hashes[item])  # fmt: skip


async def read_back(bootstrap: str, topic: str) -> list[Record]:
    """All committed records of a topic, partition by partition."""
    found: list[Record] = []
    async for records in read(bootstrap, await ends_of(bootstrap, topic)):
        found += [Record(one.key, one.value, sorted(one.headers)) for one in records]
    return found


def in_order(records: Sequence[Record]) -> dict[bytes, list[Record]]:
    """What is told of each aggregate, in its order."""
    found: dict[bytes, list[Record]] = {}
    for record in records:
        found.setdefault(record.key, []).append(record)
    return found
