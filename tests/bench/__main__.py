"""``python -m bench [P1 P4 …]``: measure, print each figure beside its baseline, keep them in ``.kegai/bench.json``.

The exit code is 0 if every goal was met, 1 if one was missed, 2 if a quantity is not known or could not be measured.
"""

import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

import uvloop

from bench.bed import Bed, keep
from bench.measuring import Figure
from kegai.tokens import Keys
from servers import Servers

BENCHES = ("command", "gateway", "overload", "relay", "projector", "visible", "idle", "lists", "importing")
KEPT = Path(".kegai/bench.json")
MISSED, NOT_MEASURED = 1, 2
HEADINGS = ("", "quantity", "ours", "baseline", "ratio", "spread", "CPU µs/op", "goal", "met")


def main(asked: list[str]) -> int:
    """Run the benches that measure what is asked for, all if nothing is; the exit code."""
    chosen = {name: import_module(f"bench.{name}") for name in BENCHES}
    known = [number for module in chosen.values() for number in module.NAMES]
    if unknown := set(asked) - set(known):
        print(f"no such quantity: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return NOT_MEASURED
    wanted = [module for module in chosen.values() if not asked or set(module.NAMES) & set(asked)]
    servers = Servers.choose()
    print(f"{servers}\n", file=sys.stderr)
    keys = Keys(Path(servers.home) / "keys")
    keys.make()
    figures: list[Figure] = []
    failed = False
    try:
        for module in wanted:
            try:
                figures += uvloop.run(_measure(module, servers, keys))
            except Exception:  # noqa: BLE001 - whatever it is, the other quantities are still measured
                traceback.print_exc()
                failed = True
    finally:
        servers.stop()
    keep([figure.told() for figure in figures], KEPT)
    print(f"\n{table(figures)}\n\n{KEPT}")
    if failed:
        return NOT_MEASURED
    return 0 if all(figure.met for figure in figures) else MISSED


async def _measure(module: object, servers: Servers, keys: Keys) -> list[Figure]:
    bed, started, found = Bed(servers, keys), time.monotonic(), []
    try:
        async for figure in module.measure(bed):  # type: ignore[attr-defined]
            found.append(figure)
            print(" ".join(_cells(figure)), file=sys.stderr, flush=True)
    finally:
        await bed.clear()
    print(f"{module.__name__}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)  # type: ignore[attr-defined]
    return found


def table(figures: list[Figure]) -> str:
    """The figures as a table in Markdown."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(_cells(figure) for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    def number(value: float | None, form: str = ",.4g") -> str:
        if value is None:
            return "–"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:{form}}"

    ratio = f"{number(figure.ratio, '.3g')}×" if figure.ratio is not None else "–"
    spread = f"{figure.spread:.0%}" if figure.spread is not None else "–"
    sides = (number(figure.value), number(figure.baseline), ratio, spread, number(figure.cpu_us_per_op))
    return (figure.id, figure.quantity, *sides, figure.goal, "✓" if figure.met else "✗")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
