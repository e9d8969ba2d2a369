"""A door of measures dies in mid-request: whoever waited does not know, asks again elsewhere, and is told."""

from faults.clients import Load
from faults.fault import Fault
from faults.history import HarnessError, Unknown
from faults.stack import FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Kill one of the two while commands are on their way to it."""
    told = [await stack.the("measures", "api").kill()]
    await load.after(60)
    cut = [one for one in load.history.unknown() if isinstance(one.outcome, Unknown) and one.outcome.status is None]
    if not cut:
        raise HarnessError("no request was cut: nothing was on its way when the process died")
    return f"{told[0]}; {len(cut)} requests were cut or turned away"


async def heal(stack: FaultStack, _load: Load) -> str:
    """A supervisor starts it again."""
    return stack.the("measures", "api").start_again()


FAULT = Fault(inject=inject, heal=heal, within_s=5)
