"""Items of a unit's own plan: what they may be part of, and what of a municipal item is measured by them."""

from datetime import date
from typing import Any

import httpx
import pytest

from builders import a_draft_item, item_body, item_words, plan_body, unit_id
from common.contracts.measures import ProgressBasis, ReformItemAdded
from doors import Door
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.ending import cancel_item, merge_item
from refusals import assert_problem, refused

ITEMS = "/api/v1/items"
LATER = date(2022, 9, 1)
WHY: dict[str, Any] = {"reason": "任务重复", "authority": "会议纪要", "by": None}


def a_parent(**changed: Any) -> Item:
    """A municipal item whose progress is measured by local items."""
    return a_draft_item(**({"progress_basis": ProgressBasis.LOCAL_ITEMS} | changed))


def a_local_item(**changed: Any) -> Item:
    """An item of the local plan YB."""
    return a_draft_item(**({"code": "YB-A1-01", "local_plan": "YB"} | changed))


# ── what it may be part of ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_local_item_is_part_of_a_municipal_one() -> None:
    parent = a_parent()
    change = add_item(**item_words(code="YB-A1-01", local_plan="YB", parent=parent))
    added = change.events[0]
    assert isinstance(added, ReformItemAdded)
    assert (added.local_plan, added.parent, added.progress_basis) == ("YB", parent.id, ProgressBasis.MILESTONES)
    assert (change.state.local_plan, change.state.parent) == ("YB", parent.id)


def test_a_local_item_is_not_part_of_one_before_that_was_listed() -> None:
    parent = a_parent(on=date(2022, 1, 6))
    with refused("effective.before-predecessor", at="/effective_on"):
        add_item(**item_words(code="YB-A1-01", local_plan="YB", parent=parent, on=date(2022, 1, 5)))


def test_a_local_item_need_not_be_part_of_another() -> None:
    assert a_local_item().parent is None


def test_a_municipal_item_is_part_of_no_other() -> None:
    with refused("item.parent-of-municipal", at="/parent"):
        a_draft_item(parent=a_parent())


@pytest.mark.parametrize("elsewhere", [{"plan": "PLAN-2"}, {"measure": "A2"}])
def test_a_local_item_is_part_of_one_of_the_same_plan_and_measure(elsewhere: dict[str, str]) -> None:
    with refused("item.parent-elsewhere", at="/parent"):
        a_local_item(parent=a_parent(**elsewhere))


def test_a_local_item_is_not_part_of_a_local_one() -> None:
    with refused("item.parent-elsewhere", at="/parent"):
        a_local_item(parent=a_local_item(code="YB-A1-02"))


def test_the_progress_of_an_item_is_never_measured_by_both() -> None:
    with refused("item.parent-by-milestones", at="/parent"):
        a_local_item(parent=a_draft_item())
    with refused("item.local-by-local", at="/progress_basis"):
        a_local_item(progress_basis=ProgressBasis.LOCAL_ITEMS)


def test_an_item_that_has_ended_takes_no_local_ones() -> None:
    with refused("item.parent-ended", at="/parent"):
        a_local_item(parent=cancel_item(a_parent(), **WHY, on=LATER).state)


def test_a_municipal_item_is_not_merged_into_a_local_one_nor_the_other_way_round() -> None:
    municipal, local = a_draft_item(), a_local_item()
    for one, other in ((municipal, local), (local, municipal)):
        with refused("item.merged-elsewhere", at="/into"):
            merge_item(one, into=other, **WHY, on=LATER)


# ── at the door ──────────────────────────────────────────────────────────────────────────────────────────────────────


LOCAL_PLAN = {
    "plan": "PLAN-1",
    "code": "YB-2022",
    "title_zh": "试点方案",
    "title_en": "Pilot plan",
    "document_number": "示例",
    "measures": ["A1"],
    "starts_on": "2022-01-01",
    "ends_on": "2022-12-31",
    "effective_on": "2022-01-02",
}


@pytest.fixture
async def district(measures: Door, office: httpx.AsyncClient, plan: str) -> httpx.AsyncClient:
    """Who reports for the district YB, whose plan is on file."""
    client = measures.client_for("unit-reporter", "YB")
    drafted = await client.post("/api/v1/local-plans", json=LOCAL_PLAN)
    assert drafted.status_code == 201, drafted.text
    address = drafted.headers["location"]
    for who, step, body in ((client, "submit", {}), (office, "file", {"filing_number": "备案1号"})):
        reply = await who.post(f"{address}/{step}", json=body | {"effective_on": "2022-01-03"})
        assert reply.status_code == 200, reply.text
    return client


def local_body(**changed: Any) -> dict[str, Any]:
    return item_body(code="YB-A1-01", owner="YB", co_units=[], local_plan="YB-2022") | changed


async def test_a_local_item_is_listed_with_its_parent_and_found_by_its_local_plan(
    office: httpx.AsyncClient, district: httpx.AsyncClient
) -> None:
    parent = await office.post(ITEMS, json=item_body(code="A1-PARENT", progress_basis="local-items"))
    added = await office.post(ITEMS, json=local_body(parent="A1-PARENT"))
    assert added.status_code == 201, added.text
    found = (await district.get(ITEMS, params={"plan": "PLAN-1", "local_plan": "YB-2022"})).json()["items"]
    assert [(one["code"], one["parent"]) for one in found] == [("YB-A1-01", parent.json()["id"])]
    assert found[0]["above"]["whole"] == [str(unit_id("ORG")), str(unit_id("FIN"))]


@pytest.mark.parametrize(
    ("changed", "status", "code", "at"),
    [
        ({"local_plan": "YB-2099"}, 422, "local-plan.unknown", "/local_plan"),
        ({"measure": "A2"}, 422, "local-plan.unknown-measure", "/measure"),
        ({"owner": "SOC"}, 422, "local-plan.owner-outside", "/owner"),
        ({"parent": "A1-NOBODY"}, 422, "item.unknown", "/parent"),
        ({"progress_basis": "local-items"}, 422, "item.local-by-local", "/progress_basis"),
        ({"progress_basis": "both"}, 422, "request.invalid", "/progress_basis"),
    ],
)
async def test_a_local_item_that_is_not_as_it_should_be_is_not_listed(
    office: httpx.AsyncClient, district: httpx.AsyncClient, changed: dict[str, Any], status: int, code: str, at: str
) -> None:
    assert_problem(await office.post(ITEMS, json=local_body(**changed)), status, code, at=at)


async def test_a_local_plan_takes_items_of_its_own_municipal_plan(
    office: httpx.AsyncClient, district: httpx.AsyncClient
) -> None:
    other = (await office.post("/api/v1/plans", json=plan_body(code="PLAN-2"))).headers["location"]
    adoption = {"issuer": "市委深改办", "document_number": "2021-2", "effective_on": "2021-02-01"}
    assert (await office.post(f"{other}/adopt", json=adoption)).status_code == 200
    reply = await office.post(ITEMS, json=local_body(plan="PLAN-2"))
    assert_problem(reply, 422, "item.local-plan-elsewhere", at="/local_plan")
