"""Every record comes three times: a reader of the topic drops what it has, and goes on where it was."""

import asyncio

from common.kafka import plain_producer
from faults.clients import Load
from faults.evidence import INJECTED, records_of
from faults.fault import Fault
from faults.stack import TOPIC, FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Put all that is on the topic there twice more, between what is new."""
    bootstrap = stack.servers.kafka.bootstrap
    there = [await put_again(bootstrap, TOPIC), await put_again(bootstrap, TOPIC)]
    await load.after(40)
    return f"{sum(there)} records were put on the topic a second and a third time"


async def put_again(bootstrap: str, topic: str) -> int:
    """Put what a topic holds there once more, partition by partition in its order; how many records that are."""
    records = [record for record in await records_of(bootstrap, topic) if INJECTED not in dict(record.headers)]
    producer = plain_producer(bootstrap, "faults")
    await producer.start()
    try:
        put = [
            await producer.send(
                topic,
                key=record.key,
                value=record.value,
                headers=[*record.headers, (INJECTED, b"repeat")],
                partition=record.partition,
            )
            for record in records
        ]
        await asyncio.gather(*put)
    finally:
        await producer.stop()
    return len(records)


FAULT = Fault(inject=inject, within_s=5)
