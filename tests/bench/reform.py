"""The events of a whole reform, as they stand on the topic: thousands of items on the way at once, over 15 measures."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from uuid_utils.compat import uuid7

from bench.backlog import PUBLIC_URL, TRACEPARENT, Record
from bench.baselines.producer import bare_producer, produce
from builders import JUDGE, NOON, OWNER, a_milestone, plan_words
from common.cloudevents import GENESIS, Circumstances, headers_of, linked
from common.contracts import CATALOGUE, Event
from common.contracts.measures import Aspect, Measure
from eventually import eventually
from measures.plan.domain import define_plan
from stories import Told, milestones

PARTITIONS = 6
ON_THE_WAY = 1_000
"""So many items are worked on at a time: one is begun when another is closed."""
ASPECTS = tuple(Aspect(code=code, name_zh=f"方面{code}", name_en=f"Aspect {code}") for code in "ABCDE")
MEASURES = tuple(
    Measure(code=f"{aspect.code}{n}", aspect=aspect.code, name_zh=f"举措{n}", name_en=f"Measure {n}")
    for aspect in ASPECTS
    for n in (1, 2, 3)
)
Step = tuple[Event, date]
"""An event, and the day from which it holds."""


def _lives() -> list[list[Step]]:
    """Three ways in which an item goes: smoothly, with a report that is sent back, with a change of the plan."""
    told = Told()
    smooth = told.item(milestones=milestones("1", "2", "2", "1"))
    for number in range(1, 5):
        smooth.attains(number, date(2022, 2, 1) + timedelta(days=30 * number))
    sent_back = told.item(milestones=milestones("1", "1.5", "1"))
    sent_back.reports(1, date(2022, 3, 1))
    sent_back.does("return_milestone", 1, reason="材料不全", by=JUDGE, on=date(2022, 4, 1))
    for number in range(1, 4):
        sent_back.attains(number, date(2022, 4, 1) + timedelta(days=30 * number))
    changed = told.item(milestones=milestones("1", "1", "1", "1"))
    changed.does("plan_milestone", a_milestone(5), on=date(2022, 3, 1))
    changed.does("cancel_milestone", 4, reason="合并", authority="2022-5", on=date(2022, 3, 2))
    for number in (1, 2, 3, 5):
        changed.attains(number, date(2022, 4, 1) + timedelta(days=30 * number))
    stories = (smooth, sent_back, changed)
    for story in stories:
        story.does("report_done", claim="已完成", by=OWNER, on=date(2023, 1, 10))
        story.does("close", by=JUDGE, on=date(2023, 1, 20))
    return [
        [(one.event, one.effective_on) for one in told.records if one.aggregate_id == story.item.id]
        for story in stories
    ]


@dataclass
class _Life:
    """One aggregate, and what it still has to tell."""

    kind: str
    id: UUID
    left: Sequence[Step]
    version: int = 0
    hash: bytes = GENESIS

    def tell(self) -> Record:
        event, effective_on = self.left[self.version]
        self.version += 1
        about = Circumstances(
            id=uuid7(),
            aggregate_type=self.kind,
            aggregate_id=self.id,
            version=self.version,
            recorded_at=NOON + timedelta(seconds=self.version),
            effective_on=effective_on,
            actor=str(uuid4()),
            unit=OWNER.id,
            correlation=str(uuid4()),
            traceparent=TRACEPARENT,
        )
        headers, payload = headers_of(event, about, public_url=PUBLIC_URL), event.model_dump_json().encode()
        self.hash = linked(self.hash, headers, payload)
        return Record(str(self.id).encode(), payload, [(name, text.encode()) for name, text in headers.items()])


def reform(items: int) -> Iterator[Record]:
    """A plan and everything that happens to so many items of it, about 20 events each, the same in every run."""
    planned = define_plan(**plan_words(aspects=ASPECTS, measures=MEASURES))
    yield _Life("plan", planned.state.id, [(event, planned.effective_on) for event in planned.events]).tell()
    dice, lives = random.Random(1), _lives()
    waiting = (partial(_an_item, number, lives[number % len(lives)]) for number in range(items))
    going = [begin() for _, begin in zip(range(ON_THE_WAY), waiting, strict=False)]
    while going:
        nth = dice.randrange(len(going))
        yield going[nth].tell()
        if going[nth].version == len(going[nth].left):
            going[nth] = begin() if (begin := next(waiting, None)) else going[-1]
            if begin is None:
                going.pop()


def _an_item(number: int, life: Sequence[Step]) -> _Life:
    item, measure = uuid7(), MEASURES[number % len(MEASURES)].code
    (added, on), *rest = life
    first = added.model_copy(update={"item": item, "measure": measure, "code": f"{measure}-{number}"})
    told = [(event.model_copy(update={"item": item}), day) for event, day in rest]
    return _Life("item", item, [(first, on), *told])


def event_of(record: Record) -> Event:
    """The event that a record tells of."""
    return CATALOGUE[dict(record.headers)["ce_type"].decode()].model_validate_json(record.value)


async def fill(bootstrap: str, topic: str, items: int) -> int:
    """Make a topic anew and write the reform to it; the number of its events."""
    await make_anew(bootstrap, topic)
    records = list(reform(items))
    producer = bare_producer(bootstrap)
    await producer.start()
    try:
        await produce(producer, topic, records)
    finally:
        await producer.stop()
    return len(records)


async def make_anew(bootstrap: str, *topics: str) -> None:
    """Make topics, empty, whether or not they were there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    wanted = [NewTopic(topic, PARTITIONS, 1) for topic in topics]

    async def made() -> bool:
        await admin.delete_topics(list(topics))
        return not [error for _, error, *_ in (await admin.create_topics(wanted)).topic_errors if error]

    try:
        await eventually(made, seconds=30)
    finally:
        await admin.close()
