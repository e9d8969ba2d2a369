"""The broker stands still for a minute, its connections open: commands are accepted all the while."""

import asyncio

from faults.clients import Load, Rate
from faults.expectations import every_command_was_answered
from faults.fault import Fault
from faults.stack import FaultStack

FROZEN_SECONDS = 60


async def inject(stack: FaultStack, load: Load) -> str:
    """Freeze it for a minute."""
    frozen = await stack.servers.kafka_process.freeze()
    accepted = load.accepted
    await asyncio.sleep(FROZEN_SECONDS)
    return f"{frozen} for {FROZEN_SECONDS} s; {load.accepted - accepted} commands were accepted meanwhile"


async def heal(stack: FaultStack, _load: Load) -> str:
    """It goes on as if nothing had been."""
    return await stack.servers.kafka_process.resume()


FAULT = Fault(
    inject=inject, heal=heal, within_s=30, rate=Rate(per_second=40, minimum=1_000), check=every_command_was_answered
)
