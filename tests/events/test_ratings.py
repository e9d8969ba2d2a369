"""Ratings against sums done by hand: what is expected by a day, the gap to what is verified, what is overdue."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders import a_milestone
from common.contracts.measures import Method, ProgressBasis, Thresholds
from doors import Door
from events.views.rating import Because, Overdue, Rating, decided
from measures.item.ending import cancel_item
from stories import PlanStory, Told, learn

HALF_OF_2022, SEPTEMBER, YEARS_END = date(2022, 6, 30), date(2022, 9, 30), date(2022, 12, 31)
STRICT = Thresholds(green_gap=Decimal(0), yellow_gap=Decimal(3), yellow_overdue_days=0)


def planned(*days: date, weights: str = "") -> tuple[Any, ...]:
    """Milestones 1, 2, … for these days, of weight 1 unless others are given."""
    given = weights.split() or ["1"] * len(days)
    return tuple(
        a_milestone(number, planned_on=day, weight=weight)
        for number, (day, weight) in enumerate(zip(days, given, strict=True), 1)
    )


async def plan_of(views: Door, **asked: str) -> dict[str, Any]:
    """The whole plan as asked, with its stamp."""
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/plans/PLAN-1", params=asked)
    assert reply.status_code == 200, reply.text
    found: dict[str, dict[str, Any]] = reply.json()
    return found["plan"] | {"stamp": found["stamp"]}


async def measure_of(views: Door, code: str = "A1", **asked: str) -> dict[str, Any]:
    """One measure as asked."""
    async with views.client() as reader:
        reply = await reader.get(f"/api/v1/progress/measures/{code}", params={"plan": "PLAN-1"} | asked)
    assert reply.status_code == 200, reply.text
    measure: dict[str, Any] = reply.json()["measure"]
    return measure


# ── what is expected ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_expected_follows_the_planned_days(views: Door) -> None:
    """A1-01: weight 1 for 30 June, 3 for 30 September; A1-02: 1 for 31 December; from 1 October they weigh 3 and 1.

    29 June: (0 + 0)/2. 30 June, the day included: (1/4 + 0)/2 = 0.125. 30 September: (4/4 + 0)/2 = 0.5.
    1 October, weighted: (3·1 + 1·0)/4 = 0.75. 31 December: (3·1 + 1·1)/4 = 1.
    """
    told = Told()
    plan = told.plan()
    told.item("A1-01", milestones=planned(HALF_OF_2022, SEPTEMBER, weights="1 3"))
    told.item("A1-02", milestones=planned(YEARS_END))
    plan.weighs("items", "A1", date(2022, 10, 1), A1_01="3", A1_02="1")
    await learn(views.pool, told.records)

    for as_of, share in (
        ("2022-06-29", "0.000000"), ("2022-06-30", "0.125000"), ("2022-09-30", "0.500000"),
        ("2022-10-01", "0.750000"), ("2022-12-31", "1.000000"),
    ):  # fmt: skip
        expected = (await measure_of(views, as_of=as_of))["expected"]
        assert expected == {"now": share, "by_baseline": share, "gap": share, "gap_by_baseline": share}, as_of


async def test_a_moved_day_moves_what_is_expected_and_not_what_was_planned_at_first(views: Door) -> None:
    """Milestones for 30 June and 30 September; on 1 September the second is moved to 31 March; the first is attained.

    On 1 October: now 1/2, by the baseline 2/2, verified 1/2; so the gaps are 0 and 1/2. Before the move was known: 2/2.
    """
    told = Told()
    told.plan()
    item = told.item(milestones=planned(HALF_OF_2022, SEPTEMBER))
    before = item.attains(1, date(2022, 6, 1))
    item.does("reschedule_milestone", 2, planned_on=date(2023, 3, 31), reason="接口未开放", on=date(2022, 9, 1))
    await learn(views.pool, told.records)

    after = await measure_of(views, as_of="2022-10-01")
    assert after["expected"] == {
        "now": "0.500000", "by_baseline": "1.000000", "gap": "0.000000", "gap_by_baseline": "0.500000"
    }  # fmt: skip
    assert (after["rated"]["rating"], after["overdue"]) == ("green", {"count": 0, "days": 0})
    known = await measure_of(views, as_of="2022-10-01", known_at=before.isoformat())
    assert (known["expected"]["now"], known["expected"]["gap"]) == ("1.000000", "0.500000")
    assert (known["rated"]["rating"], known["overdue"]) == ("red", {"count": 1, "days": 1})


async def test_what_was_given_up_is_not_expected(views: Door) -> None:
    """A1-01: 1 for June and 1, cancelled on 1 August, for September; A1-02 for June, cancelled on 1 August.

    On 31 July: (1/2 + 1/1)/2 = 0.75. On 1 August A1-01's first alone: 1/1 = 1.
    """
    told = Told()
    told.plan()
    first = told.item("A1-01", milestones=planned(HALF_OF_2022, SEPTEMBER))
    first.does("cancel_milestone", 2, reason="撤并", authority="2022-8", on=date(2022, 8, 1))
    told.item("A1-02", milestones=planned(HALF_OF_2022)).ends(cancel_item, on=date(2022, 8, 1))
    await learn(views.pool, told.records)

    assert (await measure_of(views, as_of="2022-07-31"))["expected"]["now"] == "0.750000"
    assert (await measure_of(views, as_of="2022-08-01"))["expected"]["now"] == "1.000000"


async def test_an_item_of_local_items_expects_and_is_late_as_they_are(views: Door) -> None:
    """A1-01 of two local items, for June and September, its own milestone for June counts for nothing; YB-9 is apart.

    On 1 July: (1 + 0)/2 = 0.5 expected; the June one verified: (1 + 0)/2, gap 0. On 1 October: 1 expected, gap 0.5,
    overdue the local milestone by a day. On 1 January: that one (93 days), YB-1, YB-2 and A1-01 by a day: 4.
    """
    told = Told()
    told.plan()
    above = told.item("A1-01", progress_basis=ProgressBasis.LOCAL_ITEMS, milestones=planned(HALF_OF_2022))
    below = {"local_plan": "YB", "parent": above.item}
    told.item("YB-1", milestones=planned(HALF_OF_2022), **below).attains(1, date(2022, 6, 1))
    told.item("YB-2", milestones=planned(SEPTEMBER), **below)
    told.item("YB-9", milestones=planned(HALF_OF_2022), local_plan="YB")
    await learn(views.pool, told.records)

    for as_of, now, gap, late in (
        ("2022-07-01", "0.500000", "0.000000", {"count": 0, "days": 0}),
        ("2022-10-01", "1.000000", "0.500000", {"count": 1, "days": 1}),
        ("2023-01-01", "1.000000", "0.500000", {"count": 4, "days": 93}),
    ):
        measure = await measure_of(views, as_of=as_of)
        assert (measure["expected"]["now"], measure["expected"]["gap"], measure["overdue"]) == (now, gap, late), as_of


async def test_aspect_and_plan_expect_the_weighted_means_of_what_is_below(views: Door) -> None:
    """On 1 July A1 expects 1, A2 1/4, B1 0; verified are A1 1/2, A2 0, B1 0. From January A weighs 3, B 1; A2 weighs 3.

    A: (1·1 + 3·1/4)/4 = 0.4375, verified (1/2 + 0)/4 = 0.125, gap 0.3125. Plan: (3·0.4375 + 0)/4 = 0.328125,
    verified 3·0.125/4 = 0.09375, gap 0.234375. Overdue since 30 June: A1's second and A2's first milestone.
    """
    told = Told()
    plan = told.plan()
    told.item("A1-01", milestones=planned(HALF_OF_2022, HALF_OF_2022)).attains(1, date(2022, 6, 1))
    told.item("A2-01", measure="A2", milestones=planned(HALF_OF_2022, SEPTEMBER, weights="1 3"))
    told.item("B1-01", measure="B1", milestones=planned(SEPTEMBER))
    plan.weighs("measures", "A", date(2022, 1, 10), A1="1", A2="3")
    plan.weighs("aspects", "PLAN-1", date(2022, 1, 10), A="3", B="1")
    await learn(views.pool, told.records)

    whole = await plan_of(views, as_of="2022-07-01")
    a, b = whole["aspects"]
    assert (a["expected"]["now"], a["expected"]["gap"]) == ("0.437500", "0.312500")
    assert (b["expected"]["now"], b["expected"]["gap"]) == ("0.000000", "0.000000")
    assert (whole["expected"]["now"], whole["expected"]["gap"]) == ("0.328125", "0.234375")
    assert whole["overdue"] == a["overdue"] == {"count": 2, "days": 1}
    assert whole["ratings"] == {"done": 0, "grey": 0, "green": 1, "yellow": 0, "red": 2}
    assert a["ratings"] == {"done": 0, "grey": 0, "green": 0, "yellow": 0, "red": 2}


# ── what is rated how ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "gap", "count", "days", "rating", "because"),
    [
        ("accepted", "0.9", 5, 400, Rating.DONE, Because.ACCEPTED),
        ("accepted", None, 0, 0, Rating.DONE, Because.ACCEPTED),
        ("suspended", "0", 0, 0, Rating.GREY, Because.SUSPENDED),
        ("launched", None, 1, 1, Rating.GREY, Because.NO_DATA),
        ("launched", "-0.2", 0, 0, Rating.GREEN, Because.WITHIN_GREEN),
        ("launched", "0.050000", 0, 0, Rating.GREEN, Because.WITHIN_GREEN),
        ("launched", "0.050001", 0, 0, Rating.YELLOW, Because.WITHIN_YELLOW),
        ("launched", "0", 1, 1, Rating.YELLOW, Because.WITHIN_YELLOW),
        ("launched", "0.150000", 3, 30, Rating.YELLOW, Because.WITHIN_YELLOW),
        ("launched", "0.150001", 0, 0, Rating.RED, Because.BEYOND_YELLOW),
        ("submitted-for-acceptance", "0", 1, 31, Rating.RED, Because.BEYOND_YELLOW),
    ],
)
def test_the_first_rule_that_holds_decides(
    state: str, gap: str | None, count: int, days: int, rating: Rating, because: Because
) -> None:
    late = Overdue(count=count, days=days)
    assert decided(state, Decimal(gap) if gap else None, late, Thresholds()) == (rating, because)


def one_at_96_percent(told: Told) -> PlanStory:
    """A1: weight 96 verified, weight 4 planned for 30 June and open: a gap of 4 percentage points from that day on."""
    plan = told.plan()
    days = (date(2022, 3, 31), HALF_OF_2022)
    told.item(milestones=planned(*days, weights="96 4"), due_on=YEARS_END).attains(1, date(2022, 3, 1))
    return plan


@pytest.mark.parametrize(
    ("as_of", "gap", "late", "rating"),
    [
        ("2022-06-29", "0.000000", {"count": 0, "days": 0}, "green"),
        ("2022-06-30", "0.040000", {"count": 0, "days": 0}, "green"),  # expected on its day, overdue from the next
        ("2022-07-01", "0.040000", {"count": 1, "days": 1}, "yellow"),
        ("2022-07-30", "0.040000", {"count": 1, "days": 30}, "yellow"),
        ("2022-07-31", "0.040000", {"count": 1, "days": 31}, "red"),
        ("2023-01-01", "0.040000", {"count": 2, "days": 185}, "red"),  # and the item itself: 1 + 31 + 31 + 30 + 31 + …
    ],
)
async def test_a_rating_changes_with_the_mere_passing_of_days(
    views: Door, as_of: str, gap: str, late: dict[str, int], rating: str
) -> None:
    told = Told()
    one_at_96_percent(told)
    await learn(views.pool, told.records)
    measure = await measure_of(views, as_of=as_of)
    assert (measure["expected"]["gap"], measure["overdue"], measure["rated"]["rating"]) == (gap, late, rating)


async def test_a_due_date_that_is_moved_is_overdue_from_its_new_day(views: Door) -> None:
    told = Told()
    told.plan()
    item = told.item(milestones=planned(HALF_OF_2022))
    item.attains(1, date(2022, 6, 1))
    before = told.clock
    item.moves(date(2023, 6, 30), on=date(2022, 12, 1))
    await learn(views.pool, told.records)

    assert (await measure_of(views, as_of="2023-06-30"))["overdue"] == {"count": 0, "days": 0}
    assert (await measure_of(views, as_of="2023-07-01"))["overdue"] == {"count": 1, "days": 1}
    known = await measure_of(views, as_of="2023-01-10", known_at=before.isoformat())
    assert known["overdue"] == {"count": 1, "days": 10}


async def test_the_policy_in_force_on_the_day_decides_unless_the_present_one_is_asked_for(views: Door) -> None:
    """A gap of 4 points: green up to 5 by the defaults; from July 2022 on green up to 0 and yellow up to 3, so red."""
    told = Told()
    plan = one_at_96_percent(told)
    before = told.clock
    plan.does("adopt_policy", method=Method(), thresholds=STRICT, evidence_from=None, on=date(2022, 7, 1))
    await learn(views.pool, told.records)

    for asked, rating, version in (
        ({"as_of": "2022-06-30"}, "green", 0),
        ({"as_of": "2022-06-30", "policy": "current"}, "red", 1),
        ({"as_of": "2022-07-01"}, "red", 1),
        ({"as_of": "2022-07-01", "known_at": before.isoformat()}, "yellow", 0),
        ({"as_of": "2022-07-01", "known_at": before.isoformat(), "policy": "current"}, "red", 1),
    ):
        measure = await measure_of(views, **asked)
        assert (measure["rated"]["rating"], measure["rated"]["policy_version"]) == (rating, version), asked
        assert (await plan_of(views, **asked))["stamp"]["policy_version"] == version


async def test_a_policy_of_another_name_is_refused(views: Door) -> None:
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/measures", params={"policy": "mine"})
    assert reply.status_code == 422


async def test_what_is_overdue_is_listed_that_for_the_longest_first(views: Door) -> None:
    """On 2 January 2023: milestones of A1 and B1 (reported) since 30 June, 186 days; A1-01, A2-01 since 31 December."""
    told = Told()
    one_at_96_percent(told)
    told.item("A2-01", measure="A2", milestones=planned(date(2023, 6, 30)))
    told.item("A2-02", measure="A2", milestones=planned(HALF_OF_2022)).ends(cancel_item, on=date(2022, 12, 1))
    told.item("YB-1", local_plan="YB", milestones=planned(HALF_OF_2022))
    item = told.item("B1-01", measure="B1", milestones=planned(HALF_OF_2022), due_on=date(2023, 6, 30))
    item.reports(1, date(2022, 6, 1))
    await learn(views.pool, told.records)

    async def listed(**asked: Any) -> list[tuple[Any, ...]]:
        async with views.client() as reader:
            reply = await reader.get("/api/v1/progress/overdue", params={"as_of": "2023-01-02"} | asked)
        names = ("measure", "item", "milestone", "due_on", "days", "reported")
        assert all("题" not in str(one) and "owner" not in one for one in reply.json()["overdue"])  # anyone may ask
        return [tuple(one[name] for name in names) for one in reply.json()["overdue"]]

    everything = [
        ("A1", "A1-01", 2, "2022-06-30", 186, False),
        ("B1", "B1-01", 1, "2022-06-30", 186, True),
        ("A1", "A1-01", None, "2022-12-31", 2, False),
        ("A2", "A2-01", None, "2022-12-31", 2, False),
    ]
    assert await listed() == everything
    assert await listed(limit=1) == everything[:1]
    assert await listed(measure="A2") == everything[3:]
    assert await listed(as_of="2022-06-30") == []
    assert (await plan_of(views, as_of="2023-01-02"))["overdue"] == {"count": 4, "days": 186}
    async with views.client() as reader:
        assert (await reader.get("/api/v1/progress/overdue", params={"measure": "Z9"})).status_code == 404


async def test_what_is_overdue_is_read_page_by_page(views: Door) -> None:
    """Two items of A1 with two milestones each, all for one day: six of them, none missed and none told twice."""
    told = Told()
    told.plan()
    for code in ("A1-01", "A1-02"):
        told.item(code, milestones=planned(HALF_OF_2022, HALF_OF_2022), due_on=HALF_OF_2022)
    await learn(views.pool, told.records)

    async def paged(limit: int) -> list[tuple[str, int | None]]:
        seen, asked = [], {"as_of": "2023-01-02", "limit": str(limit)}
        async with views.client() as reader:
            while True:
                page = (await reader.get("/api/v1/progress/overdue", params=asked)).json()
                seen += [(one["item"], one["milestone"]) for one in page["overdue"]]
                if page["next"] is None:
                    return seen
                assert len(page["overdue"]) == limit
                asked["cursor"] = page["next"]

    everything = [(code, number) for code in ("A1-01", "A1-02") for number in (None, 1, 2)]
    for limit in (1, 2, 3, 4, 6, 7):
        assert await paged(limit) == everything, limit


@pytest.mark.parametrize(
    "cursor", ["", "A1-01", "2022-06-30/A1-01", "2022-06-30/A1-01/x", "2022-06-30/a b/1", "x/A1/1"]
)
async def test_a_cursor_that_no_page_gave_is_refused(views: Door, cursor: str) -> None:
    told = Told()
    told.plan()
    await learn(views.pool, told.records)
    async with views.client() as reader:
        reply = await reader.get("/api/v1/progress/overdue", params={"cursor": cursor})
    assert (reply.status_code, reply.json()["code"]) == (422, "request.cursor-invalid")
