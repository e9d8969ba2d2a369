"""The seeds say what is public exactly, mark what is a sample, and tell courses that their own rules allow."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from common.roles import ROLES
from kegai.language import StackError
from kegai.seeds import Seeds, read
from kegai.seeds.course import course
from kegai.seeds.data import FOLDER, Item

# GB/T 2260 as of 2022, with the Chinese name: 26 districts, 8 counties, 4 autonomous counties.
DIVISIONS = {
    "500101": "万州区", "500102": "涪陵区", "500103": "渝中区", "500104": "大渡口区", "500105": "江北区",
    "500106": "沙坪坝区", "500107": "九龙坡区", "500108": "南岸区", "500109": "北碚区", "500110": "綦江区",
    "500111": "大足区", "500112": "渝北区", "500113": "巴南区", "500114": "黔江区", "500115": "长寿区",
    "500116": "江津区", "500117": "合川区", "500118": "永川区", "500119": "南川区", "500120": "璧山区",
    "500151": "铜梁区", "500152": "潼南区", "500153": "荣昌区", "500154": "开州区", "500155": "梁平区",
    "500156": "武隆区", "500229": "城口县", "500230": "丰都县", "500231": "垫江县", "500233": "忠县",
    "500235": "云阳县", "500236": "奉节县", "500237": "巫山县", "500238": "巫溪县", "500240": "石柱土家族自治县",
    "500241": "秀山土家族苗族自治县", "500242": "酉阳土家族苗族自治县", "500243": "彭水苗族土家族自治县",
}  # fmt: skip


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return read()


def test_the_plan_has_four_aspects_and_fifteen_measures(seeds: Seeds) -> None:
    assert [aspect.code for aspect in seeds.plan.aspects] == ["A", "B", "C", "D"]
    assert len(seeds.plan.measures) == 15
    assert Counter(measure.aspect for measure in seeds.plan.measures) == {"A": 2, "B": 3, "C": 3, "D": 7}


def test_the_phases_follow_one_another_and_are_entered_within_themselves(seeds: Seeds) -> None:
    phases = seeds.plan.phases
    assert [(p.code, p.mode, p.starts_on.year, p.ends_on.year) for p in phases] == [
        ("P0", "preparation", 2021, 2021),
        ("P1", "pilot", 2022, 2022),
        ("P2", "full", 2023, 2025),
    ]
    assert all(p.starts_on <= p.entered_on <= p.ends_on for p in phases)
    assert seeds.plan.defined_on <= seeds.plan.adopted_on <= phases[0].entered_on


def test_the_document_number_is_marked_as_a_placeholder(seeds: Seeds) -> None:
    assert "占位" in seeds.plan.document_number
    assert "placeholder" in seeds.plan.document_number


def test_there_are_41_district_level_units_with_the_divisions_of_2022(seeds: Seeds) -> None:
    districts = [unit for unit in seeds.units if unit.kind == "district"]
    zones = [unit for unit in seeds.units if unit.kind == "zone"]
    assert (len(districts), len(zones)) == (38, 3)
    assert {unit.division_code for unit in districts} == set(DIVISIONS)
    assert {unit.zone_code for unit in zones} == {"CQZ-LJ", "CQZ-GX", "CQZ-WS"}
    for unit in districts:
        assert unit.division_code is not None
        assert DIVISIONS[unit.division_code] in unit.name_zh
        assert unit.name_en.endswith(" Association for Science and Technology")


def test_unit_codes_are_unique_and_every_parent_is_there(seeds: Seeds) -> None:
    codes = [unit.code for unit in seeds.units]
    assert len(codes) == len(set(codes)) == 48
    assert {unit.parent for unit in seeds.units} == {None, "CQKX"}
    assert [unit.code for unit in seeds.units if unit.parent is None] == ["CQKX"]


def test_there_are_three_programmes_under_known_measures(seeds: Seeds) -> None:
    assert [programme.name_zh for programme in seeds.programmes] == [
        "科技英才专题研修班",
        "重庆市领导干部科技讲堂",
        "重庆英才讲堂",
    ]
    assert all(programme.defined_on <= programme.activated_on for programme in seeds.programmes)


def test_95_items_are_spread_over_all_measures(seeds: Seeds) -> None:
    assert len({item.code for item in seeds.items}) == len(seeds.items) == 95
    per_measure = Counter(item.measure for item in seeds.items)
    assert set(per_measure) == {measure.code for measure in seeds.plan.measures}
    assert min(per_measure.values()) >= 5
    assert all(item.code.startswith(item.measure) for item in seeds.items)


def test_no_two_items_are_alike(seeds: Seeds) -> None:
    for text in ("title_zh", "title_en", "problem", "deliverable", "effect"):
        assert len({getattr(item, text) for item in seeds.items}) == 95


@pytest.mark.parametrize("name", ["items.csv", "milestones.csv"])
def test_every_sample_row_says_that_it_is_one(name: str) -> None:
    with (FOLDER / name).open(encoding="utf-8") as file:
        assert {row["note"] for row in csv.DictReader(file)} == {"示例数据 sample"}


def test_the_departments_say_that_they_are_samples(seeds: Seeds) -> None:
    departments = [unit for unit in seeds.units if unit.kind == "department"]
    assert len(departments) == 6
    assert {unit.note for unit in departments} == {"示例数据 sample"}


def test_nobody_judges_their_own_work_and_the_municipal_association_owns_none(seeds: Seeds) -> None:
    departments = {unit.code for unit in seeds.units if unit.kind == "department"}
    for item in seeds.items:
        assert item.verifier in departments - {item.owner, *item.co_units}
        assert "CQKX" not in {item.owner, *item.co_units}
        assert item.owner not in item.co_units


def test_districts_own_some_items_and_take_part_in_many(seeds: Seeds) -> None:
    assert 3 <= sum(item.owner.startswith("KX-") for item in seeds.items) <= 20
    assert sum(bool(item.co_units) for item in seeds.items) > 40


def test_every_item_has_two_to_five_milestones_numbered_from_one(seeds: Seeds) -> None:
    for item in seeds.items:
        assert [one.number for one in item.milestones] == list(range(1, len(item.milestones) + 1))
        assert 2 <= len(item.milestones) <= 5
        assert all(one.weight > 0 for one in item.milestones)
        assert any(one.required for one in item.milestones)
        assert item.planned_start_on <= min(one.planned_on for one in item.milestones)
        assert max(one.planned_on for one in item.milestones) <= item.due_on <= seeds.plan.ends_on


def test_a_course_goes_forward_in_time_and_stays_within_the_plan(seeds: Seeds) -> None:
    for item in seeds.items:
        days = [item.added_on, *(step.on for step in course(item))]
        assert days == sorted(days)
        assert seeds.plan.adopted_on <= days[0] <= days[-1] <= seeds.plan.ends_on
        assert all(one.attained_on >= days[0] for one in item.milestones if one.attained_on)


def test_items_stand_everywhere_between_assigned_and_struck_off(seeds: Seeds) -> None:
    standing = Counter(_standing(item) for item in seeds.items)
    assert set(standing) == {"assigned", "acknowledged", "in progress", "reported done", "closed"}
    assert standing["closed"] >= 25
    assert standing["in progress"] >= 25


def test_some_milestones_were_late_some_returned_and_some_entered_long_after(seeds: Seeds) -> None:
    milestones = [one for item in seeds.items for one in item.milestones]
    assert sum(one.attained_on is not None and one.attained_on > one.planned_on for one in milestones) >= 20
    assert sum(one.returned_on is not None for one in milestones) >= 10
    assert sum(_waited(one.attained_on, one.reported_on) > 120 for one in milestones) >= 8
    assert any(one.rescheduled_on for one in milestones)
    assert any(one.cancelled_on for one in milestones)


def test_measures_stand_apart_and_b2_at_about_two_fifths(seeds: Seeds) -> None:
    progress = {measure.code: _verified_share(seeds, measure.code) for measure in seeds.plan.measures}
    assert len(set(progress.values())) == 15
    assert Decimal("0.35") < progress["B2"] < Decimal("0.45")
    assert min(progress.values()) < Decimal("0.25")
    assert max(progress.values()) > Decimal("0.9")


def test_b2_03_has_a_milestone_that_waits_for_its_verdict(seeds: Seeds) -> None:
    (item,) = (item for item in seeds.items if item.code == "B2-03")
    assert any(one.reported_on and not one.verified_on and not one.returned_on for one in item.milestones)


def test_every_step_is_given_by_a_role_that_may_take_it(seeds: Seeds) -> None:
    for item in seeds.items:
        for step in course(item):
            noun = "milestone" if step.path.startswith("milestones/") else "item"
            assert f"{noun}.{step.path.rsplit('/')[-1]}" in ROLES[step.by[0]]


Edit = Callable[[list[dict[str, str]]], None]


@pytest.mark.parametrize(
    ("said", "edit"),
    [
        ("A1-01: a step comes before its predecessor", lambda rows: rows[0].update(assigned_on="2021-01-04")),
        ("A1-01: a step has no day while a later one has", lambda rows: rows[0].update(started_on="")),
        ("A1-01: there is no unit KX-NOWHERE", lambda rows: rows[0].update(owner="KX-NOWHERE")),
        ("A1-01: whoever verifies belongs to the owner", lambda rows: rows[0].update(owner="CQKX")),
        ("A1-01: there is no measure E1", lambda rows: rows[0].update(measure="E1")),
        ("row 2, column due_on", lambda rows: rows[0].update(due_on="30.6.2023")),
        ("row 3, column measure", lambda rows: rows[1].update(measure="")),
        ("A1-01: a milestone belongs to no item", lambda rows: rows.pop(0)),
    ],
)
def test_a_list_of_ones_own_that_contradicts_itself_is_refused(tmp_path: Path, said: str, edit: Edit) -> None:
    with (FOLDER / "items.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    edit(rows)
    mine = tmp_path / "items.csv"
    with mine.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(StackError) as refused:
        read(mine, FOLDER / "milestones.csv")
    assert said in refused.value.en


def test_items_without_their_milestones_are_refused() -> None:
    with pytest.raises(StackError):
        read(FOLDER / "items.csv")


def _standing(item: Item) -> str:
    if item.closed_on:
        return "closed"
    if item.reported_again_on or (item.reported_done_on and not item.returned_on):
        return "reported done"
    return "in progress" if item.started_on else "acknowledged" if item.acknowledged_on else "assigned"


def _waited(attained_on: date | None, reported_on: date | None) -> int:
    return (reported_on - attained_on).days if attained_on and reported_on else 0


def _verified_share(seeds: Seeds, measure: str) -> Decimal:
    """The mean over the measure's items of the verified share of their milestones' weight."""
    shares: list[Decimal] = []
    for item in (item for item in seeds.items if item.measure == measure):
        counted = [one for one in item.milestones if not one.cancelled_on]
        verified = sum((one.weight for one in counted if one.verified_on), Decimal())
        shares.append(verified / sum((one.weight for one in counted), Decimal()))
    return sum(shares, Decimal()) / len(shares)
