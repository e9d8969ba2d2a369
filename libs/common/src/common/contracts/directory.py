"""The directory of association units, told by societies and kept as a copy by whoever needs names and parents."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Event, NameEn, NameZh


class UnitKind(StrEnum):
    """What an association unit is; the first four stand outside the coverage counts."""

    MUNICIPAL = "municipal"
    DEPARTMENT = "department"
    AFFILIATE = "affiliate"
    EXTERNAL = "external"
    DISTRICT = "district"
    ZONE = "zone"
    ENTERPRISE = "enterprise"
    CAMPUS = "campus"
    RESEARCH_INSTITUTE = "research-institute"
    HOSPITAL = "hospital"
    TOWNSHIP = "township"
    RURAL_TECH = "rural-tech"


UnitId = Annotated[UUID, Field(description="The unit: the aggregate, and the record's key.")]


class DirectoryEvent(Event):
    """A fact about the directory."""

    producer: ClassVar[str] = "societies"


class UnitEstablished(DirectoryEvent):
    """An association unit exists from this day on."""

    unit: UnitId
    code: Code = Field(description="Our own stable code: a division's may be reused by the state, ours never is.")
    kind: UnitKind
    name_zh: NameZh
    name_en: NameEn
    parent: UUID | None = None
    """The unit that this one belongs to; none for the municipal association."""
    division_code: str | None = Field(default=None, pattern=r"^[0-9]{6}$")
    """GB/T 2260 code of the division that the unit serves, for kind district."""
    zone_code: Code | None = None
    """Own code of the functional zone that the unit serves (such a zone has no GB/T 2260 code), for kind zone."""
    established_on: EffectiveOn


class UnitRenamed(DirectoryEvent):
    """A unit bears another name from this day on."""

    unit: UnitId
    name_zh: NameZh
    name_en: NameEn
    valid_from: EffectiveOn
