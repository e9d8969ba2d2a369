"""Every record comes three times: a reader of the topic drops what it has, and goes on where it was."""

import asyncio

from common.kafka import plain_producer
from faults.clients import Load
from faults.evidence import INJECTED, records_of
from faults.fault import Fault
from faults.stack import TOPIC, FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Put all that is on the topic there twice more, partition by partition in its order, between what is new."""
    records = await records_of(stack.servers.kafka.bootstrap, TOPIC)
    producer = plain_producer(stack.servers.kafka.bootstrap, "faults")
    await producer.start()
    try:
        put = [
            await producer.send(
                TOPIC,
                key=record.key,
                value=record.value,
                headers=[*record.headers, (INJECTED, b"repeat")],
                partition=record.partition,
            )
            for record in [*records, *records]
        ]
        await asyncio.gather(*put)
    finally:
        await producer.stop()
    await load.after(40)
    return f"{len(put)} records were put on the topic: each of {len(records)} twice more"


FAULT = Fault(inject=inject, within_s=5)
