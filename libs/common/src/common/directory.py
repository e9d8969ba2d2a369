"""A service's own copy of the directory of association units, fed from the facts that societies tells."""

import time
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from common.cloudevents import Recorded
from common.contracts import topic
from common.contracts.directory import UnitEstablished, UnitRenamed
from common.database import AWAY, Connection
from common.decision import Kind, Refusal, Unit

STALE_SECONDS_MAX: Final = 1.0
TOPIC: Final = topic("societies")
UNKNOWN_UNIT = Refusal(
    "unit.unknown",
    zh="名录中没有代码为 {code} 的单位",
    en="The directory knows no unit with the code {code}",
    kind=Kind.INVALID,
)


def copy_of(service: str) -> str:
    """The name of the projection that keeps a service's copy."""
    return f"{service}-directory"


class DirectoryCopy:
    """The projection that keeps the copy."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.topics: tuple[str, ...] = (TOPIC,)
        self.concerns: frozenset[str] | None = frozenset({"unit"})

    async def apply(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """Take in units and their names; a unit's later name wins by the day from which it holds."""
        for record in records:
            match record.event:
                case UnitEstablished() as unit:
                    await connection.execute(
                        "INSERT INTO directory_unit "
                        "(id, code, kind, parent, name_zh, name_en, named_from, established_on) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
                        unit.unit, unit.code, unit.kind, unit.parent, unit.name_zh, unit.name_en, unit.established_on,
                    )  # fmt: skip
                case UnitRenamed() as renamed:
                    await connection.execute(
                        "UPDATE directory_unit SET name_zh = $2, name_en = $3, named_from = $4 "
                        "WHERE id = $1 AND named_from <= $4",
                        renamed.unit, renamed.name_zh, renamed.name_en, renamed.valid_from,
                    )  # fmt: skip


class Directory:
    """The units by code, each with its lineage; at most a second behind the table.

    :param table: where they are: a service's copy, or the units themselves in the service that keeps them.
    """

    def __init__(self, pool: asyncpg.Pool, *, table: str = "directory_unit") -> None:
        self._pool = pool
        self._select = f'SELECT id, code, parent FROM "{table}"'  # noqa: S608 - a declared name
        self._units: dict[str, Unit] = {}
        self._read = 0.0

    async def find(self, code: str) -> Unit | None:
        """The unit with that code, if the directory knows it."""
        return (await self.units()).get(code)

    async def units(self) -> Mapping[str, Unit]:
        """All units that the directory knows, by their codes."""
        if time.monotonic() - self._read > STALE_SECONDS_MAX:
            self._units = _units(await self._pool.fetch(self._select))
            self._read = time.monotonic()
        return self._units

    async def unit(self, code: str, *, pointer: str) -> Unit:
        """The unit that a request names.

        :raises Refused: ``unit.unknown``.
        """
        if (found := await self.find(code)) is None:
            raise UNKNOWN_UNIT(pointer=pointer, code=code)
        return found


def _units(rows: Sequence[asyncpg.Record]) -> dict[str, Unit]:
    parents = {row["id"]: row["parent"] for row in rows}
    lineages = {unit: _lineage(unit, parents) for unit in parents}
    below: dict[UUID, set[UUID]] = {unit: set() for unit in parents}
    for unit, lineage in lineages.items():
        for above in lineage:
            below.setdefault(above, set()).add(unit)
    return {r["code"]: Unit(r["id"], r["code"], lineages[r["id"]], frozenset(below[r["id"]])) for r in rows}


def _lineage(unit: UUID, parents: dict[UUID, UUID | None]) -> tuple[UUID, ...]:
    line: list[UUID] = []
    above: UUID | None = unit
    while above is not None and above not in line:
        line.append(above)
        above = parents.get(above)
    return tuple(line)


async def directory_complete(pool: asyncpg.Pool, projection: str) -> str:
    """A readiness check: ``ok`` once the copy has reached the end of its topic and holds units, else the reason."""
    try:
        behind = await pool.fetchval(
            "SELECT count(*) FILTER (WHERE caught_up_at IS NULL) + (count(*) = 0)::int "
            "FROM projection_offset WHERE projection = $1",
            projection,
        )
        held = await pool.fetchval("SELECT count(*) FROM directory_unit")
    except AWAY as error:
        return repr(error)
    if behind:
        return "the directory copy has not reached the end of its topic yet"
    return "ok" if held else "the directory copy holds no units yet"
