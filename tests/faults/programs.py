"""A service's process under faults: started with or without a mutant and a failpoint, and ready or an error."""

import asyncio
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from faults.history import HarnessError
from faults.victim import Victim
from kegai.local.ports import LOOPBACK
from kegai.local.process import NotStartedError, Process
from kegai.local.readiness import readiness

TESTS = Path(__file__).resolve().parents[1]
READY_SECONDS = 60.0


@dataclass
class Program(Victim):
    """``python -m <service> <role>``, one of several."""

    process: Process
    service: str
    role: str
    port: int
    """Its door's port; the operators' is the next."""
    environment: dict[str, str] = field(repr=False)
    mutant: str | None = None
    """One textual replacement in a real module, by its name in ``faults.launch``; it is kept over restarts."""
    wanted: bool = False
    """Whether it was started and nobody has stopped it in order."""

    @property
    def url(self) -> str:
        """The address of its door."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def ops_port(self) -> int:
        """Where it says whether it lives and is ready."""
        return self.port + 1

    def start(self, failpoint: str | None = None) -> None:
        """Start it, with a failpoint of ``faults.launch`` for this life only."""
        told = {**self.environment, "KEGAI_PORT": str(self.port), "KEGAI_OPS_PORT": str(self.ops_port)}
        launch: list[str] = []
        if self.mutant or failpoint:
            chosen = (("--mutant", self.mutant), ("--failpoint", failpoint))
            launch = ["faults.launch", *(word for flag, name in chosen if name for word in (flag, name))]
            told["PYTHONPATH"] = str(TESTS)
        self.process.start([sys.executable, "-m", *launch, self.service, self.role], environment=told)
        self._held, self.wanted = self.process.running(), True

    async def ready(self, *, seconds: float = READY_SECONDS) -> None:
        """Wait until it says that it is ready.

        :raises HarnessError: it ended, or it did not say so in time.
        """
        try:
            await asyncio.to_thread(self.process.wait_until, lambda: readiness(self.ops_port).ready, seconds=seconds)
        except NotStartedError as error:
            raise HarnessError(str(error)) from error

    def start_again(self) -> str:
        """What a supervisor does with a process that has ended."""
        self.start()
        return f"{self.name} was started again"

    async def restart(self) -> str:
        """Start it again and wait; how long it took to be ready."""
        began = time.monotonic()
        self.start()
        await self.ready()
        return f"{self.name} was started again and ready after {time.monotonic() - began:.1f} s"

    async def stop(self) -> None:
        """End it as an operator does; one that is frozen is woken first."""
        self.wanted = False
        if (living := self.process.running()) is not None:
            living.resume()
        await asyncio.to_thread(self.process.stop)
