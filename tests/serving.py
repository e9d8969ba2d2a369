"""An application on a real port, for what cannot be seen without one: replies that do not end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from eventually import eventually
from kegai.local.ports import free_port


@asynccontextmanager
async def served(app: ASGIApp, *, on_stop: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """The application's address while it is served; ``on_stop`` is called first when it ends, as in production."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            http="httptools",
            log_level="error",
            lifespan="off",
            timeout_graceful_shutdown=8,
        )
    )
    server.capture_signals = _nothing  # type: ignore[assignment, method-assign]
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        on_stop()
        server.should_exit = True
        await running


class _nothing:  # noqa: N801 - it stands where a context manager's function does
    """Capture no signal: they are the test runner's."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, *_: object) -> None:
        """Do nothing."""
