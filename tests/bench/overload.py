"""Three times what can be done is asked of the gateway: what it lets in is still done, the rest is refused at once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from bench.bed import Bed
from bench.command import Endpoint, endpoint, new_items, story_of
from bench.gateway import gateway
from bench.load import Flood, closed_loop
from bench.measuring import Figure, limit_figure, percentile, ratio_figure

NAMES = ("P14",)
ROUNDS = 5
CLIENTS = 96
"""Fewer than the gateway lets through at once: nobody is refused."""
PEAK_REQUESTS = 4_000
OVERLOAD = 3
OVERLOAD_SECONDS = 2.0
CONNECTIONS = 400
"""More than the gateway lets through at once, so that a request need not wait for another to be sent."""


async def peak(ours: Endpoint) -> float:
    """Commands a second where everybody waits for the reply before asking again."""
    requests = await first_steps(ours, PEAK_REQUESTS)
    seen = await closed_loop(ours.process.url, CLIENTS, [[one] for one in requests])
    assert seen.count(200) == PEAK_REQUESTS
    ours.commands += PEAK_REQUESTS
    return PEAK_REQUESTS / seen.seconds


async def flood(ours: Endpoint, rate: float) -> Flood:
    """Commands at a rate that nobody asks the server about; what is not done is refused, and says when to come back."""
    requests = await first_steps(ours, round(rate * OVERLOAD_SECONDS))
    flood = Flood(iter(requests), rate=rate, seconds=OVERLOAD_SECONDS)
    await flood.run(ours.process.url, CONNECTIONS)
    refused = [answer for answer in flood.answered if answer.status in {429, 503}]
    assert flood.count(200) + len(refused) == len(requests)
    assert all(b"\r\nretry-after: " in answer.head for answer in refused)
    ours.commands += flood.count(200)
    return flood


async def first_steps(ours: Endpoint, number: int) -> list[bytes]:
    """As many commands, each on an item of its own."""
    return [story_of(item, ours.keys)[0] for item in await new_items(ours.pool, number)]


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P14: goodput beside its peak, and how long a refusal takes."""
    async with AsyncExitStack() as opened:
        direct = await endpoint(bed, opened, "-m", "measures", "api")
        address = opened.enter_context(gateway(bed, direct.process.url))
        ours = replace(direct, process=replace(direct.process, url=address))
        await peak(ours)
        peaks, goods, refusals = list[float](), list[float](), list[float]()
        for _ in range(ROUNDS):
            peaks.append(await peak(ours))
            over = await flood(ours, OVERLOAD * peaks[-1])
            goods.append(over.count(200) / over.seconds)
            refused = [answer.seconds for answer in over.answered if answer.status != 200]
            refusals.append(percentile(refused, 0.99) * 1000)
        await ours.check()
    ratios = [good / best for good, best in zip(goods, peaks, strict=True)]
    values = {"value": sorted(goods)[ROUNDS // 2], "baseline": sorted(peaks)[ROUNDS // 2]}
    quantity = "goodput through the gateway at 3× saturation beside its peak"
    yield ratio_figure("P14", quantity, ratios, **values, at_least=0.85)
    yield limit_figure("P14", "a refusal at 3× saturation, p99", refusals, at_most=500, unit="ms")
