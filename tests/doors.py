"""A service's application as a client meets it, without a port: real routes, real database, real tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from builders import directory_history
from common.directory import DirectoryCopy
from common.settings import Settings
from kegai.tokens import Keys
from servers import Database


@dataclass(frozen=True)
class Door:
    """The application of one service, its database, and how to get in."""

    app: FastAPI
    database: Database
    keys: Keys

    @property
    def pool(self) -> asyncpg.Pool:
        """The application's own connections: the runtime role's."""
        pool: asyncpg.Pool = self.app.state.pool
        return pool

    def client_for(self, role: str, unit: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client that bears a token of this role, in the name of a unit's code."""
        return self.client(authorization=f"Bearer {self.keys.token([role], unit)}", **headers)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client without a token; names of headers may be written with underscores."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=transport, base_url="http://kegai.test", headers=told)

    async def learn_units(self) -> None:
        """Let the service's copy of the directory hold ``builders.UNITS``, by the way it always learns of units."""
        async with self.pool.acquire() as connection:
            await DirectoryCopy("tests").apply(connection, directory_history())


@asynccontextmanager
async def open_door(database: Database, keys: Keys, **settings: Any) -> AsyncIterator[Door]:
    """A service's application between its start-up and its end."""
    told = {"database_url": database.app_url, "kafka_bootstrap": "127.0.0.1:1", "jwks": str(keys.jwks), **settings}
    app: FastAPI = import_module(f"{database.service}.main").app_of(Settings(**told))
    async with app.router.lifespan_context(app):
        yield Door(app, database, keys)
