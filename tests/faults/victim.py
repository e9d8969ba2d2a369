"""A process that things are done to: each of them is proved by what the system says of the process afterwards."""

import asyncio
import signal
from dataclasses import dataclass, field

import psutil

from faults.history import HarnessError
from kegai.local.process import Process

PATIENCE_SECONDS = 60.0


@dataclass
class Victim:
    """A process of the stack, a server or a service's, by the record that it was started under."""

    process: Process
    _held: psutil.Process | None = field(default=None, init=False, repr=False)
    """The operating system's process as it was when somebody last looked: what became of it is asked of this one."""

    @property
    def name(self) -> str:
        """What it is called in proofs and logs."""
        return self.process.name

    def living(self) -> psutil.Process:
        """The process.

        :raises HarnessError: it does not run, so nothing can be done to it.
        """
        self._held = self.process.running()
        if self._held is None:
            raise HarnessError(f"{self.name} does not run: {self.process.last_lines(5)}")
        return self._held

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> str:
        """End it with a signal and wait until it has; the proof."""
        living = self.living()
        living.send_signal(how)
        return await self._end(living, PATIENCE_SECONDS, f"after {how.name}")

    async def dies(self, *, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until it has ended itself by SIGKILL, as a failpoint makes it do; the proof."""
        living = self._held or self.living()
        return await self._end(living, seconds, "at its failpoint")

    async def _end(self, living: psutil.Process, seconds: float, why: str) -> str:
        try:
            code = await asyncio.to_thread(living.wait, seconds)
        except psutil.TimeoutExpired:
            raise HarnessError(f"{self.name} still lives {seconds:.0f} s {why}") from None
        if code is None and living.is_running():
            raise HarnessError(f"{self.name} still lives {why}")
        assert self.process.running() is None
        return f"{self.name}: pid {living.pid} is dead {why} (exit {code})"

    async def freeze(self) -> str:
        """Stop it as it stands (SIGSTOP); the proof."""
        living = self.living()
        living.suspend()
        return await self.freezes(seconds=PATIENCE_SECONDS)

    async def freezes(self, *, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until it stands still, by whoever's hand; the proof."""
        living = self._held or self.living()
        for _ in range(int(seconds / 0.02)):
            if living.status() == psutil.STATUS_STOPPED:
                return f"{self.name}: pid {living.pid} is {living.status()} (SIGSTOP)"
            await asyncio.sleep(0.02)
        raise HarnessError(f"{self.name} does not stand still: it is {living.status()}")

    async def resume(self) -> str:
        """Let it go on (SIGCONT), if it still exists; the proof."""
        living = self.living()
        living.resume()
        for _ in range(100):
            if living.status() != psutil.STATUS_STOPPED:
                return f"{self.name}: pid {living.pid} is {living.status()} again (SIGCONT)"
            await asyncio.sleep(0.01)
        raise HarnessError(f"{self.name} is still stopped after SIGCONT")
