"""Who may do what over whose things: the committed table roles.csv, checked and settled when it is read."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeAlias
from uuid import UUID

from common.decision import Kind, Refusal, Refused, Unit, Worded

NOT_PERMITTED = Refusal(
    "auth.not-permitted",
    zh="所持角色无权对此执行该操作（需要权限 {permission}，所持范围：{over_zh}）",
    en="Your roles do not permit this here (it needs {permission}; they hold it over: {over})",
    kind=Kind.FORBIDDEN,
)
TABLE: Final = Path(__file__).with_name("roles.csv")


class Over(Worded):
    """Over whose things a permission is held; a cell of the table joins several with ``+``."""

    OWN = "own", "本单位"
    """What concerns the caller's unit: it owns it, or takes part in it."""
    SUBTREE = "subtree", "本单位及下级"
    """What concerns the caller's unit or one below it."""
    LEAD = "lead", "本单位牵头的举措"
    """What belongs to a measure that the caller's unit leads."""
    ALL = "all", "全部"
    """Everything."""


Relation: TypeAlias = frozenset[Over]
"""How a caller stands to one thing: all that its unit is to it, and ``ALL`` in any case."""


class Concerned(NamedTuple):
    """Whose a thing is: the units that it concerns, and those that lead the measure to which it belongs."""

    units: tuple[UUID, ...] = ()
    leads: tuple[UUID, ...] = ()


NOBODY: Final = Concerned()
"""A thing that belongs to no unit, such as a plan: a permission is held over all such things, or over none."""

_NEAR: Final = {
    "itself": frozenset({Over.OWN, Over.SUBTREE, Over.ALL}),
    "above": frozenset({Over.SUBTREE, Over.ALL}),
    "other": frozenset({Over.ALL}),
}
_LEADING: Final = {near: near | {Over.LEAD} for near in _NEAR.values()}
RELATIONS: Final = (*_NEAR.values(), *_LEADING.values())
"""All the ways in which a caller may stand to a thing."""


def relation(unit: Unit | None, concerned: Concerned) -> Relation:
    """How a unit stands to a thing of these units; who acts for no unit stands to all things alike."""
    if unit is None:
        return _NEAR["other"]
    if unit.id in concerned.units:
        near = _NEAR["itself"]
    else:
        near = _NEAR["other" if unit.subtree.isdisjoint(concerned.units) else "above"]
    return _LEADING[near] if unit.id in concerned.leads else near


Table: TypeAlias = Mapping[str, Mapping[str, Relation]]
"""Role by role, over whose things it holds each of its permissions."""


class TableInvalid(ValueError):
    """The table says something that it cannot mean; the text says where."""


def read_table(text: str) -> Table:
    """The table as its file has it: a row of roles and one of their Chinese names, then one row a permission.

    :raises TableInvalid: a permission or role that is given twice or is no name, an unknown word in a cell, a row of
        another length, a permission that nobody holds or whose meaning is not told.
    """
    (first, second, *roles), names, *rows = csv.reader(text.splitlines())
    if (first, second) != ("permission", "权限") or len(set(roles)) != len(roles) or not all(names[2:]):
        raise TableInvalid("the first two lines name each role once, in English and in Chinese")
    table: dict[str, dict[str, Relation]] = {role: {} for role in roles}
    for permission, meaning, *cells in rows:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", permission) or not meaning:
            raise TableInvalid(f"{permission}: a permission is noun.verb, with what it means")
        if len(cells) != len(roles) or not any(cells):
            raise TableInvalid(f"{permission}: {len(cells)} cells for {len(roles)} roles, or nobody holds it")
        for role, cell in zip(roles, cells, strict=True):
            if cell:
                table[role][permission] = _over(cell, where=f"{permission}, {role}")
    if len(rows) != len({row[0] for row in rows}):
        raise TableInvalid("a permission has two rows")
    return table


def _over(cell: str, *, where: str) -> Relation:
    try:
        return frozenset(map(Over, cell.split("+")))
    except ValueError as error:
        raise TableInvalid(f"{where}: {error}") from None


ROLES: Final = read_table(TABLE.read_text("utf-8"))
"""What each role permits, and over whose things."""


class Scope(NamedTuple):
    """Whose things a list shows: ``everything``, or what concerns one of ``units`` or is led by one of ``leads``."""

    everything: bool
    units: tuple[UUID, ...]
    leads: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Permissions:
    """What the roles of a caller permit together."""

    reach: Mapping[str, Relation]
    """Over whose things each permission is held."""
    over: Mapping[Relation, frozenset[str]]
    """The permissions that are held over a thing to which the caller stands so."""

    @classmethod
    def of(cls, reach: Mapping[str, Relation]) -> Self:
        """What is permitted where each permission is held so far."""
        return cls(reach, {to: frozenset(one for one, over in reach.items() if over & to) for to in RELATIONS})

    def refusal(self, permission: str) -> Refused:
        """That a permission is not held here, with the words of the table for where it would be; ``–``: nowhere."""
        held = [word for word in Over if word in self.reach.get(permission, ())]
        return NOT_PERMITTED(
            permission=permission, over="+".join(held) or "–", over_zh="、".join(word.zh for word in held) or "无"
        )

    def scope(self, permission: str, unit: Unit | None) -> Scope:
        """Over which units' things a permission is held by who acts for this unit."""
        over = self.reach.get(permission, frozenset[Over]())
        if unit is None:
            return Scope(Over.ALL in over, (), ())
        own = (unit.id,) if Over.OWN in over else ()
        return Scope(
            everything=Over.ALL in over,
            units=tuple(unit.subtree) if Over.SUBTREE in over else own,
            leads=(unit.id,) if Over.LEAD in over else (),
        )


@lru_cache(maxsize=1000)
def permissions_of(roles: frozenset[str]) -> Permissions:
    """What these roles permit together; one that is not in the table permits nothing."""
    reach: dict[str, Relation] = {}
    for role in roles & ROLES.keys():
        for permission, over in ROLES[role].items():
            reach[permission] = reach.get(permission, frozenset()) | over
    return Permissions.of(reach)
