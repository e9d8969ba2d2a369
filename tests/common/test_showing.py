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
from common.showing import offers, read_model
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
