"""One event's way from request to view, with times, read from what is kept anyway: nothing is written for it."""

from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import orjson
from aiokafka import ConsumerRecord, TopicPartition
from sqlalchemy import Uuid

from common import tracing
from common.reading import ends_of, partition_of, read
from events.schema import metadata
from kegai.console import padded
from kegai.language import StackError, say
from kegai.operating.places import Place, Places

SKEW: Final = timedelta(seconds=10)
"""How far a broker's clock may be behind a service's, at most."""
HAS: Final = "SELECT to_regclass('public.' || $1) IS NOT NULL"
COMMITTED: Final = "CASE current_setting('track_commit_timestamp') WHEN 'on' THEN pg_xact_commit_timestamp({}.xmin) END"

EVENT: Final = f"""
SELECT event.*, {COMMITTED.format("event")} AS committed_at,
       EXISTS (SELECT FROM outbox WHERE outbox.position = event.position) AS waiting
FROM event WHERE event_id = $1 OR (aggregate_id = $2 AND aggregate_version = $3)
"""  # noqa: S608 - one constant within another

TAKEN_IN: Final = f"""
SELECT here.projection, here.next_offset, reached.version, {COMMITTED.format("reached")} AS at,
       parked.reason, parked.detail, parked.parked_at
FROM projection_offset here
LEFT JOIN projection_version reached ON reached.projection = here.projection AND reached.aggregate_id = $3
LEFT JOIN parked ON parked.projection = here.projection AND parked.topic = here.topic
    AND parked.partition = here.partition AND parked.record_offset = $4
WHERE here.topic = $1 AND here.partition = $2
ORDER BY here.projection
"""  # noqa: S608 - as above

KEPT: Final = " UNION ALL ".join(
    f"SELECT {COMMITTED.format(table.name)} AS at FROM {table.name} "  # noqa: S608 - declared names
    f"WHERE {next(iter(table.primary_key)).name} = $1 AND version = $2"
    for table in metadata.tables.values()
    if "version" in table.primary_key and isinstance(next(iter(table.primary_key)).type, Uuid)
)
"""Facts of one aggregate that bear the version of the event they follow from; they are inserted once and never touched
again."""

TOLD: Final = f"""
SELECT n, plan, measure, {COMMITTED.format("feed_change")} AS at FROM feed_change WHERE $1 = ANY(positions) ORDER BY id
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the way: what it is called, when it was reached if that is known, and what is to be said of it."""

    name: str
    at: datetime | None
    remark: str = ""
    reached: bool = True


@dataclass
class Trace:
    """The event's row, and the stations of its way as far as it has come."""

    place: Place
    event: asyncpg.Record
    steps: list[Step] = field(default_factory=list)

    @property
    def position(self) -> str:
        """``<id>@<version>``."""
        return f"{self.event['aggregate_id']}@{self.event['aggregate_version']}"


async def trace(places: Places, asked: str) -> Trace:
    """Follow an event by its id, or by ``<aggregate>@<version>`` as the reply of a command names it.

    Raises:
        StackError: no service has such an event, or what was asked is neither.
    """
    found = await _event(places, asked)
    event, place = found.event, found.place
    found.steps.append(Step(say("请求受理", "request taken"), event["recorded_at"]))
    found.steps.append(Step(say("已提交", "committed"), event["committed_at"], _unless_kept(event["committed_at"])))
    record = await _record(place, event)
    if record is None:
        found.steps.append(_not_sent(event))
        return found
    where = f"{place.topic}[{record.partition}]@{record.offset}"
    found.steps.append(Step(say("已发至 Kafka", "sent to Kafka"), _instant(record.timestamp), where))
    for url in places.databases.values():
        await _follow_into(found, url, record)
    return found


async def _event(places: Places, asked: str) -> Trace:
    identity, _, version = asked.partition("@")
    try:
        key = (UUID(identity), int(version)) if version else (UUID(identity), None)
    except ValueError:
        raise StackError(
            f"{asked}：应为事件标识，或 <对象标识>@<版本>。",
            f"{asked}: give an event's id, or <aggregate id>@<version>.",
        ) from None
    for place in places.deciding():
        connection = await asyncpg.connect(place.database_url, timeout=5)
        try:
            event_id, aggregate = (None, key[0]) if version else (key[0], None)
            if row := await connection.fetchrow(EVENT, event_id, aggregate, key[1]):
                return Trace(place, row)
        finally:
            connection.terminate()
    raise StackError(f"没有事件 {asked}。", f"No service has an event {asked}.")


async def _record(place: Place, event: asyncpg.Record) -> ConsumerRecord | None:
    """The event's first record, sought where it must be: in its key's partition, from when it was recorded on."""
    ends = await ends_of(place.bootstrap, place.topic)
    partition = TopicPartition(place.topic, partition_of(str(event["aggregate_id"]).encode(), len(ends)))
    since = int((event["recorded_at"] - SKEW).timestamp() * 1000)
    wanted = ("ce_id", str(event["event_id"]).encode())
    async with aclosing(read(place.bootstrap, {partition: ends[partition]}, since)) as batches:
        async for records in batches:
            for record in records:
                if wanted in record.headers:
                    return record
    return None


def _not_sent(event: asyncpg.Record) -> Step:
    waits = say("仍在待发布队列中", "still waits in the outbox")
    lacks = say("主题上没有（kegai republish）", "not on the topic (kegai republish)")
    return Step(say("发至 Kafka", "sent to Kafka"), None, waits if event["waiting"] else lacks, reached=False)


async def _follow_into(found: Trace, url: str, record: ConsumerRecord) -> None:
    """What became of the record in one service's projections, if it has any."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        if not await connection.fetchval(HAS, "projection_offset"):
            return
        has_feed = await connection.fetchval(HAS, "feed_change")
        aggregate, version = found.event["aggregate_id"], found.event["aggregate_version"]
        kept = await connection.fetchrow(KEPT, aggregate, version) if has_feed else None
        for row in await connection.fetch(TAKEN_IN, record.topic, record.partition, aggregate, record.offset):
            found.steps.append(_taken_in(row, version, record.offset, kept["at"] if kept else None))
        if has_feed:
            found.steps += [_told(row) for row in await connection.fetch(TOLD, found.position)]
    finally:
        connection.terminate()


def _taken_in(row: asyncpg.Record, version: int, offset: int, kept_at: datetime | None) -> Step:
    """Where a projection stands with this event; ``kept_at`` is when a fact that follows from it was committed."""
    name, applied = row["projection"], say("进入视图", "applied")
    if row["reason"]:
        return Step(
            say("已搁置", "parked"), row["parked_at"], f"{name}: {row['reason']}: {row['detail']}", reached=False
        )
    if (row["version"] or 0) >= version:
        at = kept_at or (row["at"] if row["version"] == version else None)
        by = say("不晚于 ", "not later than ") + _clock(row["at"]) if row["at"] else _unless_kept(None)
        return Step(applied, at, name if at else f"{name}: {by}")
    if row["next_offset"] <= offset:
        before = offset - row["next_offset"]
        waits = say(f"尚未消费，其前约 {before} 条", f"not taken in yet, some {before:,} records come before it")
        return Step(applied, None, f"{name}: {waits}", reached=False)
    return Step(applied, None, f"{name}: " + say("与其无关", "passed over, it does not concern it"), reached=False)


def _told(row: asyncpg.Record) -> Step:
    about, name = f"{row['plan']} {row['measure']}", say("实时流", "on the stream")
    if row["n"] is None:
        return Step(name, None, say(f"{about}：尚未编号", f"{about}: has no number yet"), reached=False)
    return Step(name, row["at"], say(f"{about}，编号 {row['n']}", f"{about}, number {row['n']}"))


def _unless_kept(at: datetime | None) -> str:
    unless = say("未保留提交时间（track_commit_timestamp）", "times of commit are not kept (track_commit_timestamp)")
    return "" if at else unless


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def told(found: Trace) -> str:
    """What the event is, then each station with its instant and the milliseconds since the request was taken."""
    event, headers = found.event, orjson.loads(found.event["headers"])
    traced = tracing.Trace.read(headers.get("traceparent"))
    about = {
        say("事件", "event"): f"{event['event_id']}  {event['type']}",
        say("对象", "aggregate"): f"{event['aggregate_type']} {found.position}",
        say("生效", "effective on"): event["effective_on"].isoformat(),
        say("操作者", "actor"): event["actor"],
        say("关联", "correlation"): event["correlation"] or "–",
        say("起因", "causation"): event["causation"] or "–",
        say("追踪", "trace id"): traced.trace_id if traced else "–",
    }
    lines = [f" {padded(name, 14)}{text}" for name, text in about.items()]
    return "\n".join([*lines, "", *(_line(step, event["recorded_at"]) for step in found.steps)])


def _line(step: Step, start: datetime) -> str:
    when = " " * 39
    if step.at:
        when = f"{_clock(step.at)} {(step.at - start).total_seconds() * 1000:>+8,.1f} ms"
    return f" {'✓' if step.reached else '·'} {padded(step.name, 14)}{when}  {step.remark}".rstrip()
