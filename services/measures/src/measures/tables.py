"""The tables of this service, in a registry of their own: its aggregates, its journal, its copy of the directory."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.tables import directory_table, journal, metadata, projection_tables


class Base(SQLModel, registry=registry(metadata=metadata())):
    """What every table class of this service descends from."""


journal(Base.metadata)
projection_tables(Base.metadata)
directory_table(Base.metadata)
