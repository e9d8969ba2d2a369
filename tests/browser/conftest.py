"""A real Chromium: the system's, else one that is fetched, else the test says what to install."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from doors import Door
from showcase import Site, showing_the_seeds

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The path of the system's Chromium, or None where Playwright has one of its own."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    if _runs(sys.executable, "-m", "playwright", "install", "chromium"):
        return None
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _runs("apt-get", "update", "-qq")
        _runs("apt-get", "install", "-y", "-qq", "chromium")
        if found := shutil.which("chromium"):
            return found
    pytest.fail("no Chromium: install the package `chromium`, or let `playwright install chromium` fetch one")


def _runs(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """Where the browser is; of several workers one looks for it, and installs it if it must, and the others wait."""
    with (Path(tempfile.gettempdir()) / f"kegai-chromium-{os.geteuid()}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return find_chromium()


@pytest.fixture
async def browser(chromium_path: str | None) -> AsyncIterator[Browser]:
    """A browser of this test's own, without a window."""
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium_path, args=flags)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def artefacts(pytestconfig: pytest.Config) -> Path:
    """The folder in which a run keeps what it has seen."""
    folder = pytestconfig.rootpath / ".kegai" / "artefacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def site(door_of: Callable[..., Awaitable[Door]]) -> AsyncIterator[Site]:
    """The page's server, showing the seeds' plan."""
    async with showing_the_seeds(await door_of("events")) as site:
        yield site
