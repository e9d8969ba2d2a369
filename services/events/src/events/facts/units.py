"""What is known of association units: which there are, and what they are called from which day on."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlmodel import Field

from common.cloudevents import Recorded
from common.contracts import Event, directory
from events.facts.plans import Rows
from events.tables import Base


class Unit(Base, table=True):
    """An association unit exists from a day on."""

    id: UUID = Field(primary_key=True)
    code: str = Field(unique=True)
    kind: str
    parent: UUID | None = None
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class UnitName(Base, table=True):
    """From a day on a unit bears this name."""

    __tablename__ = "unit_name"

    unit: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    name_zh: str
    name_en: str
    effective_on: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


def _established(record: Recorded, event: directory.UnitEstablished) -> Rows:
    since = (event.established_on, record.recorded_at)
    yield Unit, (record.aggregate_id, event.code, event.kind, event.parent, *since)
    yield UnitName, (record.aggregate_id, record.version, event.name_zh, event.name_en, *since)


def _renamed(record: Recorded, event: directory.UnitRenamed) -> Rows:
    names, since = (event.name_zh, event.name_en), (event.valid_from, record.recorded_at)
    yield UnitName, (record.aggregate_id, record.version, *names, *since)


FACTS: Final[dict[type[Event], Callable[[Recorded, Any], Rows]]] = {
    directory.UnitEstablished: _established,
    directory.UnitRenamed: _renamed,
}
KINDS: Final[tuple[type[Base], ...]] = (Unit, UnitName)
