"""What is shown of a state, made without a model, is to the byte what its model would make of it."""

import dataclasses
from datetime import date
from itertools import product
from typing import Any
from unittest.mock import Mock

import orjson
import pytest

from builders import UNITS, call_of
from common.clock import business_date
from common.http import page
from common.showing import KEPT, Shown, offers, read_model
from nouns import NOUNS
from offers import Noun

ROLES = ("reform-office", "unit-reporter")


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_a_state_is_shown_as_its_model_says(noun: Noun[Any]) -> None:
    for state, role, unit in product(noun.states.values(), ROLES, UNITS):
        call = call_of(Mock(), role=role, unit=unit)
        told = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
        if hasattr(state, "as_of"):
            told |= dataclasses.asdict(state.as_of(business_date(call.now)))
        told |= offers(state, call.caller_unit, noun.store.permitted(call, state))
        expected = noun.store.read_model.model_validate(told).model_dump_json().encode()
        assert noun.store.seen(call, state) == expected


@dataclasses.dataclass(frozen=True, slots=True)
class Late:
    """What follows from the day."""

    days: int


@dataclasses.dataclass(frozen=True, slots=True)
class Thing:
    """Something that may be late."""

    name: str

    def as_of(self, today: date) -> Late:
        """So late it is."""
        return Late(today.day)


def test_a_field_that_is_told_twice_is_told_by_nobody() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Twice(Thing):
        days: int

    assert list(read_model(Thing).model_fields) == ["name", "days", "allowed_actions", "blocked"]
    with pytest.raises(TypeError, match="days"):
        read_model(Twice)


@pytest.mark.parametrize(
    ("found", "items", "after"),
    [([], [], None), ([7], [7], None), ([7, 8], [7, 8], None), ([7, 8, 9], [7, 8], "after 8")],
)
def test_a_page_is_what_was_asked_for_and_where_the_next_begins(
    found: list[int], items: list[int], after: str | None
) -> None:
    reply = page(found, 2, key=lambda one: f"after {one}", show=lambda one: b"%d" % one)
    assert orjson.loads(reply.body) == {"items": items, "next": after}
    assert reply.headers["content-type"] == "application/json"


def row(**told: Any) -> Any:
    """A row as it is read, with what stands beside it."""
    return {"id": 1, "hash": b"1", "above": "planned"} | told


@pytest.mark.parametrize(
    ("told", "viewer"),
    [({"id": 2}, "p-1"), ({"hash": b"2"}, "p-1"), ({"above": "suspended"}, "p-1"), ({}, "p-2")],
    ids=["another row", "it was changed since", "what stands beside it was", "another viewer"],
)
def test_what_was_shown_of_a_row_is_shown_again_until_anything_is_otherwise(told: dict[str, Any], viewer: str) -> None:
    shown = Shown(["above"])
    assert shown.of(row(), "p-1", lambda: b"first") == b"first"
    assert shown.of(row(), "p-1", lambda: b"second") == b"first"
    assert shown.of(row(**told), viewer, lambda: b"second") == b"second"


def test_of_what_was_shown_the_oldest_is_forgotten() -> None:
    shown = Shown([])
    for number in range(KEPT + 1):
        shown.of(row(id=number), "p-1", lambda: b"first")
    assert shown.of(row(id=1), "p-1", lambda: b"second") == b"first"
    assert shown.of(row(id=0), "p-1", lambda: b"second") == b"second"
