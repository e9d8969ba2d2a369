"""The tables of this service, in a registry of their own: facts, views, and how far each topic was read."""

from typing import Final

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.tables import metadata, projection_tables


class Base(SQLModel, registry=registry(metadata=metadata())):
    """What every table class of this service descends from."""


projection_tables(Base.metadata)

PROJECTION_VERSION: Final = 1
"""Raised when what the views make of the facts changes; numbers on the stream begin with it."""
PROJECTION: Final = f"events-progress-v{PROJECTION_VERSION}"
"""Under this name the consumer group reads, and the tables keep how far it has read."""
