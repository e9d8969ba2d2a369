"""How a measure stands on a day beside its figures: its state and lead, its tags, the independent rating, its risks."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from builders import CO_UNIT, JUDGE, OWNER, SETTLED
from common.contracts.measures import Focus, Method, Quality, SubjectKind, Tendency, Thresholds
from common.contracts.measures import Rating as Word
from doors import Door
from events import feed
from measures.assurance.domain import give_assurance
from measures.measure.surroundings import Tags
from measures.risk.domain import raise_risk
from measures.subject.partakers import NOBODY
from stories import NounStory, Told, learn


async def measure_of(views: Door, code: str = "A1", **asked: str) -> dict[str, Any]:
    """One measure as asked."""
    async with views.client() as reader:
        reply = await reader.get(f"/api/v1/progress/measures/{code}", params={"plan": "PLAN-1"} | asked)
    assert reply.status_code == 200, reply.text
    measure: dict[str, Any] = reply.json()["measure"]
    return measure


async def test_a_measure_shows_the_state_that_it_had_and_is_rated_by_it(views: Door) -> None:
    told = Told()
    plan = told.plan()
    told.item().attains(1, date(2022, 6, 1))
    measure = told.measure()
    measure.does("assign_lead", lead=OWNER.id, co_units=(CO_UNIT.id,), by=None, on=date(2022, 1, 5))
    measure.does("suspend", reason="机构调整", by=None, on=date(2022, 8, 1))
    measure.does("resume", by=None, on=date(2022, 9, 1))
    measure.does("submit", by=OWNER, on=date(2023, 1, 10))
    measure.does("return_to_lead", reason="材料不全", by=JUDGE, on=date(2023, 2, 1))
    measure.does("submit", by=OWNER, on=date(2023, 3, 1))
    measure.does("accept", score=Decimal(90), reviewers=(JUDGE,), by=JUDGE, on=date(2023, 4, 1))
    plan.does("adopt", issuer="机关", document_number="1", on=date(2021, 2, 1))
    plan.does("enter_phase", "P1", on=date(2022, 1, 5))
    plan.does("start_final_evaluation", on=date(2026, 1, 5))
    plan.does("close", SETTLED, successor=None, on=date(2026, 3, 31))
    await learn(views.pool, told.records)

    for as_of, state, rating, because in (
        ("2021-12-31", "planned", "grey", "no-data"),
        ("2022-01-31", "launched", "green", "within-green"),
        ("2022-02-01", "in-progress", "green", "within-green"),
        ("2022-08-01", "suspended", "grey", "suspended"),
        ("2022-09-01", "in-progress", "green", "within-green"),
        ("2023-01-10", "submitted-for-acceptance", "yellow", "within-yellow"),  # the item did not end by 31 December
        ("2023-02-01", "in-progress", "red", "beyond-yellow"),
        ("2023-04-01", "accepted", "done", "accepted"),
        ("2026-03-30", "accepted", "done", "accepted"),
        ("2026-03-31", "closed", "done", "accepted"),
    ):
        found = await measure_of(views, as_of=as_of)
        assert (found["state"], found["rated"]["rating"], found["rated"]["because"]) == (state, rating, because), as_of


async def test_a_measure_that_was_not_accepted_is_not_done_when_its_plan_is_closed(views: Door) -> None:
    told = Told()
    plan = told.plan()
    told.item()
    plan.does("adopt", issuer="机关", document_number="1", on=date(2021, 2, 1))
    plan.does("enter_phase", "P1", on=date(2022, 1, 5))
    plan.does("start_final_evaluation", on=date(2026, 1, 5))
    plan.does("close", SETTLED, successor=None, on=date(2026, 3, 31))
    await learn(views.pool, told.records)
    found = await measure_of(views)
    assert (found["state"], found["rated"]["rating"]) == ("closed", "red")


async def test_a_rating_says_in_both_languages_how_it_came_about(views: Door) -> None:
    told = Told()
    told.plan()
    told.item()  # planned for 30 June
    await learn(views.pool, told.records)
    assert (await measure_of(views, as_of="2022-07-10"))["rated"] == {
        "rating": "red",
        "name_zh": "滞后",
        "name_en": "far behind",
        "because": "beyond-yellow",
        "reason_zh": "差距 100 个百分点；逾期 1 项，最长 10 天",
        "reason_en": "Gap: 100 percentage points; overdue: 1, the longest by 10 days",
        "policy_version": 0,
    }


async def test_without_indicators_a_score_is_the_items_term_alone_and_says_so(views: Door) -> None:
    told = Told()
    plan = told.plan()
    item = told.item()
    item.attains(1, date(2022, 6, 1))
    half = Method(item_share=Decimal("0.5"), outcome_share=Decimal("0.5"))
    plan.does("adopt_policy", method=half, thresholds=Thresholds(), evidence_from=None, on=date(2022, 7, 1))
    await learn(views.pool, told.records)
    for as_of, value, share in (("2022-05-31", "0.000000", "0.6"), ("2022-07-01", "1.000000", "0.5")):
        assert (await measure_of(views, as_of=as_of))["score"] == {
            "value": value,
            "item_share": share,
            "outcome_share": str(1 - Decimal(share)),
            "attainment": None,
            "note_zh": "尚无成果指标，得分即事项的已核验进度",
            "note_en": "There are no outcome indicators: the score is the items' verified progress alone",
        }


async def test_leads_and_tags_are_those_of_the_day(views: Door) -> None:
    told = Told()
    told.plan()
    measure = told.measure()
    measure.does("assign_lead", lead=OWNER.id, co_units=(CO_UNIT.id,), by=None, on=date(2022, 2, 1))
    tags = Tags(qualities=(Quality.MASS,), tendencies=(Tendency.OFFICE,), focus=(Focus.WEAK_ITEM,))
    measure.does("tag", tags=tags, by=None, on=date(2022, 3, 1))
    measure.does("assign_lead", lead=JUDGE.id, co_units=(), by=None, on=date(2023, 1, 1))
    await learn(views.pool, told.records)

    for as_of, lead, co_units, words in (
        ("2022-01-31", None, [], []),
        ("2022-03-01", str(OWNER.id), [str(CO_UNIT.id)], ["mass", "office", "weak-item"]),
        ("2023-01-01", str(JUDGE.id), [], ["mass", "office", "weak-item"]),
    ):
        found = await measure_of(views, as_of=as_of)
        assert (found["lead_unit"], found["co_units"], found["tags"]) == (lead, co_units, words), as_of


def rated(told: Told, kind: SubjectKind, subject: str) -> NounStory:
    """Yellow from 1 March 2022 on, until 1 September."""
    given = give_assurance(
        id=uuid4(), plan="PLAN-1", subject_kind=kind, subject=subject, partakers=NOBODY, rating=Word.YELLOW,
        reason="进度存疑", expires_on=date(2022, 9, 1), by=JUDGE, on=date(2022, 3, 1),
    )  # fmt: skip
    return told.begins("assurance", given)


async def test_an_independent_rating_holds_until_the_next_its_withdrawal_or_its_last_day(views: Door) -> None:
    told = Told()
    told.plan()
    rated(told, SubjectKind.ITEM, "A1")  # an item of that code is none of the measure's
    story = rated(told, SubjectKind.MEASURE, "A1")
    first = told.clock
    story.does("give", rating=Word.RED, reason="更差", expires_on=date(2022, 10, 1), by=JUDGE, on=date(2022, 6, 1))
    story.does("withdraw", reason="有误", by=JUDGE, on=date(2022, 9, 15))
    story.does("give", rating=Word.GREEN, reason="好转", expires_on=date(2022, 12, 1), by=JUDGE, on=date(2022, 11, 1))
    await learn(views.pool, told.records)

    for as_of, word in (
        ("2022-02-28", None), ("2022-03-01", "yellow"), ("2022-05-31", "yellow"), ("2022-06-01", "red"),
        ("2022-09-14", "red"), ("2022-09-15", None), ("2022-11-01", "green"), ("2022-11-30", "green"),
        ("2022-12-01", None),
    ):  # fmt: skip
        assured = (await measure_of(views, as_of=as_of))["assured"]
        assert (assured and assured["rating"]) == word, as_of
    known = (await measure_of(views, as_of="2022-08-31", known_at=first.isoformat()))["assured"]
    assert known == {
        "rating": "yellow", "assurer": str(JUDGE.id), "given_on": "2022-03-01", "expires_on": "2022-09-01"
    }  # fmt: skip


def at_risk(told: Told, kind: SubjectKind, subject: str, on: date) -> NounStory:
    raised = raise_risk(
        id=uuid4(), plan="PLAN-1", subject_kind=kind, subject=subject, partakers=NOBODY, code="R", title_zh="风险",
        title_en="Risk", owner=OWNER.id, likelihood=3, impact=4, on=on,
    )  # fmt: skip
    return told.begins("risk", raised)


async def test_risks_of_a_measure_and_of_its_items_are_counted_until_they_are_over(views: Door) -> None:
    told = Told()
    told.plan()
    told.item("A1-01")
    told.item("A2-01", measure="A2")
    of_measure = at_risk(told, SubjectKind.MEASURE, "A1", date(2022, 3, 1))
    of_measure.does("mitigate", response="加派人手", by=OWNER, on=date(2022, 4, 1))
    of_measure.does("close", outcome="已消除", by=OWNER, on=date(2022, 6, 1))
    at_risk(told, SubjectKind.ITEM, "A1-01", date(2022, 4, 1)).does(
        "materialise", outcome="已发生", by=OWNER, on=date(2022, 7, 1)
    )
    at_risk(told, SubjectKind.ITEM, "A2-01", date(2022, 4, 1))
    await learn(views.pool, told.records)

    for as_of, number in (
        ("2022-02-28", 0),
        ("2022-03-01", 1),
        ("2022-04-01", 2),
        ("2022-06-01", 1),
        ("2022-07-01", 0),
    ):
        assert (await measure_of(views, as_of=as_of))["risks_open"] == number, as_of
    assert (await measure_of(views, "A2"))["risks_open"] == 1


async def what_moved(views: Door, told: Told) -> set[str]:
    """Of which measures the next thing that is learnt is told."""
    await feed.sequence(views.pool)
    _, before = await feed.span(views.pool)
    await learn(views.pool, told.records)
    told.records.clear()
    await feed.sequence(views.pool)
    return {change.measure for change in await feed.after(views.pool, before)}


async def test_whatever_moves_a_measure_is_told_whether_it_has_items_or_none(views: Door) -> None:
    told = Told()
    plan = told.plan()
    told.item("A1-01")
    await learn(views.pool, told.records)
    told.records.clear()

    story = rated(told, SubjectKind.MEASURE, "A2")
    assert await what_moved(views, told) == {"A2"}
    story.does("withdraw", reason="有误", by=JUDGE, on=date(2022, 8, 15))
    assert await what_moved(views, told) == {"A2"}
    at_risk(told, SubjectKind.ITEM, "A1-01", date(2022, 4, 1))
    assert await what_moved(views, told) == {"A1"}
    at_risk(told, SubjectKind.MEASURE, "B1", date(2022, 4, 1)).does(
        "mitigate", response="加派人手", by=OWNER, on=date(2022, 5, 1)
    )
    assert await what_moved(views, told) == {"B1"}
    plan.weighs("aspects", "PLAN-1", date(2022, 1, 10), A="3", B="1")
    assert await what_moved(views, told) == {"A1", "A2", "B1"}
    rated(told, SubjectKind.ITEM, "C9-01")  # nothing of it is known yet: it is told with its item
    assert await what_moved(views, told) == set()
