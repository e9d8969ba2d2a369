"""The database commits and its word is lost on the way: who asked does not know, and asks again with the key."""

from faults.clients import Load
from faults.fault import Fault
from faults.history import HarnessError
from faults.stack import FaultStack, Setup

LOST = 30


async def inject(stack: FaultStack, load: Load) -> str:
    """Let saves through, swallow the answers and cut the connections they were to come by."""
    proxy, uncertain = stack.proxies["measures"], len(load.history.unknown())
    proxy.to_cut = LOST
    await load.after(150)
    uncertain = len(load.history.unknown()) - uncertain
    if proxy.cut < LOST or uncertain < LOST:
        raise HarnessError(
            f"{proxy.cut} answers were lost and {uncertain} clients did not know; {LOST} were meant to be"
        )
    return f"{proxy.cut} answers to saves that are committed were lost; {uncertain} requests ended without an answer"


FAULT = Fault(inject=inject, within_s=5, setup=Setup(prepare=FaultStack.put_proxies))
