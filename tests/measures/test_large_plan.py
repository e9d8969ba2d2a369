"""A plan with many items is told of as one with few: its measures from one look at all items, its checklist in part."""

import httpx
import pytest

from builders import call_of
from doors import Door
from measures.measure.store import list_measures
from measures.plan.store import checklist_of

COPIES = """
INSERT INTO item
SELECT (jsonb_populate_record(item, jsonb_build_object(
    'id', gen_random_uuid(), 'code', 'A1-' || lpad(n::text, 6, '0'), 'measure', (ARRAY['A1', 'A2', 'B1'])[1 + n % 3],
    'owner', md5('unit' || n % 7)::uuid, 'co_units', ARRAY[md5('unit' || n % 2)::uuid],
    'since', date '2022-01-01' + n % 100,
    'state', (ARRAY['draft', 'in-progress', 'verified-closed', 'cancelled'])[1 + n % 4]))).*
FROM item, generate_series(1, 300) n
"""


@pytest.fixture
async def large(measures: Door, item: str) -> Door:
    """A plan with 301 items, of which 151 are open."""
    await measures.pool.execute(COPIES)
    return measures


async def test_all_measures_together_are_told_of_as_each_alone(large: Door, office: httpx.AsyncClient) -> None:
    listed = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    for one in listed:
        address = f"/api/v1/measures/{one['id']}"
        assert (await office.get(address)).json() == one
        assert (await office.post(f"{address}/launch", json={"effective_on": "2022-04-20"})).status_code == 200
        assert (await office.get(address)).json()["work"] == one["work"]
    at_work = {one["code"]: one["work"] for one in listed if one["work"]["items"]}
    assert {code: work["items"] for code, work in at_work.items()} == {"A1": 101, "A2": 100, "B1": 100}
    assert {len(work["units"]) for work in at_work.values()} == {7, 9}


async def test_a_measure_without_items_has_no_work(measures: Door, plan: str) -> None:
    first, *_ = await list_measures(call_of(measures.pool), "PLAN-1")
    assert (first.work.items, first.work.started, first.work.unfinished, first.work.units) == (0, False, 0, ())
    assert first.work.since is None


async def test_the_checklist_counts_all_that_is_open_and_names_the_first_of_it(
    large: Door, office: httpx.AsyncClient, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (await office.get(f"{plan}/closing-checklist")).json()
    assert (whole["open_count"], len(whole["open"])) == (151, 151)
    monkeypatch.setattr("measures.plan.store.NAMED_MAX", 10)
    part = (await office.get(f"{plan}/closing-checklist")).json()
    assert (part["open_count"], part["open"]) == (151, whole["open"][:10])
    assert (await checklist_of(call_of(large.pool), "PLAN-1")).open_count == 151
    assert part["settled_on"] == whole["settled_on"] == "2022-04-10"
