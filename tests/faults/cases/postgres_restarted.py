"""PostgreSQL is stopped at once, without a checkpoint (immediate shutdown), and started again."""

import asyncio
import signal

from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack

AWAY_SECONDS = 3


async def inject(stack: FaultStack, _load: Load) -> str:
    """End it by SIGQUIT, and leave it dead for a while."""
    dead = await stack.servers.postgres_process.kill(signal.SIGQUIT)
    await asyncio.sleep(AWAY_SECONDS)
    return f"{dead}, and away for {AWAY_SECONDS} s"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Start it: it recovers from its log."""
    await asyncio.to_thread(stack.servers.postgres.start)
    return "postgres takes queries again"


FAULT = Fault(inject=inject, heal=heal, within_s=10)
