"""The door to plans, from adoption to the end: one journey, and what is refused on the way with which code."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from builders import item_body, plan_body
from doors import Door
from local_plans import LOCAL_PLANS, local_plan_body
from measures.measure.domain import measure_id
from refusals import assert_problem

PLANS, ITEMS = "/api/v1/plans", "/api/v1/items"
A3 = {"code": "A3", "aspect": "A", "name_zh": "新举措", "name_en": "A new measure"}
REVISION = {"diff": {"measures": [A3]}, "reason": "上级新部署", "authority": "会议纪要 2023-1"}
WHY = {"reason": "延续至下一周期", "authority": "会议纪要 2026-2"}


async def _say(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    reply = await client.post(path, json=body)
    assert reply.status_code in (200, 201), reply.text
    said: dict[str, Any] = reply.json()
    return said


@pytest.fixture
async def in_force(office: httpx.AsyncClient, plan: str) -> str:
    """The address of a plan that is in its pilot phase."""
    await _say(office, f"{plan}/phases/P1/enter", effective_on="2022-01-05")
    return plan


async def test_a_plan_goes_from_adoption_to_its_closing(
    office: httpx.AsyncClient, reporter: httpx.AsyncClient, in_force: str
) -> None:
    await _say(office, f"{in_force}/revise", **REVISION, effective_on="2022-02-01")
    weights = [{"code": "A1", "weight": "50"}, {"code": "A2", "weight": "30"}, {"code": "A3", "weight": "20"}]
    await _say(
        office, f"{in_force}/weights", siblings="measures", parent="A", weights=weights, effective_on="2022-03-01"
    )
    await _say(office, f"{in_force}/scoring-policy", evidence_from="2023-01-01", effective_on="2022-06-01")
    first = (await office.post(ITEMS, json=item_body(code="A1-01"))).headers["location"]
    second = (await office.post(ITEMS, json=item_body(code="A1-02"))).headers["location"]
    local = f"{LOCAL_PLANS}/{(await _say(reporter, LOCAL_PLANS, **local_plan_body()))['id']}"
    evaluated = await _say(office, f"{in_force}/start-final-evaluation", effective_on="2026-01-05")
    assert evaluated["state"] == "final-evaluation"
    assert_problem(await office.post(ITEMS, json=item_body(code="A1-03")), 409, "plan.takes-no-new-items")

    checklist = (await office.get(f"{in_force}/closing-checklist")).json()
    assert [(one["code"], one["state"], one["address"]) for one in checklist["open"]] == [
        ("A1-01", "draft", first),
        ("A1-02", "draft", second),
        ("ORG-2022", "draft", local),
    ]
    assert {"assign", "cancel", "carry-over"} <= set(checklist["open"][0]["steps"])
    assert checklist["open"][2]["steps"] == ["redraft", "submit", "close"]
    assert_problem(await office.post(f"{in_force}/close", json={}), 409, "plan.still-open")

    await office.post(PLANS, json=plan_body(code="PLAN-2", ends_on="2030-12-31", effective_on="2026-01-10"))
    await _say(office, f"{first}/cancel", **WHY, effective_on="2026-02-01")
    await _say(office, f"{second}/carry-over", **WHY, successor="PLAN-2", effective_on="2026-03-31")
    await _say(office, f"{local}/close", reason="未报备", effective_on="2026-03-01")
    checklist = (await office.get(f"{in_force}/closing-checklist")).json()
    assert (checklist["open_count"], checklist["carried_over"]) == (0, ["A1-02"])
    assert checklist["settled_on"] == "2026-03-31"

    for body, code, at in (
        ({}, "plan.successor-needed", "/successor"),
        ({"successor": "PLAN-3"}, "plan.unknown", "/successor"),
        ({"successor": "PLAN-1"}, "plan.successor-itself", "/successor"),
        ({"successor": "PLAN-2", "effective_on": "2026-03-30"}, "effective.before-predecessor", "/effective_on"),
    ):
        assert_problem(await office.post(f"{in_force}/close", json=body), 422, code, at=at)
    closed = await _say(office, f"{in_force}/close", successor="PLAN-2", effective_on="2026-03-31")
    assert (closed["state"], closed["allowed_actions"]) == ("closed", ["amend"])
    assert_problem(await office.post(f"{in_force}/close", json={}), 409, "plan.closed-otherwise")
    await _say(office, f"{in_force}/amend", what="更正附件名称", authority="会议纪要 2026-3")

    read = (await office.get(in_force)).json()
    assert (read["successor"], read["amendments"][0]["what"]) == ("PLAN-2", "更正附件名称")
    assert read["weights"][0]["weights"][2] == {"code": "A3", "weight": "20"}
    assert read["policies"][0]["thresholds"] == {"green_gap": "5", "yellow_gap": "15", "yellow_overdue_days": 30}
    history = (await office.get(f"{in_force}/history")).json()
    assert history["chain"] == "ok"
    assert [event["type"].split(".")[-2] for event in history["events"]] == [
        "plan-defined", "plan-adopted", "phase-entered", "plan-revised", "weights-set", "scoring-policy-adopted",
        "final-evaluation-started", "plan-closed", "closed-plan-amended",
    ]  # fmt: skip
    (told,) = (event["data"] for event in history["events"] if "plan-closed" in event["type"])
    assert [one["code"] for one in told["carry_over"]] == ["A1-02"]


async def test_what_was_carried_over_into_the_wrong_plan_is_carried_into_the_right_one_before_the_closing(
    office: httpx.AsyncClient, in_force: str
) -> None:
    items = [(await office.post(ITEMS, json=item_body(code=code))).headers["location"] for code in ("A1-01", "A1-02")]
    for code, ends_on in (("PLAN-2", "2030-12-31"), ("PLAN-3", "2030-12-31"), ("SHORT", "2025-12-31")):
        await office.post(PLANS, json=plan_body(code=code, ends_on=ends_on, effective_on="2026-01-10"))
    await _say(office, f"{in_force}/start-final-evaluation", effective_on="2026-01-05")
    told = WHY | {"effective_on": "2026-03-31"}
    unfit = await office.post(f"{items[0]}/carry-over", json=told | {"successor": "SHORT"})
    assert_problem(unfit, 422, "item.successor-unfit", at="/successor")

    for item, successor in zip(items, ("PLAN-2", "PLAN-3"), strict=True):
        carried = await _say(office, f"{item}/carry-over", **told, successor=successor)
        assert carried["allowed_actions"] == ["carry-over"]
    checklist = (await office.get(f"{in_force}/closing-checklist")).json()
    assert (checklist["open_count"], checklist["successors"]) == (0, ["PLAN-2", "PLAN-3"])
    parted = await office.post(f"{in_force}/close", json={"successor": "PLAN-3"})
    assert_problem(parted, 422, "plan.carried-elsewhere", at="/successor")
    await _say(office, f"{items[0]}/carry-over", **told, successor="PLAN-3")
    await _say(office, f"{in_force}/close", successor="PLAN-3", effective_on="2026-03-31")
    read = (await office.get(items[0])).json()
    assert (read["state"], read["ending"]["successor"], read["allowed_actions"]) == ("carried-over", "PLAN-3", [])
    assert read["blocked"] == [{"action": "carry-over", "code": "item.plan-over"}]


async def test_a_measure_is_added_to_a_plan_by_a_revision_alone(office: httpx.AsyncClient, plan: str) -> None:
    more = plan_body(measures=[*plan_body()["measures"], A3])
    assert_problem(await office.post(PLANS, json=more), 409, "plan.needs-revision")
    without = {name: said for name, said in REVISION.items() if name != "authority"}
    assert_problem(await office.post(f"{plan}/revise", json=without), 422, "request.invalid", at="/authority")
    assert_problem(await office.post(ITEMS, json=item_body(measure="A3")), 422, "plan.unknown-measure")
    await _say(office, f"{plan}/revise", **REVISION, effective_on="2023-02-01")
    assert (await office.post(ITEMS, json=item_body(measure="A3", effective_on="2023-02-01"))).status_code == 201
    assert_problem(await office.post(PLANS, json=more), 409, "plan.code-taken")


async def test_nothing_is_done_about_a_measure_before_the_revision_that_added_it(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    revised = await _say(office, f"{plan}/revise", **REVISION, effective_on="2023-02-01")
    assert (await office.get(plan)).json()["added"] == [{"part": "measure", "code": "A3", "since": "2023-02-01"}]
    a3 = f"/api/v1/measures/{measure_id(UUID(revised['id']), 'A3')}"
    assert (await office.get(a3)).json()["put_down"]["added_on"] == "2023-02-01"
    of_it = {"plan": "PLAN-1", "subject_kind": "measure", "subject": "A3"}
    risk = {"code": "R01", "title_zh": "无人手", "title_en": "No hands", "owner": "ORG", "likelihood": 3, "impact": 4}
    rating = {"rating": "yellow", "reason": "刚起步", "expires_on": "2024-01-01"}
    for client, path, body in (
        (office, f"{a3}/lead", {"lead_unit": "ORG"}),
        (office, ITEMS, item_body(measure="A3")),
        (office, "/api/v1/risks", of_it | risk),
        (measures.client_for("independent-assurer", "SOC"), "/api/v1/assurances", of_it | rating),
    ):
        early = await client.post(path, json=body | {"effective_on": "2023-01-31"})
        assert_problem(early, 422, "effective.before-predecessor", at="/effective_on")
        assert (await client.post(path, json=body | {"effective_on": "2023-02-01"})).is_success


@pytest.mark.parametrize(
    ("weights", "code", "at"),
    [
        ({"A1-01": "1"}, "plan.weight-missing", "/weights"),
        ({"A1-01": "1", "A1-02": "1", "A2-01": "1"}, "plan.weight-not-a-sibling", "/weights/2/code"),
        ({"A1-01": "0", "A1-02": "0"}, "plan.weights-sum-to-zero", "/weights"),
        ({"A1-01": "-1", "A1-02": "1"}, "request.invalid", "/weights/0/weight"),
        ({"A1-01": "NaN", "A1-02": "1"}, "request.invalid", "/weights/0/weight"),
    ],
)
async def test_all_items_of_a_measure_are_weighted_in_one_command(
    office: httpx.AsyncClient, plan: str, weights: dict[str, str], code: str, at: str
) -> None:
    for item, measure in (("A1-01", "A1"), ("A1-02", "A1"), ("A2-01", "A2")):
        await _say(office, ITEMS, **item_body(code=item, measure=measure))
    said = {"siblings": "items", "parent": "A1", "weights": [{"code": c, "weight": w} for c, w in weights.items()]}
    assert_problem(await office.post(f"{plan}/weights", json=said), 422, code, at=at)


async def test_what_left_the_denominators_is_weighted_no_more(office: httpx.AsyncClient, plan: str) -> None:
    gone = (await office.post(ITEMS, json=item_body(code="A1-01"))).headers["location"]
    await _say(office, ITEMS, **item_body(code="A1-02"))
    await _say(office, f"{gone}/cancel", **WHY, effective_on="2022-02-01")
    weights = [{"code": "A1-02", "weight": "2.5"}]
    said = await _say(office, f"{plan}/weights", siblings="items", parent="A1", weights=weights)
    assert said["version"] == 3


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("revise", REVISION | {"diff": {"measures": [A3 | {"aspect": "Z"}]}}, 422, "plan.unknown-aspect"),
        ("revise", REVISION | {"diff": {"removed": ["A1"]}}, 422, "request.invalid"),
        ("scoring-policy", {"method": {"item_share": "0.7"}}, 422, "plan.policy-shares-not-one"),
        ("scoring-policy", {"weights": []}, 422, "request.invalid"),
        ("start-final-evaluation", {}, 409, "plan.wrong-state"),
        ("close", {}, 409, "plan.wrong-state"),
        ("amend", {"what": "x", "authority": "y"}, 409, "plan.wrong-state"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_written(
    office: httpx.AsyncClient, plan: str, written: Any, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    before = await written()
    assert_problem(await office.post(f"{plan}/{path}", json=body), status, code)
    assert await written() == before


async def test_only_the_office_and_the_auditor_see_the_checklist(measures: Door, plan: str) -> None:
    assert (await measures.client_for("auditor").get(f"{plan}/closing-checklist")).status_code == 200
    reporter = measures.client_for("unit-reporter", "ORG")
    assert_problem(await reporter.get(f"{plan}/closing-checklist"), 403, "auth.not-permitted")


async def test_lists_are_of_the_plan_in_force_and_else_of_the_one_in_its_final_evaluation(
    office: httpx.AsyncClient, in_force: str
) -> None:
    other = (await office.post(PLANS, json=plan_body(code="PLAN-2"))).headers["location"]
    await _say(office, f"{other}/adopt", issuer="市委深改办", document_number="2021-2", effective_on="2021-02-01")
    await _say(office, f"{in_force}/start-final-evaluation", effective_on="2026-01-05")
    assert [one["plan"] for one in (await office.get("/api/v1/measures")).json()["items"]] == ["PLAN-1"] * 3
    await _say(office, f"{other}/phases/P2/enter", effective_on="2023-01-05")
    assert [one["plan"] for one in (await office.get("/api/v1/measures")).json()["items"]] == ["PLAN-2"] * 3
    await _say(office, f"{in_force}/close", effective_on="2026-03-31")
    assert [one["plan"] for one in (await office.get("/api/v1/measures")).json()["items"]] == ["PLAN-2"] * 3
