"""Two projectors compute one measure at the same moment: neither may overlook what the other is about to commit."""

import asyncio
from uuid import UUID

from confluent_kafka.admin import AdminClient

from builders import item_body, milestone_body
from common.reading import partition_of
from events.tables import PROJECTION
from eventually import eventually
from faults.clients import Load, Rate
from faults.fault import Fault
from faults.holds import held
from faults.servers import PARTITIONS
from faults.stack import TOPIC, FaultStack, Setup

MEASURE = "B1"
"""Of which the load has no item."""


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold the row of a measure until both want it, each with an event of an item that is the other's no business."""
    readers, items = await _readers(stack), dict[str, UUID]()
    while len(items) < 2:
        item = await stack.do("/api/v1/items", item_body(measure=MEASURE))
        await stack.shows(item, 2)
        items[readers[partition_of(str(item).encode(), PARTITIONS)]] = item
    async with held(stack, "events", f"SELECT FROM measure_progress WHERE measure = '{MEASURE}' FOR UPDATE") as row:
        for item in items.values():
            await stack.do(f"/api/v1/items/{item}/milestones", milestone_body(20))
        await row.has_waiting(2)
    await load.after(20)
    return f"two projectors waited for the row of {MEASURE} at once"


async def _readers(stack: FaultStack) -> dict[int, str]:
    """Which member of the group reads each partition, once all have a reader and there are two."""
    admin = AdminClient({"bootstrap.servers": stack.servers.kafka.bootstrap})

    def settled() -> dict[int, str]:
        group = admin.describe_consumer_groups([PROJECTION])[PROJECTION].result()
        theirs = [(member.member_id, member.assignment.topic_partitions) for member in group.members]
        read = {one.partition: reader for reader, ones in theirs for one in ones if one.topic == TOPIC}
        return read if len(read) == PARTITIONS and len(set(read.values())) == 2 else {}

    return await eventually(lambda: asyncio.to_thread(settled), seconds=30)


FAULT = Fault(
    inject=inject, within_s=5, setup=Setup(items=1, projectors=2), rate=Rate(clients=2, per_second=20, minimum=60)
)
