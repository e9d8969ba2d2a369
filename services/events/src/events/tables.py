"""The tables of this service, in a registry of their own: facts, views, and how far each topic was read."""

from common.tables import metadata, projection_tables
from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class Base(SQLModel, registry=registry(metadata=metadata())):
    """What every table class of this service descends from."""


projection_tables(Base.metadata)
