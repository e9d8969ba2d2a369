"""``python -m faults.controls [mutants…]``: the harness is tried: each mistake must be caught by its invariant."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eventually import eventually
from faults.__main__ import DEFAULT_SEED
from faults.cases import all_faults
from faults.clients import Load
from faults.fault import Act, Fault
from faults.history import HarnessError
from faults.mutants import MUTANTS, Mutant
from faults.runner import Result, run
from faults.servers import FaultServers, fault_servers
from faults.stack import FaultStack

PATIENCE_SECONDS = 8.0
"""How long to wait for what a mutant may have lost for good."""


@dataclass
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    seconds: float = 0.0
    violations: dict[str, list[str]] = field(default_factory=dict)
    error: str = ""
    """Why the run proves nothing; a mutant that merely breaks the stack is not caught."""

    @property
    def caught(self) -> bool:
        """Whether the invariant that is there for it named it."""
        return not self.error and bool(self.violations.get(self.mutant.caught_by))

    def told(self) -> str:
        """One line: which invariants caught it, the one that had to first, with its first finding."""
        if self.error:
            return f"{self.mutant.name:<22}NOT CAUGHT  it merely broke: {self.error}"
        if not self.caught:
            others = ", ".join(name for name, found in self.violations.items() if found) or "none"
            return f"{self.mutant.name:<22}SURVIVED    {self.mutant.caught_by} held (violated: {others})"
        found = self.violations[self.mutant.caught_by]
        more = [name for name, found in self.violations.items() if found and name != self.mutant.caught_by]
        also = f", and by {', '.join(more)}" if more else ""
        return f"{self.mutant.name:<22}caught by {self.mutant.caught_by} ({len(found)}: {found[0]}){also}"


def main(words: Sequence[str]) -> int:
    """Try the mutants that are named, or all; 0 only if every one was caught by the invariant it was meant for."""
    asked = argparse.ArgumentParser(prog="python -m faults.controls")
    asked.add_argument("names", nargs="*", metavar="name", help=", ".join(MUTANTS))
    names = asked.parse_args(words).names or list(MUTANTS)
    if unknown := set(names) - MUTANTS.keys():
        asked.error(f"no such mutant: {', '.join(sorted(unknown))}")
    home, verdicts, unsound = Path(tempfile.gettempdir()) / f"kegai-controls-{os.getpid()}", list[Verdict](), False
    with fault_servers(home) as servers:
        for name in names:
            if MUTANTS[name].without:
                unsound |= not _holds_without_the_second_guard(MUTANTS[name], servers)
            verdicts.append(try_out(MUTANTS[name], servers))
            print(f"  {verdicts[-1].told()[:400]}  [{verdicts[-1].seconds:.0f} s]", flush=True)
    print(table(verdicts))
    return int(unsound or not all(verdict.caught for verdict in verdicts))


def table(verdicts: Sequence[Verdict]) -> str:
    """One line a mutant."""
    lines = [
        f"{one.mutant.name:<22}{one.mutant.scenario:<32}"
        + (f"caught by {one.mutant.caught_by}" if one.caught else f"NOT CAUGHT by {one.mutant.caught_by}")
        for one in verdicts
    ]
    return "\n".join([f"{'mutant':<22}{'revealed by':<32}verdict", *lines])


def try_out(mutant: Mutant, servers: FaultServers) -> Verdict:
    """Let the fault that reveals it happen to a stack that runs on the mutant."""
    verdict, began = Verdict(mutant), time.monotonic()
    print(f"{mutant.name}: {mutant.about} ({mutant.scenario}) …", flush=True)
    try:
        verdict.violations = _run(mutant, servers, mutated=True).violations
    except HarnessError as error:
        verdict.error = str(error)
    verdict.seconds = time.monotonic() - began
    return verdict


def _holds_without_the_second_guard(mutant: Mutant, servers: FaultServers) -> bool:
    """Whether the real module holds by itself where a second guard was removed for the mutant's sake."""
    result = _run(mutant, servers, mutated=False)
    print(f"  without the second guard the real module {'holds' if result.met else f'FAILS: {result.violations}'}")
    return result.met


def _run(mutant: Mutant, servers: FaultServers, *, mutated: bool) -> Result:
    fault = all_faults()[mutant.scenario]
    setup = replace(fault.setup, prepare=_without(mutant)) if mutant.without else fault.setup
    tried = replace(fault, inject=_once_it_works(fault), setup=setup)
    name = mutant.name if mutated else None
    return asyncio.run(run(mutant.scenario, tried, DEFAULT_SEED, servers, mutant=name, patience_s=PATIENCE_SECONDS))


def _without(mutant: Mutant) -> Callable[[FaultStack], Awaitable[None]]:
    async def remove(stack: FaultStack) -> None:
        measures = await stack.connect("measures")
        try:
            await measures.execute(mutant.without)
        finally:
            await measures.close()

    return remove


def _once_it_works(fault: Fault) -> Act:
    """The fault, after the stack was seen to work: a mutant that breaks it altogether would be found by anybody."""

    async def inject(stack: FaultStack, load: Load) -> str:
        async def shows_something() -> bool:
            return bool(await stack.view())

        try:
            await eventually(shows_something, seconds=20)
        except AssertionError as error:
            raise HarnessError("the stack shows nothing before anything is done to it") from error
        return await fault.inject(stack, load)

    return inject


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
