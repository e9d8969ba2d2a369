"""What a fault is made of: how it comes about, how it ends, and how soon everything must be well again."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from faults.clients import Load, Rate
from faults.servers import FaultServers
from faults.stack import FaultStack, Setup

Act: TypeAlias = Callable[[FaultStack, Load], Awaitable[str]]
"""Something that is done to the stack under load; what it returns proves that it took effect."""


async def nothing_to_heal(_stack: FaultStack, _load: Load) -> str:
    """For a fault that passes of itself, or that ``inject`` has already mended."""
    return ""


@dataclass(frozen=True)
class Fault:
    """One fault.

    :param heal: ends the cause: a server is there again, a process of ours was started (it need not be ready yet).
    :param within_s: so many seconds later a command that was given since, and all that were accepted before, must be
        in the view.
    """

    inject: Act
    within_s: float
    heal: Act = nothing_to_heal
    setup: Setup = field(default_factory=Setup)
    rate: Rate = field(default_factory=Rate)
    warm_up: int = 60
    """How many commands are accepted before anything is done."""
    servers: Callable[[Path], AbstractContextManager[FaultServers]] | None = None
    """Servers of the fault's own, in a folder that is given, where it does them harm that lasts."""
    check: Callable[[FaultStack, Load], Awaitable[list[str]]] | None = None
    """What must hold for this fault beside the invariants; what it finds wrong counts under I12."""

    def cut_down(self) -> "Fault":
        """The same fault with a small load, for a run beside other tests: how long it takes is no matter there."""
        return replace(
            self,
            rate=replace(self.rate, minimum=min(self.rate.minimum, 80)),
            setup=replace(self.setup, items=min(self.setup.items, 6)),
            warm_up=20,
            within_s=self.within_s * 10,
        )
