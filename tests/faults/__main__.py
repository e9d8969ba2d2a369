"""``python -m faults [names…] [--seed N]… [--quick]``: faults one after another, a table, and what it must not hide."""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import structlog
import uvloop

from faults.cases import all_faults
from faults.fault import Fault
from faults.history import HarnessError
from faults.runner import Result, run
from faults.servers import FaultServers, fault_servers
from kegai.gateway.routes import CHECKOUT

KEPT = CHECKOUT / ".kegai"
QUICK = ("relay-killed", "service-killed")
"""Short faults of two kinds, for every change."""
DEFAULT_SEED = 20261123
VIOLATED, PROVES_NOTHING = 1, 2


def main(words: Sequence[str]) -> int:
    """Run what is asked for; 0 if all held, 1 if an invariant was violated, 2 if a run proves nothing."""
    known = all_faults()
    asked = argparse.ArgumentParser(prog="python -m faults")
    asked.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    asked.add_argument("--seed", type=int, action="append", help="may be given several times")
    asked.add_argument("--quick", action="store_true", help=f"a small load, and only {', '.join(QUICK)}")
    told = asked.parse_args(words)
    names = told.names or (QUICK if told.quick else known)
    if unknown := set(names) - known.keys():
        asked.error(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = {name: known[name].cut_down() if told.quick else known[name] for name in names}
    results = _run_all(chosen, told.seed or [DEFAULT_SEED])
    print(table(results))
    _write(results)
    for result in results:
        if not result.met:
            print(f"once more: make faults FAULTS='{result.fault} --seed {result.seed}'")
    if any(result.proves_nothing for result in results):
        return PROVES_NOTHING
    return 0 if all(result.met for result in results) else VIOLATED


@dataclass
class Ground:
    """The servers that faults share: started when one needs them, and not trusted any more once a run has failed."""

    home: Path
    _kept: ExitStack = field(default_factory=ExitStack)
    _servers: FaultServers | None = None

    def servers(self) -> FaultServers:
        """The servers, running."""
        if self._servers is None:
            self._servers = self._kept.enter_context(fault_servers(self.home))
        return self._servers

    def drop(self) -> None:
        """Stop them and remove what they held."""
        self._servers = None
        self._kept.close()


def _run_all(faults: dict[str, Fault], seeds: Iterable[int]) -> list[Result]:
    """Every fault with every seed; a run that failed in itself is told apart and never passes."""
    results = []
    home = Path(tempfile.gettempdir()) / f"kegai-faults-{os.getpid()}"
    ground = Ground(home / "kept")
    try:
        for seed, (name, fault) in product(seeds, faults.items()):
            print(f"{name} (seed {seed}) …")
            began = time.monotonic()
            try:
                with (
                    fault.servers(home / name) if fault.servers else nullcontext(ground.servers()) as servers,
                    _logs_kept_unless_met(servers.home / "logs", f"{name}-{seed}") as met,
                ):
                    result = uvloop.run(run(name, fault, seed, servers))
                    met.extend([result] * result.met)
            except Exception as error:  # noqa: BLE001 - whatever failed, the others still run, and it is told below
                traceback.print_exception(error, limit=0 if isinstance(error, HarnessError) else None)
                result = Result(name, seed, proves_nothing=str(error) or repr(error))
                ground.drop()
            results.append(result)
            _tell(result, time.monotonic() - began)
    finally:
        ground.drop()
        shutil.rmtree(home, ignore_errors=True)
    return results


@contextmanager
def _logs_kept_unless_met(logs: Path, name: str) -> Iterator[list[Result]]:
    """Keep what the processes have logged beside ``faults.json``, unless the block yields a result that is met."""
    kept, met = KEPT / "faults" / name, list[Result]()
    shutil.rmtree(kept, ignore_errors=True)
    try:
        yield met
    finally:
        if not met:
            shutil.copytree(logs, kept)
            print(f"  the logs are in {kept}")


def _tell(result: Result, seconds: float) -> None:
    """What came of one fault, in words."""
    for invariant, found in result.violations.items():
        for violation in found[:5]:
            print(f"  {invariant} VIOLATED: {violation}")
        if len(found) > 5:
            print(f"  {invariant}: and {len(found) - 5} more")
    if result.pauses:
        print(f"  {result.pauses}")
    print(f"  {_ending(result)} after {seconds:.0f} s {result.proves_nothing}")


def _ending(result: Result) -> str:
    return "PROVES NOTHING" if result.proves_nothing else "met" if result.met else "NOT MET"


def table(results: Sequence[Result]) -> str:
    """One line a fault: how many operations, the violations of each invariant, how soon it was well again."""
    invariants = sorted({name for result in results for name in result.violations}, key=lambda name: int(name[1:]))
    head = ["fault", "seed", "operations", *invariants, "recovered s", "met"]
    lines = [
        [
            result.fault,
            str(result.seed),
            str(result.operations),
            *(str(len(result.violations.get(name, []))) for name in invariants),
            "never" if result.recovered_s is None else f"{result.recovered_s:.1f}",
            _ending(result),
        ]
        for result in results
    ]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *lines]
    )


def _write(results: Sequence[Result]) -> None:
    KEPT.mkdir(exist_ok=True)
    (KEPT / "faults.json").write_text(json.dumps([result.told() for result in results], indent=1))


if __name__ == "__main__":
    # The evidence is a replay in this very process: what it parks is part of the evidence and no news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # an end by hand clears up, too
    sys.exit(main(sys.argv[1:]))
