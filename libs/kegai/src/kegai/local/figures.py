"""Each part of the path in one line, from what a process tells of itself at /metrics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from time import time

from prometheus_client.parser import text_string_to_metric_families

from kegai.language import say


@dataclass(frozen=True, slots=True)
class Timed:
    """What a histogram holds since the process started: how many observations, their sum, how many below each bound."""

    count: int
    total: float
    below: Sequence[tuple[float, float]]

    def quantile(self, share: float) -> float:
        """The value that ``share`` of the observations do not exceed, by linear interpolation between bounds.

        Beyond the last bound it is that bound: the histogram knows no better.
        """
        wanted, low, low_count = share * self.count, 0.0, 0.0
        for bound, count in self.below:
            if count >= wanted:
                if bound == inf:
                    return low
                return low + (bound - low) * (wanted - low_count) / max(count - low_count, 1e-9)
            low, low_count = bound, count
        return low


class Figures:
    """The samples of one process."""

    def __init__(self, text: str) -> None:
        """``text`` is what /metrics answered; empty if nobody did."""
        self._samples: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def values(self, name: str, label: str = "") -> dict[str, float]:
        """The sum of a metric for each value of a label."""
        found: dict[str, float] = defaultdict(float)
        for labels, value in self._samples[name]:
            found[labels.get(label, "")] += value
        return dict(found)

    def highest(self, name: str, label: str = "") -> dict[str, float]:
        """The highest value of a metric for each value of a label."""
        found: dict[str, float] = defaultdict(float)
        for labels, value in self._samples[name]:
            found[labels.get(label, "")] = max(value, found[labels.get(label, "")])
        return dict(found)

    def total(self, name: str) -> float:
        """The sum of a metric."""
        return sum(value for _, value in self._samples[name])

    def timed(self, name: str, label: str = "") -> dict[str, Timed]:
        """A histogram for each value of a label, as far as anything was observed."""
        below: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
        for labels, value in self._samples[f"{name}_bucket"]:
            below[labels.get(label, "")][float(labels["le"])] += value
        counts, sums = self.values(f"{name}_count", label), self.values(f"{name}_sum", label)
        return {
            key: Timed(int(counts[key]), sums[key], sorted(bounds.items()))
            for key, bounds in below.items()
            if counts[key]
        }


def path(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    """For each part of the path that this process has a share in: the part's name, and a line."""
    yield from _requests(service, figures)
    yield from _commands(service, figures)
    yield from _publishing(service, figures)
    yield from _projecting(service, figures)
    yield from _happening(service, figures)
    readers = figures.values("kegai_sse_readers", "channel")
    if readers:
        yield say("实时流", "streams"), f"{service}: " + ", ".join(f"{n:,.0f} {name}" for name, n in readers.items())


def _requests(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    under_way, refused = figures.total("kegai_requests_under_way"), figures.total("kegai_refused_requests_total")
    for answered in figures.timed("kegai_request_seconds").values():
        yield (
            say("请求", "requests"),
            f"{service}: "
            + say(
                f"已答 {answered.count:,}，p99 {_ms(answered)}；进行中 {under_way:.0f}，拒绝 {refused:,.0f}",
                f"{answered.count:,} answered, p99 {_ms(answered)}; {under_way:.0f} under way, "
                f"{refused:,.0f} turned away",
            ),
        )


def _commands(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    decided = figures.timed("kegai_decide_seconds", "aggregate")
    for aggregate, saved in figures.timed("kegai_save_seconds", "aggregate").items():
        decide = f"{say('裁决', 'decide')} p99 {_ms(decided[aggregate])}, " if aggregate in decided else ""
        yield (
            say("命令", "commands"),
            f"{service} {aggregate}: {saved.count:,}, {decide}{say('保存', 'save')} p99 {_ms(saved)}",
        )


def _publishing(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    depths = figures.values("kegai_outbox_depth", "slice")
    if not depths:
        return
    oldest = figures.highest("kegai_outbox_oldest_seconds").get("", 0.0)
    rows = sum(depths.values())
    yield (
        say("待发布", "outbox"),
        f"{service}: " + say(f"{rows:,.0f} 行，最早 {oldest:.1f} 秒", f"{rows:,.0f} rows, the oldest {oldest:.1f} s"),
    )
    sent, failed = figures.total("kegai_relayed_records_total"), figures.total("kegai_relay_failures_total")
    for window in figures.timed("kegai_relay_window_seconds").values():
        yield (
            say("中继", "relay"),
            f"{service}: "
            + say(
                f"已发 {sent:,.0f} 条，{window.count:,} 批，每批 p99 {_ms(window)}；中断 {failed:,.0f} 次",
                f"{sent:,.0f} records in {window.count:,} windows, p99 {_ms(window)}; {failed:,.0f} interruptions",
            ),
        )


def _projecting(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    lags = figures.values("kegai_consumer_lag_records", "projection")
    late = figures.highest("kegai_consumer_lag_seconds", "projection")
    applied = figures.values("kegai_applied_records_total", "projection")
    parked = figures.values("kegai_parked_records", "projection")
    batches = figures.timed("kegai_batch_seconds", "projection")
    for name, lag in lags.items():
        batch = f", {say('每批', 'batch')} p99 {_ms(batches[name])}" if name in batches else ""
        yield (
            say("投影", "projections"),
            f"{service}/{name}: "
            + say(
                f"落后 {lag:,.0f} 条、{late.get(name, 0):.1f} 秒；已应用 {applied.get(name, 0):,.0f}{batch}；"
                f"搁置 {parked.get(name, 0):,.0f}",
                f"{lag:,.0f} records, {late.get(name, 0):.1f} s behind; {applied.get(name, 0):,.0f} applied{batch}; "
                f"{parked.get(name, 0):,.0f} parked",
            ),
        )


def _happening(service: str, figures: Figures) -> Iterator[tuple[str, str]]:
    looked, failures = figures.total("kegai_clock_looked_seconds"), figures.total("kegai_clock_failures_total")
    if not looked:
        return
    ago = max(time() - looked, 0)
    done = "".join(f", {n:,.0f} {kind}" for kind, n in figures.values("kegai_clock_done_total", "kind").items())
    yield (
        say("时钟", "clock"),
        f"{service}: "
        + say(
            f"{ago:.0f} 秒前到期之事均已办毕{done.replace(', ', '，')}；失败 {failures:,.0f} 次",
            f"all done that was due {ago:.0f} s ago{done}; {failures:,.0f} failures",
        ),
    )


def _ms(timed: Timed) -> str:
    milliseconds = timed.quantile(0.99) * 1000
    return f"{milliseconds:,.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
