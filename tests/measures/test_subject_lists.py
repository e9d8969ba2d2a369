"""The lists of ratings and risks show just what may be read one by one, and look only where it can be."""

from itertools import product
from typing import Any, Final

import asyncpg
import httpx
import orjson
import pytest

from builders import UNITS, call_of, item_body
from common.roles import ROLES
from doors import Door
from keeping import keep_an_item
from measures.assurance.store import list_assurances
from measures.risk.store import list_risks
from servers import Database

PLAN: Final = {"plan": "PLAN-1"}
GIVEN: Final = PLAN | {
    "rating": "yellow",
    "reason": "回执未齐",
    "expires_on": "2022-09-01",
    "effective_on": "2022-03-01",
}
RAISED: Final = PLAN | {"title_zh": "经费未落实", "title_en": "No funds yet", "likelihood": 3, "impact": 4}
SUBJECTS: Final = {"A1-01": "item", "A1-02": "item", "A2-01": "item", "A1": "measure", "A2": "measure", "B1": "measure"}
LISTS: Final = {"/api/v1/assurances": "assurance.read", "/api/v1/risks": "risk.read"}


@pytest.fixture
async def of_all_kinds(measures: Door, office: httpx.AsyncClient, plan: str) -> None:
    """Ratings and risks of three units' items, of a measure that is led, one that is not, and one without items."""
    for code, owner, co_units in (("A1-01", "ORG", ["FIN"]), ("A1-02", "SOC-1", []), ("A2-01", "YB", ["ORG-1"])):
        body = item_body(code=code, measure=code[:2], owner=owner, co_units=co_units)
        assert (await office.post("/api/v1/items", json=body)).status_code == 201
    ids = {one["code"]: one["id"] for one in (await office.get("/api/v1/measures", params=PLAN)).json()["items"]}
    for code, unit in (("A1", "SOC"), ("B1", "FIN")):
        lead = {"lead_unit": unit, "co_units": [], "effective_on": "2022-01-05"}
        assert (await office.post(f"/api/v1/measures/{ids[code]}/lead", json=lead)).status_code == 200
    assurer = measures.client_for("independent-assurer", "CQ")
    for n, (subject, kind) in enumerate(SUBJECTS.items()):
        of = {"subject_kind": kind, "subject": subject}
        assert (await assurer.post("/api/v1/assurances", json=GIVEN | of)).status_code == 201
        risk = RAISED | of | {"code": f"R-{n}", "owner": ("YB", "FIN", "SOC-1")[n % 3], "effective_on": "2022-03-01"}
        assert (await office.post("/api/v1/risks", json=risk)).status_code == 201


@pytest.mark.parametrize("put_down", [("A1", "A2", "B1"), ("A1",)])
async def test_the_lists_show_just_what_may_be_read_one_by_one(
    measures: Door, office: httpx.AsyncClient, of_all_kinds: None, put_down: tuple[str, ...]
) -> None:
    """Also where the plan no longer puts a measure down: then nobody takes part in it or leads it."""
    left = [one for one in orjson.loads(await measures.pool.fetchval("SELECT measures FROM plan"))
            if one["code"] in put_down]  # fmt: skip
    await measures.pool.execute("UPDATE plan SET measures = $1", orjson.dumps(left).decode())
    for address, permission in LISTS.items():
        everything = [one["id"] for one in (await office.get(address, params=PLAN)).json()["items"]]
        assert len(everything) == len(SUBJECTS)
        seen = set()
        for role, unit in product((role for role, held in ROLES.items() if permission in held), (*UNITS, None)):
            client = measures.client_for(role, unit)
            listed = [one["id"] for one in (await client.get(address, params=PLAN)).json()["items"]]
            readable = [one for one in everything if (await client.get(f"{address}/{one}")).status_code == 200]
            assert listed == readable, (role, unit)
            two = (await client.get(address, params=PLAN | {"limit": 2})).json()["items"]
            assert [one["id"] for one in two] == readable[:2], (role, unit)
            seen.add(len(listed))
        assert {0, len(everything)} < seen  # some see all, some nothing, some a part


# ── where it is looked ───────────────────────────────────────────────────────────────────────────────────────────────

COPIES: Final = """
INSERT INTO item
SELECT (jsonb_populate_record(item, jsonb_build_object(
    'id', gen_random_uuid(), 'code', 'A1-' || lpad(n::text, 6, '0'),
    'owner', md5('unit' || n % 60)::uuid, 'co_units', '{}'::uuid[]))).*
FROM item, generate_series(1, 3000) n WHERE item.id = $1
"""
RATED: Final = """
INSERT INTO assurance (id, version, hash, recorded_at, plan, subject_kind, subject, rating, reason, assurer, expires_on,
    given_version, state, since)
SELECT gen_random_uuid(), 1, '', now(), plan, 'item', code, 'green', '', owner, '2022-09-01', 1, 'valid', '2022-03-01'
FROM item
"""
AT_RISK: Final = """
INSERT INTO risk (id, version, hash, recorded_at, plan, subject_kind, subject, code, title_zh, title_en, owner,
    likelihood, impact, state, since)
SELECT gen_random_uuid(), 1, '', now(), plan, 'item', code, 'R-' || code, '', '', owner, 1, 1, 'open', '2022-03-01'
FROM item
"""
INDEXES: Final = "DROP INDEX ix_item_co_units, ix_item_owner_plan_code, ix_item_owner_due_on_id"
FEW: Final = 120
"""Pages of 8 kB: less than the items fill, and a page for each rating or risk would be three thousand."""


async def test_who_has_nothing_looks_through_nothing(
    database: Database, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for whose work each of the others is; control: without the indexes of whose items are, it is looked for."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(COPIES, await keep_an_item(pool))
    for made in (RATED, AT_RISK, "ANALYZE item, assurance, risk"):
        await owner.execute(made)
    touched: list[int] = []
    fetch = asyncpg.Pool.fetch

    async def explain(pool: asyncpg.Pool, sql: str, *values: Any) -> list[Any]:
        (row,) = await fetch(pool, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *values)
        (told,) = orjson.loads(row[0])
        touched.append(told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"])
        return []

    async def ask() -> list[int]:
        touched.clear()
        call = call_of(pool, role="measure-lead", unit="YB")
        await list_assurances(call, plan="PLAN-1", subject=None, state=None, after=None, limit=50)
        await list_risks(call, plan="PLAN-1", subject=None, state=None, after=None, limit=50)
        return list(touched)

    monkeypatch.setattr(asyncpg.Pool, "fetch", explain)
    assert max(await ask()) < FEW, touched
    await owner.execute(INDEXES)
    await owner.close()
    assert min(await ask()) > FEW, touched
