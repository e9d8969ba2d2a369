"""The operators' commands, in English, on a database and a topic of the test's own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from kegai.language import choose
from kegai.main import app
from kegai.operating import places
from lines import Line
from servers import Database

Kegai = Callable[..., Awaitable[Result]]


@pytest.fixture
async def events(database_of: Callable[[str], Awaitable[Database]]) -> Database:
    """A database of the service that projects."""
    return await database_of("events")


@pytest.fixture
def kegai(line: Line, events: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kegai]:
    """The command line tool, told of these databases as it would be outside of a local stack."""
    monkeypatch.setattr(places, "topic", lambda _service: line.topic)
    told = {
        "KEGAI_MEASURES_DATABASE_URL": line.database.app_url,
        "KEGAI_EVENTS_DATABASE_URL": events.app_url,
        "KEGAI_KAFKA_BOOTSTRAP": line.bootstrap,
    }

    async def run(*words: str, lang: str = "en", **instead: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["--lang", lang, *words], env=told | instead)

    yield run
    choose(None)
