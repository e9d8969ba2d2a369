"""Migrations: a step of their own, by the role that owns the database, never at import or at a service's start."""

import asyncio
from collections.abc import Sequence
from importlib import import_module

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import create_async_engine

from common.settings import MigrationSettings


def config_of(service: str) -> Config:
    """Alembic's configuration for one service: its scripts live in its own package, images need them."""
    config = Config()
    config.set_main_option("script_location", f"{service}:migrations")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["metadata"] = metadata_of(service)
    return config


def metadata_of(service: str) -> MetaData:
    """What a service declares: its aggregates' tables and those that stand beside them."""
    return import_module(f"{service}.schema").metadata  # type: ignore[no-any-return]


def migrate(service: str) -> None:
    """Bring the service's database to the newest revision; doing it twice changes nothing."""
    command.upgrade(config_of(service), "head")


def run_env() -> None:
    """What every service's ``migrations/env.py`` does: open the owner's connection and run the scripts in it."""

    def in_connection(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=context.config.attributes["metadata"])
        with context.begin_transaction():
            context.run_migrations()

    async def in_engine(url: str) -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=pool.NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(in_connection)
            await connection.commit()
        await engine.dispose()

    asyncio.run(in_engine(MigrationSettings().database_owner_url))


def drift(connection: Connection, metadata: MetaData) -> Sequence[object]:
    """What differs between a migrated database and what the service declares; empty if nothing does."""
    found: Sequence[object] = compare_metadata(MigrationContext.configure(connection), metadata)
    return found
