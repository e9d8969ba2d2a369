"""What the directory takes in, and how a unit comes to bear another name."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.directory import UnitEstablished, UnitKind, UnitRenamed
from common.decision import Refused
from refusals import refused
from societies.unit.domain import AssociationUnit, UnitState, establish_unit

ESTABLISHED = date(2021, 1, 1)
PARENT = uuid4()
BELOW_THE_CITY = [kind for kind in UnitKind if kind is not UnitKind.MUNICIPAL]


def words(**changed: Any) -> dict[str, Any]:
    """What ``establish_unit`` is told: the association of a district."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "code": "KX-YUZHONG",
        "kind": UnitKind.DISTRICT,
        "name_zh": "渝中区科协",
        "name_en": "Yuzhong District Association",
        "parent": PARENT,
        "division_code": "500103",
        "zone_code": None,
        "on": ESTABLISHED,
    }
    return told | changed


def words_of(kind: UnitKind, **changed: Any) -> dict[str, Any]:
    """What ``establish_unit`` is told of a lawful unit of this kind."""
    lawful = {
        "kind": kind,
        "parent": None if kind is UnitKind.MUNICIPAL else PARENT,
        "division_code": "500103" if kind is UnitKind.DISTRICT else None,
        "zone_code": "CQZ-GX" if kind is UnitKind.ZONE else None,
    }
    return words(**(lawful | changed))


def a_unit() -> AssociationUnit:
    return establish_unit(**words()).state


def a_renamed_unit() -> AssociationUnit:
    """A unit that bears another name from 2023-05-01 on."""
    return a_unit().rename(name_zh="新名", name_en="New name", on=date(2023, 5, 1)).state


@pytest.mark.parametrize("kind", UnitKind)
def test_a_unit_of_every_kind_can_be_established(kind: UnitKind) -> None:
    unit = establish_unit(**words_of(kind)).state

    assert (unit.kind, unit.state, unit.version) == (kind, UnitState.ACTIVE, 1)


def test_an_established_unit_is_told_of_with_all_its_particulars() -> None:
    told = words()

    change = establish_unit(**told)

    on = told.pop("on")
    assert change.events == (UnitEstablished(unit=told.pop("id"), established_on=on, **told),)
    assert change.effective_on == on


def test_a_unit_bears_its_first_name_from_the_day_it_was_established() -> None:
    assert a_unit().named_from == ESTABLISHED


@pytest.mark.parametrize("kind", BELOW_THE_CITY)
def test_every_unit_but_the_municipal_association_has_a_parent(kind: UnitKind) -> None:
    with refused("unit.parent-needed", at="/parent"):
        establish_unit(**words_of(kind, parent=None))


def test_the_municipal_association_has_no_parent() -> None:
    with refused("unit.municipal-has-no-parent"):
        establish_unit(**words_of(UnitKind.MUNICIPAL, parent=PARENT))


@pytest.mark.parametrize(
    ("kind", "area"), [(UnitKind.DISTRICT, "division_code"), (UnitKind.ZONE, "zone_code")], ids=["district", "zone"]
)
def test_the_association_of_a_district_or_zone_says_which_it_serves(kind: UnitKind, area: str) -> None:
    with refused("unit.area-needed", at=f"/{area}"):
        establish_unit(**words_of(kind, **{area: None}))


@pytest.mark.parametrize("kind", [kind for kind in UnitKind if kind is not UnitKind.DISTRICT])
def test_no_unit_but_a_districts_association_serves_a_division(kind: UnitKind) -> None:
    with refused("unit.area-unfit", at="/division_code"):
        establish_unit(**words_of(kind, division_code="500103"))


@pytest.mark.parametrize("kind", [kind for kind in UnitKind if kind is not UnitKind.ZONE])
def test_no_unit_but_a_zones_association_serves_a_zone(kind: UnitKind) -> None:
    with refused("unit.area-unfit", at="/zone_code"):
        establish_unit(**words_of(kind, zone_code="CQZ-GX"))


def test_a_refusal_says_in_both_languages_what_is_missing() -> None:
    with pytest.raises(Refused) as caught:
        establish_unit(**words(division_code=None))

    assert caught.value.say("zh") == "类别为 district 的单位须载明 division_code"
    assert caught.value.say("en") == "A unit of kind district needs a division_code"


def test_a_unit_bears_another_name_from_a_given_day_on() -> None:
    unit = a_unit()

    change = unit.rename(name_zh="新名", name_en="New name", on=date(2023, 5, 1))

    assert change.events == (
        UnitRenamed(unit=unit.id, name_zh="新名", name_en="New name", valid_from=date(2023, 5, 1)),
    )
    assert change.state == replace(unit, version=2, name_zh="新名", name_en="New name", named_from=date(2023, 5, 1))


def test_a_name_in_one_language_may_change_alone() -> None:
    unit = a_unit()

    renamed = unit.rename(name_zh=unit.name_zh, name_en="Yuzhong", on=date(2023, 5, 1)).state

    assert (renamed.name_zh, renamed.name_en) == (unit.name_zh, "Yuzhong")


def test_the_name_that_a_unit_bears_already_changes_nothing_whatever_the_day() -> None:
    unit = a_renamed_unit()

    for on in (date(2020, 1, 1), date(2023, 5, 1), date(2024, 1, 1)):
        change = unit.rename(name_zh="新名", name_en="New name", on=on)
        assert (change.state, change.events) == (unit, ())


def test_a_unit_may_get_back_the_name_that_it_had() -> None:
    unit = a_unit()

    again = a_renamed_unit().rename(name_zh=unit.name_zh, name_en=unit.name_en, on=date(2024, 1, 1))

    assert again.state.name_zh == unit.name_zh
    assert len(again.events) == 1


def test_a_unit_has_no_new_name_before_it_was_established() -> None:
    with refused("effective.before-predecessor"):
        a_unit().rename(name_zh="新名", name_en="New name", on=date(2020, 12, 31))


def test_a_name_does_not_begin_before_the_one_that_it_replaces() -> None:
    with refused("effective.before-predecessor"):
        a_renamed_unit().rename(name_zh="又名", name_en="Newer name", on=date(2023, 4, 30))


def test_a_name_may_be_replaced_on_the_day_it_began() -> None:
    corrected = a_renamed_unit().rename(name_zh="又名", name_en="Newer name", on=date(2023, 5, 1)).state

    assert (corrected.name_zh, corrected.named_from, corrected.version) == ("又名", date(2023, 5, 1), 3)


@pytest.mark.parametrize("state", [UnitState.MERGED, UnitState.DISSOLVED])
def test_a_unit_that_is_no_more_keeps_its_name_and_offers_nothing(state: UnitState) -> None:
    gone = replace(a_unit(), state=state)

    with refused("unit.wrong-state"):
        gone.rename(name_zh="新名", name_en="New name", on=date(2023, 5, 1))
    assert list(gone.steps(None)) == []


def test_an_active_unit_may_be_renamed() -> None:
    assert list(a_unit().steps(None)) == [("unit.rename", "rename", None)]
