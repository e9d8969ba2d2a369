"""The application of events: views, the stream of changes, and the pages made from them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from common.database import reachable
from common.http import create_app
from common.process import serve
from common.settings import Settings
from events.api import router as views
from events.asked import Waiters
from events.dashboard.live import page_channels
from events.dashboard.pages import router as dashboard
from events.reference.pages import router as reference
from events.stream import Broadcast, json_channel
from events.tables import PROJECTION_VERSION


def app_of(settings: Settings) -> FastAPI:
    """The application, for a server to run."""

    @asynccontextmanager
    async def broadcasting(app: FastAPI) -> AsyncIterator[None]:
        broadcast = app.state.broadcast = Broadcast(app.state.pool, projection_version=PROJECTION_VERSION)
        app.state.waiters = Waiters()
        app.state.json_channel = json_channel(broadcast)
        app.state.page_channels = page_channels(broadcast)
        running = asyncio.create_task(broadcast.run())
        try:
            yield
        finally:
            broadcast.stop()
            running.cancel()

    return create_app(
        settings,
        service="events",
        title="科改通 Kegai · events",
        routers=[views, dashboard, reference],
        beside=broadcasting,
    )


async def run(settings: Settings) -> None:
    """Serve until told to stop; open streams are ended then."""
    app = app_of(settings)
    await serve(
        app,
        settings,
        checks={"database": lambda: reachable(app.state.pool)},
        on_stop=lambda: app.state.broadcast.stop(),  # noqa: PLW0108 - it is not there before the application starts
    )
