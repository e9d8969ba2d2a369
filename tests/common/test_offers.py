"""For every state, role and unit a step is offered if and only if its decision would not refuse it."""

from dataclasses import replace
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest

from builders import UNITS, call_of
from common.roles import ROLES, Over, Permissions, Table, permissions_of
from measures.item.domain import Item
from measures.plan.domain import Plan
from nouns import NOUNS
from nouns_of_measures import ITEM, PLAN
from offers import Noun, wrongs


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_what_is_offered_is_exactly_what_is_not_refused(noun: Noun[Any]) -> None:
    assert list(wrongs(noun)) == []


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_every_state_of_a_noun_is_walked(noun: Noun[Any]) -> None:
    names: set[Any] = {thing.state for thing in noun.states.values()}
    kind: Any = type(next(iter(names)))
    assert names == set(kind)


@pytest.mark.parametrize(
    ("noun", "permission"),
    [(name, one) for name, noun in NOUNS.items() for one in sorted({*noun.commands.values(), noun.store.to_see})],
)
@pytest.mark.parametrize("role", ["reform-office", "unit-reporter"])
def test_a_table_with_one_cell_changed_is_caught(noun: str, permission: str, role: str) -> None:
    reach = dict(ROLES[role])
    if reach.pop(permission, None) is None:
        reach[permission] = frozenset({Over.ALL})
    assert any(wrongs(NOUNS[noun], roles=[role], offered_by=Permissions.of(reach)))


def test_a_cell_that_reaches_too_far_is_caught() -> None:
    reporter = permissions_of(frozenset({"unit-reporter"})).reach
    further = Permissions.of({**reporter, "item.start": frozenset({Over.SUBTREE})})
    assert {wrong.unit for wrong in wrongs(ITEM, roles=["unit-reporter"], offered_by=further)} == {"CQ"}


def test_a_step_that_is_kept_quiet_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Item.steps
    monkeypatch.setattr(Item, "steps", lambda item, by: (one for one in steps(item, by) if one[1] != "close"))
    assert {wrong.path for wrong in wrongs(ITEM, roles=["reform-office"])} == {"close"}


def test_a_step_that_is_offered_to_who_is_not_independent_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Item.steps
    monkeypatch.setattr(Item, "steps", lambda item, by: ((need, path, None) for need, path, _ in steps(item, by)))
    assert "judge.not-independent" in {wrong.decided for wrong in wrongs(ITEM, roles=["reform-office"])}


def test_a_step_that_names_another_permission_than_its_route_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Plan.steps
    monkeypatch.setattr(Plan, "steps", lambda plan, by: (("plan.read", path, no) for _, path, no in steps(plan, by)))
    assert any(wrongs(PLAN, roles=["auditor"]))


def test_a_step_that_no_route_leads_to_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "steps", lambda plan, by: iter([("plan.adopt", "abolish", None)]))
    assert {wrong.decided for wrong in wrongs(PLAN, roles=["reform-office"]) if wrong.path == "abolish"} == {
        "no such command"
    }


def test_every_noun_of_the_table_is_walked() -> None:
    read = {permission.removesuffix(".read") for held in ROLES.values() for permission in held if ".read" in permission}
    assert read == NOUNS.keys()


def test_no_word_of_the_table_is_without_effect() -> None:
    assert [cell for noun in NOUNS.values() for cell in _without_effect(noun, ROLES)] == []


def test_a_word_without_effect_is_found() -> None:
    """A plan concerns no unit: nobody holds anything over one's own."""
    table = {"unit-leader": {"plan.read": frozenset({Over.ALL}), "plan.adopt": frozenset({Over.OWN, Over.ALL})}}
    assert _without_effect(PLAN, table) == [("unit-leader", "plan.adopt", "own")]


def _without_effect(noun: Noun[Any], table: Table) -> list[tuple[str, str, str]]:
    """The words in the cells of a noun by which a role holds nothing over any of its things, whatever its unit."""
    cells = [(role, one, word) for role, held in table.items() for one, over in held.items() for word in over]
    commands = {*noun.commands.values(), noun.store.to_see}
    return [(*cell,) for cell in cells if cell[1] in commands and not _has_effect(noun, cell[1], cell[2])]


def _has_effect(noun: Noun[Any], permission: str, word: Over) -> bool:
    alone = Permissions.of({permission: frozenset({word})})
    calls = [replace(call_of(Mock(), unit=code), permissions=alone) for code in UNITS]
    return any(noun.store.permitted(call, thing) for call, thing in product(calls, noun.states.values()))
