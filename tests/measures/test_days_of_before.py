"""What was there before its day was kept gets it from the journal: items, measures that were returned, added parts."""

from datetime import date

import httpx
from alembic.script import ScriptDirectory

from common.migration import config_of
from doors import Door

SCRIPTS = ScriptDirectory.from_config(config_of("measures"))
REVISION = SCRIPTS.get_revision("0013").module
HOLDING_UP = SCRIPTS.get_revision("0017").module
ADDING = SCRIPTS.get_revision("0016").module


async def test_an_item_s_day_is_that_of_its_first_event_and_not_of_its_last_step(
    measures: Door, office: httpx.AsyncClient, item: str
) -> None:
    assert (await office.post(f"{item}/assign", json={"effective_on": "2022-01-10"})).is_success
    await measures.pool.execute("UPDATE item SET added_on = '1999-12-31'")
    await measures.pool.execute(REVISION.ADDED)
    assert (await office.get(item)).json()["added_on"] == "2022-01-05"


async def test_a_measure_s_day_is_that_of_its_last_return(measures: Door, office: httpx.AsyncClient, item: str) -> None:
    await measures.pool.execute(
        "INSERT INTO measure (id, version, hash, recorded_at, plan, code, state, since, leads, tags, acceptance) "
        "VALUES (gen_random_uuid(), 2, '', now(), 'PLAN-1', 'A1', 'launched', '2022-07-01', '[]', '{}', 'null')"
    )
    for version, day in ((1, date(2022, 6, 1)), (2, date(2022, 7, 1))):
        await measures.pool.execute(
            "INSERT INTO event (event_id, aggregate_type, aggregate_id, aggregate_version, type, payload, headers, "
            "effective_on, recorded_at, actor, prev_hash, hash) SELECT gen_random_uuid(), 'measure', id, $1, "
            "'cn.cqast.measures.measure-acceptance-returned.v1', '', '{}', $2, now(), 'p-1', '', '' FROM measure",
            version,
            day,
        )
    await measures.pool.execute(REVISION.RETURNED)
    assert await measures.pool.fetchval("SELECT returned_on FROM measure") == date(2022, 7, 1)


async def test_what_a_revision_added_is_there_since_the_day_of_the_revision(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    measure = {"code": "A3", "aspect": "A", "name_zh": "新举措", "name_en": "A new measure"}
    why = {"reason": "上级新部署", "authority": "会议纪要 2023-1", "effective_on": "2023-02-01"}
    assert (await office.post(f"{plan}/revise", json={"diff": {"measures": [measure]}} | why)).is_success
    told = (await office.get(plan)).json()["added"]
    await measures.pool.execute("UPDATE plan SET added = '[]'")
    await measures.pool.execute(ADDING.ADDED)
    assert (await office.get(plan)).json()["added"] == told != []


async def test_when_a_measure_was_suspended_is_told_by_its_journal(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    (measure, *_) = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    address = f"/api/v1/measures/{measure['id']}"
    for step, body in (
        ("launch", {"effective_on": "2022-01-10"}),
        ("suspend", {"effective_on": "2022-03-01", "reason": "等待方案"}),
        ("resume", {"effective_on": "2022-06-01"}),
        ("suspend", {"effective_on": "2022-09-01", "reason": "机构改革"}),
    ):
        assert (await office.post(f"{address}/{step}", json=body)).is_success
    await measures.pool.execute("UPDATE measure SET suspensions = '[]'")
    await measures.pool.execute(HOLDING_UP.SUSPENDED)
    assert (await office.get(address)).json()["suspensions"] == [
        {"since": "2022-03-01", "until": "2022-06-01"}, {"since": "2022-09-01", "until": None}
    ]  # fmt: skip
