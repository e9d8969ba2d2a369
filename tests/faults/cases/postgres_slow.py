"""PostgreSQL takes a third of a second for every answer, and connections are few: requests wait, and not for long."""

from faults.clients import Load, Rate
from faults.expectations import answered_in_time
from faults.fault import Fault
from faults.history import HarnessError
from faults.stack import FaultStack, Setup

DELAY_SECONDS = 0.3


async def inject(stack: FaultStack, load: Load) -> str:
    """Hold each answer back for a while."""
    for proxy in stack.proxies.values():
        proxy.delay_s = DELAY_SECONDS
    await load.after(40)
    delayed = sum(proxy.delayed for proxy in stack.proxies.values())
    if not delayed:
        raise HarnessError("no answer was delayed")
    return f"{delayed} answers of the databases came {DELAY_SECONDS} s late"


async def heal(stack: FaultStack, _load: Load) -> str:
    """Hold nothing back any more."""
    for proxy in stack.proxies.values():
        proxy.delay_s = 0
    return "the databases answer at once again"


FAULT = Fault(
    inject=inject,
    heal=heal,
    within_s=10,
    setup=Setup(prepare=FaultStack.put_proxies, environment={"KEGAI_POOL_MAX": "3"}),
    rate=Rate(clients=24),
    check=answered_in_time,
)
