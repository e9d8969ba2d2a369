"""The command endpoint through the real gateway beside the same endpoint asked directly."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.bed import Bed
from bench.command import Endpoint, endpoint
from bench.measuring import Figure, alternate, limit_figure, percentile
from kegai.gateway import Places, envoy_yaml, load
from kegai.local import EnvoyServer
from kegai.local.ports import free_port

NAMES = ("P17",)
CLIENTS = 16
STORIES = 400
STORIES_ALONE = 80
ROUNDS = 5


@contextmanager
def gateway(bed: Bed, service_url: str) -> Iterator[str]:
    """The address of an Envoy that routes as in production, with measures at ``service_url``."""
    port = urlsplit(service_url).port
    assert port is not None
    places = Places(port=free_port(), admin_port=free_port(), ports={"measures": port}, jwks=bed.keys.jwks)
    with tempfile.TemporaryDirectory(prefix="kegai-bench-") as home:
        envoy = EnvoyServer(Path(home), places.port, envoy_yaml(load(), places)).start()
        try:
            yield f"http://127.0.0.1:{places.port}"
        finally:
            envoy.stop()


async def added_ms(through: Endpoint, direct: Endpoint) -> float:
    """How many milliseconds later the reply comes at p50, where nobody else asks."""
    middles = []
    for one in (through, direct):
        already = len(one.seconds)
        await one.run(1, STORIES_ALONE)
        middles.append(percentile(one.seconds[already:], 0.5) * 1000)
    return middles[0] - middles[1]


async def measure(bed: Bed) -> AsyncIterator[Figure]:
    """P17: the rate with 16 clients, and what the gateway adds for one alone."""
    async with AsyncExitStack() as opened:
        direct = await endpoint(bed, opened, "-m", "measures", "api")
        address = opened.enter_context(gateway(bed, direct.process.url))
        through = replace(direct, process=replace(direct.process, url=address), seconds=[])
        pair = await alternate(
            lambda: through.run(CLIENTS, STORIES), lambda: direct.run(CLIENTS, STORIES), rounds=ROUNDS
        )
        yield pair.figure("P17", "command endpoint through the gateway beside direct, 16 clients", at_least=0.8)
        added = [await added_ms(through, direct) for _ in range(ROUNDS)]
        yield limit_figure("P17", "what the gateway adds to a command at p50, 1 client", added, at_most=1, unit="ms")
        direct.commands += through.commands
        await direct.check()
