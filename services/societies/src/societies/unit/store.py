"""Where units are kept, which of them stand alone, and how one is found by its code."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from common.call import Call
from common.contracts.directory import UnitKind
from common.cursors import code_in
from common.decision import Refusal
from common.directory import UNKNOWN_UNIT
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from societies.tables import Base
from societies.unit.domain import AssociationUnit, UnitState

CODE_TAKEN = Refusal(
    "unit.code-taken",
    zh="已有单位用过同一代码",
    en="A unit has, or had, this code already",
)
DIVISION_TAKEN = Refusal(
    "unit.division-taken",
    zh="该行政区划已有科协",
    en="The division has an association already",
)
ZONE_TAKEN = Refusal(
    "unit.zone-taken",
    zh="该功能区已有科协",
    en="The zone has an association already",
)
MUNICIPAL_TAKEN = Refusal(
    "unit.municipal-taken",
    zh="名录中已有市科协",
    en="The directory has its municipal association already",
)

ACTIVE = text("state = 'active'")


class UnitRow(Base, AggregateRow, table=True):
    """One unit."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("code"),
        Index("uq_unit_division_code", "division_code", unique=True, postgresql_where=ACTIVE),
        Index("uq_unit_zone_code", "zone_code", unique=True, postgresql_where=ACTIVE),
        Index(
            "uq_unit_municipal", "kind", unique=True, postgresql_where=text("kind = 'municipal' AND state = 'active'")
        ),
        one_of("kind", UnitKind),
        one_of("state", UnitState),
    )

    code: str
    kind: str
    name_zh: str
    name_en: str
    named_from: date
    parent: UUID | None = Field(foreign_key="unit.id")
    division_code: str | None
    zone_code: str | None
    established_on: date
    state: str


units = Aggregates(
    UnitRow,
    AssociationUnit,
    of="unit",
    at="/api/v1/units",
    concerns=lambda unit: Concerned(units=(unit.id,)),
    taken={
        "uq_unit_code": CODE_TAKEN,
        "uq_unit_division_code": DIVISION_TAKEN,
        "uq_unit_zone_code": ZONE_TAKEN,
        "uq_unit_municipal": MUNICIPAL_TAKEN,
    },
)


async def parent_named(call: Call, code: str) -> UUID:
    """The unit with that code, as the parent that a request names.

    :raises Refused: ``unit.unknown``.
    """
    found: UUID | None = await call.service.pool.fetchval("SELECT id FROM unit WHERE code = $1", code)
    if found is None:
        raise UNKNOWN_UNIT(pointer="/parent", code=code)
    return found


async def list_units(call: Call, *, kind: UnitKind | None, after: str | None, limit: int) -> list[AssociationUnit]:
    """Units by code that the caller may know of, one more than ``limit`` if there are more; of every kind where none is
    given.

    :raises Refused: ``request.cursor-invalid``.
    """
    scope = units.scope(call)
    rows = await call.service.pool.fetch(
        "SELECT * FROM unit WHERE code > $1 AND ($2::text IS NULL OR kind = $2) "
        "AND ($3 OR id = ANY($4::uuid[])) ORDER BY code LIMIT $5",
        code_in(after),
        kind,
        scope.everything,
        scope.units,
        limit + 1,
    )
    return [units.codec.state_of(row) for row in rows]
