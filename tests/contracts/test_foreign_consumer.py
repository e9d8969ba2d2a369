"""Whoever knows Kafka, CloudEvents and JSON Schema, and nothing of our code, can read all that was told."""

import asyncio
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from jsonschema import Draft202012Validator

from builders import item_body, plan_body
from common.outbox import Relay
from doors import Door, open_door
from eventually import eventually
from kegai.tokens import Keys
from servers import Database
from serving import served

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "consumer.py"
MANDATORY = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataschema"}


@dataclass
class Told:
    """A topic on which measures has told a plan and its items, and where the schemas of that are served."""

    bootstrap: str
    topic: str
    api: str
    rows: list[tuple[str, str, int, bytes]]
    """Of each row of ``event``: the id, the aggregate, its version and the payload."""


@pytest.fixture
async def told(
    database_of: Callable[[str], Awaitable[Database]],
    keys: Keys,
    bootstrap: str,
    topic_of: Callable[..., Awaitable[str]],
) -> AsyncIterator[Told]:
    async with AsyncExitStack() as opened:
        events = await opened.enter_async_context(open_door(await database_of("events"), keys))
        api = await opened.enter_async_context(served(events.app, on_stop=events.app.state.broadcast.stop))
        measures = await opened.enter_async_context(open_door(await database_of("measures"), keys, public_url=api))
        await measures.learn_units()
        topic = await topic_of(3)
        relay = Relay(
            service=f"tests-{uuid4().hex}",
            slice_number=0,
            database_url=measures.database.app_url,
            bootstrap=bootstrap,
            topic=topic,
        )
        running = asyncio.create_task(relay.run())
        await tell(measures)

        async def all_published() -> bool:
            waiting: int = await measures.pool.fetchval("SELECT count(*) FROM outbox")
            return waiting == 0

        await eventually(all_published, seconds=30)
        running.cancel()
        rows = await measures.pool.fetch(
            "SELECT event_id::text, aggregate_id::text, aggregate_version, payload FROM event"
        )
        yield Told(bootstrap, topic, api, [tuple(row) for row in rows])


async def tell(measures: Door) -> None:
    """A plan in force, and four items: one as it is put on the list, one closed, and what may happen between."""
    office = measures.client_for("municipal-admin", "CQ")
    owner = measures.client_for("unit-reporter", "ORG")
    async with office, owner:
        plan = await asked(office, "/api/v1/plans", plan_body())
        await asked(office, f"{plan}/adopt", {"issuer": "市委", "document_number": "1", "effective_on": "2021-02-01"})
        await asked(office, f"{plan}/phases/P0/enter", {"effective_on": "2021-02-02"})
        for number in range(1, 5):
            item = await asked(office, "/api/v1/items", item_body(code=f"A1-0{number}"))
            steps = [(office, "assign", {}), (owner, "acknowledge", {}), (owner, "start", {}),
                     (owner, "milestones/1/report", {"attained_on": "2022-06-01"}),
                     (office, "milestones/1/return", {"reason": "材料不全"}),
                     (owner, "milestones/1/report", {"attained_on": "2022-06-02", "note": "补充后"}),
                     (office, "milestones/1/verify", {}), (owner, "report-done", {"claim": "已完成"}),
                     (office, "return", {"reason": "再核"}), (owner, "report-done", {"claim": "已完成"}),
                     (office, "close", {})]  # fmt: skip
            for client, step, body in steps[: 4 * (number - 1)]:
                await asked(client, f"{item}/{step}", body)


async def asked(client: httpx.AsyncClient, address: str, body: dict[str, Any]) -> str:
    """Send a command; the address of what it made, or its own."""
    reply = await client.post(address, json=body)
    assert reply.is_success, reply.text
    return str(reply.headers.get("location", address))


@dataclass
class Record:
    """A record as a plain consumer finds it."""

    partition: int
    key: str
    headers: dict[str, str]
    value: bytes


def record_of(message: Any) -> Record:
    """What is in a message, each header as text."""
    headers = {name: value.decode() for name, value in message.headers()}
    return Record(message.partition(), message.key().decode(), headers, message.value())


def read_all(bootstrap: str, topic: str) -> list[Record]:
    """Every record of a topic from its beginning, each partition in its order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"foreign-{uuid4().hex}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    found, unread = [], set(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
    while unread:
        message = consumer.poll(10)
        assert message is not None, "nothing came for 10 s"
        if (error := message.error()) is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            unread.discard(message.partition())
            continue
        found.append(record_of(message))
    consumer.close()
    return found


async def test_a_foreign_consumer_reads_every_event_once_validated_and_in_order(told: Told) -> None:
    records = await asyncio.to_thread(read_all, told.bootstrap, told.topic)

    async with httpx.AsyncClient(base_url=told.api) as web:
        schemas = {"envelope": (await web.get("/events/schemas/envelope.v1.json")).json()}
        for address in {record.headers["ce_dataschema"] for record in records}:
            schemas[address] = (await web.get(urlsplit(address).path)).json()
    validators = {
        name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for name, schema in schemas.items()
    }
    for record in records:
        assert record.headers.keys() >= MANDATORY
        assert record.headers["ce_specversion"] == "1.0"
        assert record.key == record.headers["ce_subject"] == record.headers["ce_partitionkey"]
        assert record.headers["ce_type"] in record.headers["ce_dataschema"]
        validators["envelope"].validate(record.headers)
        validators[record.headers["ce_dataschema"]].validate(json.loads(record.value))

    versions, places = defaultdict(list), defaultdict(set)
    for record in records:
        versions[record.key].append(int(record.headers["ce_sequence"]))
        places[record.key].add(record.partition)
    assert all(found == [*range(1, len(found) + 1)] for found in versions.values())
    assert all(len(partitions) == 1 for partitions in places.values())
    assert len(versions) == 5

    def as_rows(record: Record) -> tuple[str, str, int, bytes]:
        return record.headers["ce_id"], record.key, int(record.headers["ce_sequence"]), record.value

    assert len(records) == len(told.rows)
    assert sorted(map(as_rows, records)) == sorted(told.rows)


async def test_a_foreign_consumer_can_check_the_hash_chain_by_its_description(told: Told) -> None:
    previous: dict[str, bytes] = defaultdict(lambda: bytes(32))
    for record in await asyncio.to_thread(read_all, told.bootstrap, told.topic):
        assert record.headers["ce_prevhash"] == previous[record.key].hex()
        covered = record.headers.keys() - {"ce_hash", "ce_prevhash", "ce_traceparent", "traceparent"}
        texts = [text.encode() for name in sorted(covered) for text in (name, record.headers[name])]
        prefixed = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
        digest = hashlib.sha256(previous[record.key] + prefixed + record.value).digest()
        assert record.headers["ce_hash"] == digest.hex()
        previous[record.key] = digest


async def example(told: Told) -> tuple[int, str, str]:
    """Run the sample consumer as its readers do; its exit status, what it printed and what it complained of."""
    command = [sys.executable, str(EXAMPLE), "--bootstrap", told.bootstrap, "--topic", told.topic]
    process = await asyncio.create_subprocess_exec(
        *command, "--api", told.api, "--until-end", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaint = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), complaint.decode()


async def test_the_sample_consumer_reads_it_all_and_finds_a_gap(told: Told) -> None:
    status, out, complaint = await example(told)
    assert (status, complaint) == (0, f"{len(told.rows)} events of 5 aggregates\n")
    assert len(out.splitlines()) == len(told.rows)

    record = (await asyncio.to_thread(read_all, told.bootstrap, told.topic))[0]
    await asyncio.to_thread(send, told, record)
    assert (await example(told))[0] == 0, "a repeat is passed over"

    record.headers["ce_sequence"] = f"{1000:020d}"
    await asyncio.to_thread(send, told, record)
    status, _, complaint = await example(told)
    assert status == 1
    assert "version 1000 came after" in complaint


async def test_the_sample_consumer_stops_at_data_that_does_not_fit_its_schema(told: Told) -> None:
    record = (await asyncio.to_thread(read_all, told.bootstrap, told.topic))[0]
    record.value = b"{}"
    await asyncio.to_thread(send, told, record)
    status, _, complaint = await example(told)
    assert status == 1
    assert "is a required property" in complaint


def send(told: Told, record: Record) -> None:
    """Put a record behind those that are there."""
    producer = Producer({"bootstrap.servers": told.bootstrap})
    producer.produce(
        told.topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=[(name, value.encode()) for name, value in record.headers.items()],
    )
    assert producer.flush(10) == 0
