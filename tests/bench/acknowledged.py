"""``python -m bench.acknowledged <service> <topic>``: a relay that tells when the broker had each record.

It stops at SIGTERM and then writes a line for each: its position in the journal and the instant on the monotonic clock,
in seconds.
"""

import asyncio
import signal
import sys
import time
from contextlib import suppress

import uvloop

from common.outbox import Relay
from common.publishing import Publisher, Window
from common.settings import Settings
from common.telemetry import configure_logging


async def main(service: str, topic: str) -> None:
    """Relay until SIGTERM."""
    configure_logging(service, "relay")
    settings, told = Settings(), list[tuple[int, float]]()
    publish = Publisher.publish

    async def noted(self: Publisher, window: Window) -> None:
        await publish(self, window)
        now = time.monotonic()
        told.extend((position, now) for position in window.positions)

    Publisher.publish = noted  # type: ignore[method-assign]
    relay = Relay(
        service=service,
        slice_number=0,
        database_url=settings.database_url,
        bootstrap=settings.kafka_bootstrap,
        topic=topic,
    )
    running = asyncio.create_task(relay.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running
    for position, instant in told:
        print(position, instant)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
