"""Records that nobody can read come on every partition: each is parked and copied, and what comes after it goes on."""

from collections.abc import Sequence
from typing import Any

from common.kafka import plain_producer, quarantine_of
from eventually import eventually
from faults.clients import Load
from faults.evidence import INJECTED, records_of
from faults.fault import Fault
from faults.poisons import TEN_MEGABYTES, let_in, poisons
from faults.servers import PARTITIONS
from faults.stack import TOPIC, FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Put all of them on every partition (the largest on one), and see them parked while commands go on."""
    bootstrap, put = stack.servers.kafka.bootstrap, 0
    await let_in(bootstrap, TOPIC, 2 * TEN_MEGABYTES)
    producer = plain_producer(bootstrap, "faults")
    await producer.start()
    for partition in range(PARTITIONS):
        for _, headers, value in poisons():
            if partition == 0 or len(value) < TEN_MEGABYTES:
                marked = [*headers, (INJECTED, b"poison")]
                await producer.send_and_wait(TOPIC, value, key=b"faults", headers=marked, partition=partition)
                put += 1
    await producer.stop()
    await load.after(100)
    await _parked(stack, put)
    return f"{put} records are parked: {', '.join(kind for kind, *_ in poisons())}"


async def _parked(stack: FaultStack, expected: int) -> None:
    async def all_of_them() -> bool:
        return bool(await stack.ask("events", "SELECT count(*) FROM parked WHERE copied") == expected)

    await eventually(all_of_them, seconds=30)


async def copied(stack: FaultStack, _load: Load) -> list[str]:
    """Each is in quarantine as it came, with the reason."""
    bootstrap = stack.servers.kafka.bootstrap
    there = [record for record in await records_of(bootstrap, TOPIC) if INJECTED in dict(record.headers)]
    copies = await records_of(bootstrap, quarantine_of(TOPIC))
    missing = _values(there) - _values(copies)
    unexplained = [record.offset for record in copies if "kegai-reason" not in dict(record.headers)]
    return [
        *(f"{record_id!r} is not in quarantine" for record_id, _ in sorted(missing, key=repr)),
        *(f"copy {offset} does not say why it was parked" for offset in unexplained),
    ]


def _values(records: Sequence[Any]) -> set[tuple[bytes | None, bytes | None]]:
    return {(dict(record.headers).get("ce_id"), record.value) for record in records}


FAULT = Fault(inject=inject, within_s=5, check=copied)
