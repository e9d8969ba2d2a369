"""Two ways of doing the same work, run in turn: what stands in the table is a ratio, with how far it spread."""

import gc
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Way = Callable[[], Awaitable["Run"]]
"""One way of doing the work: each call is one measured run."""


@dataclass(frozen=True)
class Run:
    """One measured run: operations done, seconds it took, seconds of CPU (user and system) of the process at work."""

    operations: int
    seconds: float
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU for one operation."""
        return self.cpu_seconds / self.operations * 1e6


@dataclass(frozen=True)
class Figure:
    """One line of the table: a quantity, its baseline, what was to be reached and whether it was.

    ``ratio`` is the median over the rounds, ``spread`` the distance between the rounds' lowest and highest ratio, as a
    share of the median. A quantity with a limit and no baseline leaves those out.
    """

    id: str
    quantity: str
    value: float
    baseline: float | None
    ratio: float | None
    spread: float | None
    cpu_us_per_op: float | None
    goal: str
    met: bool

    def told(self) -> dict[str, Any]:
        """As it stands in ``bench.json``."""
        return asdict(self)


@dataclass(frozen=True)
class Pair:
    """Runs of ours and of the baseline, the nth beside the nth."""

    ours: list[Run]
    baseline: list[Run]

    def figure(self, number: str, quantity: str, *, at_least: float) -> Figure:
        """The ratio of the rates, which is to be ``at_least`` this."""
        ratios = [a.rate / b.rate for a, b in zip(self.ours, self.baseline, strict=True)]
        return ratio_figure(
            number,
            quantity,
            ratios,
            value=statistics.median(run.rate for run in self.ours),
            baseline=statistics.median(run.rate for run in self.baseline),
            cpu=statistics.median(run.cpu_us for run in self.ours),
            at_least=at_least,
        )

    def cpu_figure(self, number: str, quantity: str, *, at_most: float) -> Figure:
        """The ratio of the CPU for one operation, which is to be ``at_most`` this."""
        ratios = [a.cpu_us / b.cpu_us for a, b in zip(self.ours, self.baseline, strict=True)]
        cpu = statistics.median(run.cpu_us for run in self.ours)
        return ratio_figure(
            number,
            quantity,
            ratios,
            value=cpu,
            baseline=statistics.median(run.cpu_us for run in self.baseline),
            cpu=cpu,
            at_most=at_most,
        )


def ratio_figure(
    number: str,
    quantity: str,
    ratios: list[float],
    *,
    value: float,
    baseline: float,
    cpu: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """A figure whose goal is a ratio: the median of the rounds counts."""
    ratio = statistics.median(ratios)
    spread = (max(ratios) - min(ratios)) / ratio
    met = (at_least is None or ratio >= at_least) and (at_most is None or ratio <= at_most)
    goal = f"≥ {at_least:g}×" if at_least is not None else f"≤ {at_most:g}×"
    return Figure(number, quantity, value, baseline, ratio, spread, cpu, goal, met)


def limit_figure(
    number: str, quantity: str, values: list[float], *, at_most: float, unit: str, baseline: float | None = None
) -> Figure:
    """A figure whose goal is a limit: the median of the rounds counts."""
    value = statistics.median(values)
    spread = (max(values) - min(values)) / value if value else 0.0
    return Figure(number, quantity, value, baseline, None, spread, None, f"≤ {at_most:g} {unit}", value <= at_most)


async def alternate(ours: Way, baseline: Way, *, rounds: int = 5) -> Pair:
    """Run both in turn, as ``in_turn`` does."""
    return Pair(*await in_turn((ours, baseline), rounds))


async def in_turn(ways: Sequence[Way], rounds: int = 5) -> list[list[Run]]:
    """Run all ways in turn, after one run of each that does not count; every other round goes backwards."""
    runs: list[list[Run]] = [[] for _ in ways]
    for number in range(-1, rounds):
        turns = list(zip(ways, runs, strict=True))
        for work, kept in turns if number % 2 else reversed(turns):
            gc.collect()
            run = await work()
            if number >= 0:
                kept.append(run)
    return runs


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0–1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
