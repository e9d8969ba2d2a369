"""PostgreSQL cannot be reached for some seconds: who asks is told so in time, and all find it again afterwards."""

import asyncio

from faults.clients import Load
from faults.expectations import answered_in_time
from faults.fault import Fault
from faults.history import HarnessError, Unknown
from faults.stack import FaultStack, Setup

AWAY_SECONDS = 8


async def inject(stack: FaultStack, load: Load) -> str:
    """Cut every connection to the databases and refuse new ones."""
    before, cut = len(load.history.unknown()), 0
    for proxy in stack.proxies.values():
        proxy.refuses = True
        cut += await proxy.cut_off()
    await asyncio.sleep(AWAY_SECONDS)
    refused = sum(proxy.refused for proxy in stack.proxies.values())
    told = [
        one for one in load.history.unknown()[before:] if isinstance(one.outcome, Unknown) and one.outcome.status == 503
    ]
    if not (cut and refused and told):
        raise HarnessError(f"{cut} connections cut, {refused} refused, {len(told)} requests answered with 503")
    return f"{cut} connections were cut and {refused} refused in {AWAY_SECONDS} s; {len(told)} requests got a 503"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Let connections through again."""
    for proxy in stack.proxies.values():
        proxy.refuses = False
    return "connections go through again"


FAULT = Fault(
    inject=inject, heal=heal, within_s=10, setup=Setup(prepare=FaultStack.put_proxies), check=answered_in_time
)
