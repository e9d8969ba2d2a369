"""What each unit answers for and helps with, against sums done by hand: with the names and the items of the day."""

from datetime import date
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from builders import CO_UNIT, JUDGE, OWNER, UNITS, a_milestone, circumstances, directory_history, recorded, unit_id
from common.contracts.directory import UnitRenamed
from common.contracts.measures import ProgressBasis
from doors import Door
from emptying import empty
from measures.item.ending import cancel_item
from reading import page
from stories import FIRST_KNOWN, Told, learn, milestones

HALF_OF_2022, SEPTEMBER = date(2022, 6, 30), date(2022, 9, 30)
NEVER = {"count": 0, "days": 0}


async def unit_of(views: Door, code: str, **asked: str) -> dict[str, Any]:
    """One unit as asked."""
    async with views.client() as reader:
        reply = await reader.get(f"/api/v1/progress/units/{code}", params=asked)
    assert reply.status_code == 200, reply.text
    unit: dict[str, Any] = reply.json()["unit"]
    return unit


async def known_units(views: Door) -> Told:
    """A plan and the units that the directory told of."""
    await learn(views.pool, [record._replace(recorded_at=FIRST_KNOWN) for record in directory_history()])
    told = Told()
    told.plan()
    return told


async def test_a_unit_is_as_far_as_the_items_that_it_owns_whatever_their_measures(views: Door) -> None:
    """ORG owns A1-01 (1 of 2 verified) and B1-01 (1 of 1 reported), helped by FIN in the second; A2-01 is YB's.

    ORG: verified (1/2 + 0)/2 = 0.25, reported (1/2 + 1)/2 = 0.75. FIN helps: 0 and 1. YB: 0 and 0.
    """
    told = await known_units(views)
    told.item("A1-01", milestones=milestones("1", "1"), co_units=()).attains(1, date(2022, 6, 1))
    told.item("B1-01", measure="B1", co_units=(CO_UNIT.id,)).reports(1, date(2022, 6, 1))
    await learn(views.pool, told.records)

    org, fin = await unit_of(views, "ORG"), await unit_of(views, "FIN")
    assert (org["owns"]["items"], org["owns"]["progress"]) == (2, {"reported": "0.750000", "verified": "0.250000"})
    assert org["owns"]["milestones"] == {"counted": 3, "reported": 2, "verified": 1}
    assert org["owns"]["by_state"]["in-progress"] == 2
    assert (org["helps"]["items"], org["helps"]["progress"]) == (0, {"reported": None, "verified": None})
    assert (org["helps"]["rated"]["rating"], org["helps"]["overdue"]) == ("grey", NEVER)
    assert (fin["owns"]["items"], fin["helps"]["items"]) == (0, 1)
    assert fin["helps"]["progress"] == {"reported": "1.000000", "verified": "0.000000"}


async def test_local_items_count_in_their_owners_row_and_in_no_municipal_figure(views: Door) -> None:
    """A1-01 of ORG is measured by YB-1 (attained) and YB-2 (not), which ORG owns too; YB-9 (attained) is part of none.

    The unit: (1/2 + 1 + 0 + 1)/4 = 0.625. The measure: 1/2.
    """
    told = await known_units(views)
    above = told.item("A1-01", progress_basis=ProgressBasis.LOCAL_ITEMS)
    below = {"local_plan": "YB", "parent": above.item}
    told.item("YB-1", **below).attains(1, date(2022, 6, 1))
    told.item("YB-2", **below)
    told.item("YB-9", local_plan="YB").attains(1, date(2022, 6, 1))
    await learn(views.pool, told.records)

    owns = (await unit_of(views, "ORG"))["owns"]
    assert (owns["items"], owns["progress"]["verified"]) == (4, "0.625000")
    async with views.client() as reader:
        measure = (await reader.get("/api/v1/progress/measures/A1")).json()["measure"]
    assert (measure["items"], measure["progress"]["verified"]) == (1, "0.500000")


async def test_a_unit_is_rated_by_its_gap_and_what_is_overdue_on_the_day_asked_for(views: Door) -> None:
    """ORG: weight 1 for 30 June and 3 for 30 September, nothing attained. 30 June: gap 1/4, nothing late yet.

    29 June: green. 30 June: red by the gap. 1 July: overdue by a day. With the item cancelled on 1 August: no data.
    """
    told = await known_units(views)
    planned = (
        a_milestone(1, planned_on=HALF_OF_2022, weight="1"),
        a_milestone(2, planned_on=SEPTEMBER, weight="3"),
    )
    item = told.item("A1-01", milestones=planned)
    before = told.clock
    item.ends(cancel_item, on=date(2022, 8, 1))
    await learn(views.pool, told.records)

    for asked, items, gap, late, rating in (
        ({"as_of": "2022-06-29"}, 1, "0.000000", NEVER, "green"),
        ({"as_of": "2022-06-30"}, 1, "0.250000", NEVER, "red"),
        ({"as_of": "2022-07-01"}, 1, "0.250000", {"count": 1, "days": 1}, "red"),
        ({"as_of": "2022-08-01"}, 0, None, NEVER, "grey"),
        ({"as_of": "2022-08-01", "known_at": before.isoformat()}, 1, "0.250000", {"count": 1, "days": 32}, "red"),
    ):
        owns = (await unit_of(views, "ORG", **asked))["owns"]
        found = (owns["items"], owns["expected"]["gap"], owns["overdue"], owns["rated"]["rating"])
        assert found == (items, gap, late, rating), asked


async def test_a_unit_bears_the_name_of_the_day_as_known_then(views: Door) -> None:
    told = await known_units(views)
    renamed = UnitRenamed(unit=unit_id("YB"), name_zh="新名", name_en="New name", valid_from=date(2022, 11, 1))
    about = circumstances("unit", unit_id("YB"), 2, effective_on=date(2022, 11, 1))
    await learn(views.pool, [*told.records, recorded(renamed, about)])

    assert (await unit_of(views, "YB", as_of="2022-10-31"))["name_zh"] == "单位YB"
    assert (await unit_of(views, "YB", as_of="2022-11-01"))["name_zh"] == "新名"
    assert (await unit_of(views, "YB", as_of="2022-11-01", known_at=told.clock.isoformat()))["name_zh"] == "单位YB"


async def test_units_are_listed_by_code_and_kind_page_by_page(views: Door) -> None:
    told = await known_units(views)
    await learn(views.pool, told.records)

    async def listed(**asked: Any) -> tuple[list[str], str | None]:
        async with views.client() as reader:
            reply = (await reader.get("/api/v1/progress/units", params=asked)).json()
        return [unit["code"] for unit in reply["units"]], reply["next"]

    assert await listed() == (sorted(UNITS), None)
    assert await listed(kind="municipal") == (["CQ"], None)
    assert await listed(as_of="2020-12-31", plan="PLAN-1") == ([], None)
    first, after = await listed(limit=3)
    rest, end = await listed(limit=200, cursor=after)
    assert (first + rest, end) == (sorted(UNITS), None)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/ZZ", 404, "unit.not-found"),
        ("/ORG?plan=NONE", 404, "plan.not-found"),
        ("?cursor=a%20b", 422, "request.cursor-invalid"),
        ("?cursor=", 422, "request.cursor-invalid"),
        ("?kind=club", 422, "request.invalid"),
    ],
)
async def test_what_is_not_there_is_refused(views: Door, path: str, status: int, code: str) -> None:
    told = await known_units(views)
    await learn(views.pool, told.records)
    async with views.client() as reader:
        reply = await reader.get(f"/api/v1/progress/units{path}")
    assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text


async def test_a_unit_leads_measures_until_another_does(views: Door) -> None:
    told = await known_units(views)
    measure = told.measure()
    measure.does("assign_lead", lead=OWNER.id, co_units=(), by=None, on=date(2022, 2, 1))
    measure.does("assign_lead", lead=JUDGE.id, co_units=(), by=None, on=date(2023, 1, 1))
    await learn(views.pool, told.records)

    led = [{"code": "A1", "rating": "grey"}]
    assert (await unit_of(views, "ORG", as_of="2022-12-31"))["leads"] == led
    assert (await unit_of(views, "ORG", as_of="2023-01-01"))["leads"] == []
    assert (await unit_of(views, "SOC", as_of="2023-01-01"))["leads"] == led


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("单位ORG", "单位FIN", "承担事项")), ("en", ("Unit ORG", "Unit FIN", "Items owned"))]
)
async def test_the_page_lists_units_that_have_a_part_and_no_others(
    views: Door, lang: str, words: tuple[str, ...]
) -> None:
    told = await known_units(views)
    told.item("A1-01", co_units=(CO_UNIT.id,)).attains(1, date(2022, 6, 1))
    await learn(views.pool, told.records)

    text = (await page(views, lang=lang)).text
    assert [word for word in words if word not in text] == []
    assert words[0].replace("ORG", "SOC") not in text
    assert words[0] in (await page(views, lang=lang, as_of="2022-06-01")).text
    assert words[0] not in (await page(views, lang=lang, as_of="2022-01-01")).text


# ── whatever happened ────────────────────────────────────────────────────────────────────────────────────────────────

THINGS = st.fixed_dictionaries(
    {
        "measure": st.sampled_from(["A1", "A2", "B1"]),
        "local": st.booleans(),
        "helpers": st.sets(st.sampled_from(["FIN", "YB"])),
        "attained": st.sets(st.integers(1, 3)),
        "cancelled": st.booleans(),
    }
)
PLANNED = {1: date(2022, 6, 30), 2: date(2022, 9, 30), 3: date(2023, 6, 30)}
"""For which days milestones 1 to 3 are planned, each with its number as weight; the items are due in 2025."""


def reckoned(things: list[dict[str, Any]], on: date) -> dict[str, Any]:
    """How far these items are and should be, and what of them is late: by going through them one by one."""
    listed = [one for one in things if not one["cancelled"]]
    late = [day for one in listed for number, day in PLANNED.items() if day < on and number not in one["attained"]]
    return {
        "items": len(listed),
        "verified": _mean([Fraction(sum(one["attained"]), 6) for one in listed]),
        "of all": _mean([Fraction(sum(one["attained"]), 6) for one in things]),
        "expected": _mean([Fraction(sum(n for n, day in PLANNED.items() if day <= on), 6) for _ in listed]),
        "overdue": {"count": len(late), "days": max(((on - day).days for day in late), default=0)},
    }


def _mean(shares: list[Fraction]) -> str | None:
    return f"{float(sum(shares) / len(shares)):.6f}" if shares else None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(things=st.lists(THINGS, max_size=7), on=st.sampled_from([date(2022, 9, 30), date(2023, 1, 1), date(2023, 7, 1)]))
async def test_whatever_a_unit_has_a_part_in_is_what_is_reckoned(
    views: Door, things: list[dict[str, Any]], on: date
) -> None:
    await empty(views)
    told = await known_units(views)
    for nth, one in enumerate(things):
        planned = tuple(a_milestone(number, planned_on=day, weight=str(number)) for number, day in PLANNED.items())
        item = told.item(
            f"{one['measure']}-{nth}",
            measure=one["measure"],
            local_plan="YB-2022" if one["local"] else None,
            co_units=tuple(unit_id(code) for code in sorted(one["helpers"])),
            milestones=planned,
            due_on=date(2025, 6, 30),
        )
        for number in sorted(one["attained"]):
            item.attains(number, date(2022, 2, number))
        if one["cancelled"]:
            item.ends(cancel_item, on=date(2022, 4, 1))
    await learn(views.pool, told.records)

    for code, name in (("ORG", "owns"), ("FIN", "helps"), ("YB", "helps"), ("SOC", "owns")):
        whose = {"ORG": things, "SOC": []}.get(code, [one for one in things if code in one["helpers"]])
        part = (await unit_of(views, code, as_of=on.isoformat()))[name]
        assert reckoned(whose, on) == {
            "items": part["items"],
            "verified": part["progress"]["verified"],
            "of all": part["original_scope"]["verified"],
            "expected": part["expected"]["now"],
            "overdue": part["overdue"],
        }, (code, name)
