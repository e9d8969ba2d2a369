"""Records that nobody can read come on every partition: each is parked and copied, and what comes after it goes on."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from builders import circumstances, wire
from common.contracts.measures import PlanAdopted
from common.kafka import plain_producer, quarantine_of
from eventually import eventually
from faults.clients import Load
from faults.evidence import INJECTED, records_of
from faults.fault import Fault
from faults.servers import PARTITIONS
from faults.stack import TOPIC, FaultStack

TEN_MEGABYTES = 10 * 1024 * 1024
Headers = list[tuple[str, bytes]]


def _event(plan: UUID, version: int) -> tuple[Headers, bytes]:
    adopted = PlanAdopted(plan=plan, issuer="x", document_number="1", adopted_on=date(2021, 2, 1))
    return wire(adopted, circumstances("plan", plan, version))


def poisons() -> list[tuple[str, Headers, bytes]]:
    """One of each kind, each of an aggregate of its own, and an event that waits behind the first."""
    made = {kind: uuid4() for kind in ("bad JSON", "unknown type", "newer schema", "missing header", "gap", "10 MB")}
    told = {kind: _event(plan, 1) for kind, plan in made.items()}

    def changed(kind: str, name: str, text: bytes | None) -> Headers:
        kept = [one for one in told[kind][0] if one[0] != name]
        return kept if text is None else [*kept, (name, text)]

    newer = dict(told["newer schema"][0])["ce_type"].replace(b".v1", b".v2")
    return [
        ("bad JSON", told["bad JSON"][0], b'{"plan": '),
        ("waits behind bad JSON", *_event(made["bad JSON"], 2)),
        ("unknown type", changed("unknown type", "ce_type", b"cqast.measures.nobody-knows.v1"), b"{}"),
        ("newer schema", changed("newer schema", "ce_type", newer), told["newer schema"][1]),
        ("missing header", changed("missing header", "ce_subject", None), told["missing header"][1]),
        ("version gap", *_event(made["gap"], 5)),
        ("10 MB", told["10 MB"][0], b'{"issuer": "' + b"x" * TEN_MEGABYTES + b'"}'),
    ]


async def inject(stack: FaultStack, load: Load) -> str:
    """Put all of them on every partition, and see that they are parked while commands go on."""
    bootstrap = stack.servers.kafka.bootstrap
    await _let_in(bootstrap, 16 * 1024 * 1024)
    producer = plain_producer(bootstrap, "faults")
    await producer.start()
    put = 0
    try:
        for partition in range(PARTITIONS):
            for kind, headers, value in poisons():
                if partition == 0 or kind != "10 MB":
                    marked = [*headers, (INJECTED, b"poison")]
                    await producer.send_and_wait(TOPIC, value, key=b"faults", headers=marked, partition=partition)
                    put += 1
    finally:
        await producer.stop()
    await load.after(100)
    await _parked(stack, put)
    return f"{put} records are parked: {', '.join(kind for kind, *_ in poisons())}"


async def _let_in(bootstrap: str, size: int) -> None:
    """Let the topic take records as large as this, which it refuses otherwise."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, {"max.message.bytes": str(size)})])
    finally:
        await admin.close()


async def _parked(stack: FaultStack, expected: int) -> None:
    events = await stack.connect("events")

    async def all_of_them() -> bool:
        return bool(await events.fetchval("SELECT count(*) FROM parked WHERE copied") == expected)

    try:
        await eventually(all_of_them, seconds=30)
    finally:
        await events.close()


async def copied(stack: FaultStack, _load: Load) -> list[str]:
    """Each is in quarantine as it came, with the reason."""
    bootstrap = stack.servers.kafka.bootstrap
    there = [record for record in await records_of(bootstrap, TOPIC) if dict(record.headers).get(INJECTED)]
    copies = await records_of(bootstrap, quarantine_of(TOPIC))
    missing = _values(there) - _values(copies)
    unexplained = [record.offset for record in copies if not dict(record.headers).get("kegai-reason")]
    return [f"{len(missing)} of {len(there)} are not in quarantine"] * bool(missing) + [
        f"copy {offset} does not say why it was parked" for offset in unexplained
    ]


def _values(records: Sequence[Any]) -> set[tuple[bytes | None, bytes | None]]:
    return {(dict(record.headers).get("ce_id"), record.value) for record in records}


FAULT = Fault(inject=inject, within_s=5, check=copied)
