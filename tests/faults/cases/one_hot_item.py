"""Everybody's commands meet on one item, by two doors: each is decided on what the one before it has left."""

from itertools import pairwise

from faults.clients import Load, Rate
from faults.fault import Fault
from faults.stack import FaultStack, Setup


async def inject(_stack: FaultStack, load: Load) -> str:
    """Let the clients meet."""
    await load.after(300)
    commands = sorted((one.sent_at, one.done_at) for one in load.history.commands)
    met = sum(later[0] < one[1] for one, later in pairwise(commands))
    return f"{met} commands were sent while another one on the same item was under way" if met else ""


FAULT = Fault(inject=inject, within_s=5, setup=Setup(items=1), rate=Rate(clients=16, per_second=200))
