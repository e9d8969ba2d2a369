"""The table of roles means what it says, and a table that cannot mean anything is not taken."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from builders import UNITS, unit_id
from common.roles import (
    NOBODY,
    RELATIONS,
    ROLES,
    TABLE,
    Concerned,
    Over,
    TableInvalid,
    permissions_of,
    read_table,
    relation,
)
from refusals import refused

OWN, SUBTREE, LEAD, ALL = Over
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/roles.md"
READ_WITH = {"milestone": "item", "extension": "item", "inbox": "item"}
"""What is part of another thing, or shows others, and is read with it."""
SMALL = """permission,权限,reporter,office
,,填报员,改革办
item.read,查看,subtree+lead,all
item.close,销号,,all
"""


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cell_says_over_whose_things_a_role_holds_a_permission() -> None:
    assert read_table(SMALL) == {
        "reporter": {"item.read": {SUBTREE, LEAD}},
        "office": {"item.read": {ALL}, "item.close": {ALL}},
    }


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("subtree+lead,all", "subtree+boss,all"),
        ("subtree+lead,all", "subtree lead,all"),
        ("subtree+lead,all", "subtree+,all"),
        ("subtree+lead,all", "yes,all"),
        ("subtree+lead,all", "all"),
        ("subtree+lead,all", "subtree,lead,all"),
        (",,all", ",,"),
        ("item.close", "item.read"),
        ("item.close", "close"),
        ("item.close", "Item.Close"),
        ("销号", ""),
        ("reporter", "office"),
        ("填报员", ""),
        ("permission", "role"),
        ("权限", ""),
    ],
)
def test_a_table_that_cannot_mean_anything_is_not_taken(said: str, meant: str) -> None:
    assert SMALL.count(said) == 1
    with pytest.raises(TableInvalid):
        read_table(SMALL.replace(said, meant))


def test_the_roles_are_those_of_the_trade() -> None:
    assert set(ROLES) == {
        "municipal-admin", "reform-office", "measure-lead", "unit-reporter", "unit-leader", "supervisor",
        "independent-assurer", "society-officer", "society-reviewer", "programme-manager", "venue-staff", "participant",
        "gov-consumer", "auditor", "dpo",
    }  # fmt: skip


def test_the_document_names_every_role_as_the_table_does() -> None:
    roles, names = list(csv.reader(TABLE.read_text().splitlines()))[:2]
    told = re.findall(r"^\| (\S+) \| `([a-z-]+)` \|", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert told == list(zip(names[2:], roles[2:], strict=True))


def test_nobody_may_do_what_they_may_not_see() -> None:
    assert _blind(ROLES) == []


def test_a_role_that_may_do_what_it_may_not_see_is_found() -> None:
    assert _blind(read_table(SMALL.replace(",,all", ",own+lead,all"))) == []
    assert _blind(read_table(SMALL.replace(",,all", ",all,all"))) == [("reporter", "item.close")]


def _blind(table: Any) -> list[tuple[str, str]]:
    """The permissions that a role holds where it may not read."""
    found = []
    for role, held in table.items():
        for permission, over in held.items():
            noun = permission.partition(".")[0]
            reading = held.get(f"{READ_WITH.get(noun, noun)}.read", frozenset())
            if any(over & to and not reading & to for to in RELATIONS):
                found.append((role, permission))
    return found


# ── how a caller stands to a thing ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("ORG", {OWN, SUBTREE, ALL}),
        ("FIN", {OWN, SUBTREE, ALL}),
        ("CQ", {SUBTREE, ALL}),
        ("ORG-1", {ALL}),
        ("YB", {ALL}),
        ("SOC", {LEAD, ALL}),
        (None, {ALL}),
    ],
)
def test_a_unit_stands_to_a_thing_by_what_it_is_to_its_units(unit: str | None, expected: set[Over]) -> None:
    thing = Concerned(units=(unit_id("ORG"), unit_id("FIN")), leads=(unit_id("SOC"),))
    assert relation(UNITS[unit] if unit else None, thing) == expected


def test_who_owns_a_thing_and_leads_its_measure_stands_to_it_as_both() -> None:
    assert relation(UNITS["ORG"], Concerned((unit_id("ORG"),), (unit_id("ORG"),))) == set(Over)


def test_to_what_belongs_to_nobody_everybody_stands_alike() -> None:
    assert {relation(unit, NOBODY) for unit in (None, *UNITS.values())} == {frozenset({ALL})}


def test_roles_add_up_relation_by_relation() -> None:
    both = permissions_of(frozenset({"unit-reporter", "society-officer"}))
    assert "item.start" in both.over[frozenset({OWN, SUBTREE, ALL})]
    assert "item.start" not in both.over[frozenset({SUBTREE, ALL})]
    assert "unit.rename" in both.over[frozenset({ALL})]


def test_a_permission_that_is_held_elsewhere_is_refused_with_where() -> None:
    lead = permissions_of(frozenset({"measure-lead"}))
    assert "subtree+lead" in lead.refusal("item.read").say("en")
    assert "本单位及下级、本单位牵头的举措" in lead.refusal("item.read").say("zh")
    with refused("auth.not-permitted"):
        raise lead.refusal("item.start")


@pytest.mark.parametrize(
    ("role", "unit", "expected"),
    [
        ("auditor", None, (True, set(), set())),
        ("auditor", "ORG", (True, set(), set())),
        ("unit-reporter", "ORG", (False, {"ORG", "ORG-1"}, set())),
        ("unit-reporter", None, (False, set(), set())),
        ("measure-lead", "SOC", (False, {"SOC", "SOC-1"}, {"SOC"})),
        ("participant", "ORG", (False, set(), set())),
    ],
)
def test_a_list_shows_what_the_table_lets_be_seen(role: str, unit: str | None, expected: tuple[Any, ...]) -> None:
    everything, units, leads = permissions_of(frozenset({role})).scope("item.read", UNITS[unit] if unit else None)
    assert (everything, set(units), set(leads)) == (expected[0], *({unit_id(one) for one in s} for s in expected[1:]))
