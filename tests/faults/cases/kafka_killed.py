"""The broker is killed and started again: commands are accepted all the while, and wait in the outbox."""

import asyncio

from faults.clients import Load
from faults.expectations import every_command_was_answered
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Kill it, and let commands come while there is none."""
    dead = await stack.servers.kafka_process.kill()
    await load.after(300)
    return f"{dead}; 300 commands were accepted without it"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Start it: it recovers its logs."""
    await asyncio.to_thread(stack.servers.kafka.start)
    return "kafka is there again"


FAULT = Fault(inject=inject, heal=heal, within_s=30, check=every_command_was_answered)
