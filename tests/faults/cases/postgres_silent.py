"""PostgreSQL is there and does not answer, until all connections are in use: nobody waits for it over five seconds."""

import asyncio

from faults.clients import Load
from faults.expectations import answered_in_time
from faults.fault import Fault
from faults.history import HarnessError
from faults.stack import FaultStack, Setup

SILENT_SECONDS = 8


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold every answer of the databases back."""
    before = {name: proxy.passed for name, proxy in stack.proxies.items()}
    for proxy in stack.proxies.values():
        proxy.answers.clear()
    known = len(load.history.unknown())
    await asyncio.sleep(SILENT_SECONDS)
    given_up = len(load.history.unknown()) - known
    asked = sum(proxy.passed - before[name] for name, proxy in stack.proxies.items())
    if not (given_up and asked):
        raise HarnessError(f"{asked} bytes were asked and {given_up} requests given up: the silence had no effect")
    return f"for {SILENT_SECONDS} s {asked} bytes were asked of the databases and nothing answered; {given_up} gave up"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Let the answers go."""
    for proxy in stack.proxies.values():
        proxy.answers.set()
    return "the databases answer again"


FAULT = Fault(
    inject=inject,
    heal=heal,
    within_s=10,
    setup=Setup(prepare=FaultStack.put_proxies, environment={"KEGAI_POOL_MAX": "3"}),
    check=answered_in_time,
)
