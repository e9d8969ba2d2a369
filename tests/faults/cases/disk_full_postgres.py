"""The disk under PostgreSQL is full: commands get a clean 503 and nothing that was accepted is lost."""

import asyncio
from functools import partial

from faults.clients import Load
from faults.expectations import only_clean_words
from faults.fault import Fault
from faults.history import HarnessError, Unknown
from faults.small_disk import fill, free, small_disk
from faults.stack import FaultStack

FULL_SECONDS = 6


async def inject(stack: FaultStack, load: Load) -> str:
    """Fill it, and let clients knock for a while."""
    before = len(load.history.unknown())
    filled = await asyncio.to_thread(fill, stack.servers, "postgres")
    await asyncio.sleep(FULL_SECONDS)
    told = [one.outcome for one in load.history.unknown()[before:] if isinstance(one.outcome, Unknown)]
    refused = [one for one in told if one.status == 503]
    if not refused:
        raise HarnessError(f"no command was told 503 while the disk was full: {told[:3]}")
    return f"{filled}; {len(refused)} of {len(told)} commands without effect got a 503"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Make room; a server that could not even write its log is started again by its supervisor."""
    return await asyncio.to_thread(free, stack.servers, "postgres")


FAULT = Fault(
    inject=inject, heal=heal, within_s=15, servers=partial(small_disk, "postgres", 512), check=only_clean_words
)
