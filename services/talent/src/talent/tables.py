"""The tables of this service, in a registry of their own: its aggregates and its journal."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.tables import journal, metadata


class Base(SQLModel, registry=registry(metadata=metadata())):
    """What every table class of this service descends from."""


journal(Base.metadata)
