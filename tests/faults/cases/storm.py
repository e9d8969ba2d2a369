"""Under 300 commands a second for a minute relay, projector and broker are killed in turn, and started again."""

import asyncio
import time

from faults.clients import Load, Rate
from faults.fault import Fault
from faults.stack import FaultStack, Setup

LASTS_SECONDS = 60
BETWEEN_SECONDS = 8


async def inject(stack: FaultStack, load: Load) -> str:
    """Each is killed, and started as soon as it is dead."""
    began, before = time.monotonic(), load.accepted
    said = []
    for victim in (stack.the("measures", "worker"), stack.the("events", "projector")):
        await asyncio.sleep(BETWEEN_SECONDS)
        said += [await victim.kill(), victim.start_again()]
    await asyncio.sleep(BETWEEN_SECONDS)
    said.append(await stack.servers.kafka_process.kill())
    await asyncio.to_thread(stack.servers.kafka.start)
    await asyncio.sleep(max(0.0, began + LASTS_SECONDS - time.monotonic()))
    seconds = time.monotonic() - began
    said.append(f"{(load.accepted - before) / seconds:.0f} commands/s were accepted for {seconds:.0f} s")
    return "; ".join(said)


FAULT = Fault(
    inject=inject, within_s=30, setup=Setup(items=48), rate=Rate(clients=40, per_second=340, reads=0.05, minimum=6_000)
)
