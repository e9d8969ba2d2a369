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
from faults.history import HarnessError
from faults.servers import PARTITIONS
from faults.stack import OFFICE, TOPIC, FaultStack, Setup

MEASURE = "B1"
"""Of which the load has no item."""
WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted
AND pid IN (SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""How many wait for a lock in this database, as it is at this very moment."""


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold the row of a measure until both want it, each with an event of an item that is the other's no business."""
    items = await _an_item_for_each(stack)
    events = await stack.connect("events")
    try:
        async with events.transaction(), stack.client(stack.the("measures", "api").url, OFFICE) as office:
            await events.execute("SELECT FROM measure_progress WHERE measure = $1 FOR UPDATE", MEASURE)
            for item in items:
                await office.post(f"/api/v1/items/{item}/milestones", json=milestone_body(20))

            async def both_wait() -> bool:
                return bool(await events.fetchval(WAITING) == 2)

            await eventually(both_wait, seconds=4)
    finally:
        await events.close()
    await load.after(20)
    return f"two projectors waited for the row of {MEASURE} at once"


async def _an_item_for_each(stack: FaultStack) -> list[UUID]:
    """Two items of the measure, on partitions that are not read by the same projector."""
    readers = await _readers(stack)
    found: dict[str, UUID] = {}
    async with stack.client(stack.the("measures", "api").url, OFFICE) as office:
        while len(found) < 2:
            reply = await office.post("/api/v1/items", json=item_body(measure=MEASURE))
            if not reply.is_success:
                raise HarnessError(f"an item was refused: {reply.text}")
            item = reply.json()["id"]
            found[readers[partition_of(item.encode(), PARTITIONS)]] = UUID(item)

    async def known() -> bool:
        view = await stack.view()
        return all(view.get(item, 0) == 2 for item in found.values())

    await eventually(known)
    return list(found.values())


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
