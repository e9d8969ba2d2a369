"""How a process runs, stops in time and shows itself to operators: /livez, /readyz, /metrics on a port of their own."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any, Final, Protocol

import uvicorn
import uvloop
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.settings import Settings
from common.telemetry import configure_logging

STOP_SECONDS_MAX: Final = 7
SILENT_SECONDS_MAX: Final = 60

Check = Callable[[], Awaitable[str]]
"""Answers ``ok``, or says in a few words why not."""


class Beating(Protocol):
    """A loop that notes when it last came round."""

    @property
    def beat(self) -> float:
        """On the monotonic clock, in seconds."""


def ops_app(checks: Mapping[str, Check], loops: Sequence[Beating] = ()) -> Starlette:
    """What operators and probes ask: alive while every loop comes round, ready while every check says ``ok``."""

    async def livez(_request: Request) -> Response:
        silent = max((time.monotonic() - loop.beat for loop in loops), default=0.0)
        live = silent < SILENT_SECONDS_MAX
        return JSONResponse({"live": live, "silent_seconds": round(silent, 1)}, 200 if live else 503)

    async def readyz(_request: Request) -> Response:
        found = dict(zip(checks, await asyncio.gather(*(check() for check in checks.values())), strict=True))
        ready = all(answer == "ok" for answer in found.values())
        return JSONResponse({"ready": ready, "checks": found}, 200 if ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


class _Unsignalled(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _server(app: Any, settings: Settings, port: int) -> _Unsignalled:
    return _Unsignalled(
        uvicorn.Config(
            app,
            host=settings.host,
            port=port,
            loop="uvloop",
            http="httptools",
            log_level="warning",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
            server_header=False,
        )
    )


async def _stop_asked() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


async def serve(
    app: Any, settings: Settings, *, checks: Mapping[str, Check], on_stop: Callable[[], None] = lambda: None
) -> None:
    """Serve an application on its public port and the operators' questions on another, until told to stop.

    ``on_stop`` ends what would otherwise never end: a server waits for its open replies.
    """
    servers = [_server(app, settings, settings.port), _server(ops_app(checks), settings, settings.ops_port)]
    running = [asyncio.create_task(server.serve()) for server in servers]
    try:
        await _until_stopped(running)
    finally:
        on_stop()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)


async def work(
    settings: Settings,
    loops: Sequence[Coroutine[Any, Any, Any]],
    beating: Sequence[Beating],
    checks: Mapping[str, Check],
) -> None:
    """Run loops that never end, and the operators' questions beside them, until told to stop or until one fails."""
    server = _server(ops_app(checks, beating), settings, settings.ops_port)
    asking = asyncio.create_task(server.serve())
    running = [asyncio.create_task(loop) for loop in loops]
    try:
        await _until_stopped([*running, asking])
    finally:
        for task in running:
            task.cancel()
        server.should_exit = True
        await asyncio.wait([*running, asking], timeout=STOP_SECONDS_MAX)


async def _until_stopped(running: Sequence[asyncio.Task[Any]]) -> None:
    """Return when a stop is asked for; raise what a task raises if one ends before."""
    stop = asyncio.create_task(_stop_asked())
    done, _ = await asyncio.wait([stop, *running], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    for task in done - {stop}:
        task.result()


def main(service: str) -> None:
    """The entry of ``python -m <service> <role>``: run one role until told to stop.

    A role is a module of the service with ``run(settings)``; the door's is ``main``, and ``migrate`` brings the
    database to its newest revision. Only that module is imported, so that a worker does not carry the web framework.
    """
    package = files(service)
    roles = [role for role in ("api", "worker", "projector") if package.joinpath(f"{_module(role)}.py").is_file()]
    role = sys.argv[1] if len(sys.argv) == 2 else ""
    if role not in {*roles, "migrate"}:
        sys.exit(f"usage: python -m {service} {'|'.join([*roles, 'migrate'])}")
    configure_logging(service, role)
    if role == "migrate":
        import_module("common.migration").migrate(service)
    else:
        uvloop.run(_run_and_leave(import_module(f"{service}.{_module(role)}").run(Settings())))


def _module(role: str) -> str:
    return "main" if role == "api" else role


async def _run_and_leave(running: Coroutine[Any, Any, None]) -> None:
    """Run a role, then end the process in time, whatever a client's own tasks still wait for.

    What they would do is either durable in the database already or begun anew from there.
    """
    await running
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest and (await asyncio.wait(rest, timeout=1))[1]:
        os._exit(0)
