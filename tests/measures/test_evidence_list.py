"""The list of evidence shows just what may be read one by one, and works out once what the caller's units do."""

from itertools import product
from pathlib import Path

import asyncpg
import httpx
import pytest

from builders import UNITS, call_of, item_body
from common.roles import ROLES
from doors import Door
from measures.evidence.domain import register
from measures.evidence.store import EvidenceFilter, evidences, list_evidence
from papers import PDF, evidence_body, evidence_words, send_file
from servers import Database

EVIDENCE = "/api/v1/evidence"
READERS = [role for role, permissions in ROLES.items() if "evidence.read" in permissions]


@pytest.fixture
async def of_all_kinds(measures: Door, office: httpx.AsyncClient, plan: str, folder: Path) -> None:
    """Evidence of ORG's and of FIN's for items, a milestone, the measure that SOC leads, and nothing."""
    mixed = item_body(code="A1-09", owner="SOC-1", co_units=["YB"])
    items = [(await office.post("/api/v1/items", json=body)).json()["id"] for body in (item_body(), mixed)]
    (measure, *_) = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    lead = {"lead_unit": "SOC", "co_units": [], "effective_on": "2022-01-05"}
    assert (await office.post(f"/api/v1/measures/{measure['id']}/lead", json=lead)).status_code == 200
    first, second = ({"kind": "item", "id": one} for one in items)
    links = [first | {"kind": "milestone", "number": 1}], [second], [{"kind": "measure", "id": measure["id"]}]
    for unit in ("ORG", "FIN"):
        client = measures.client_for("municipal-admin", unit)
        assert (await send_file(client, PDF)).status_code == 201
        for some, classification in product((*links, [first, second], []), ("internal", "sensitive")):
            body = evidence_body(items[0], links=some, classification=classification)
            reply = await client.post(EVIDENCE, json=body)
            assert reply.status_code == 201, reply.text


async def test_the_list_shows_just_what_may_be_read_one_by_one(
    measures: Door, office: httpx.AsyncClient, of_all_kinds: None
) -> None:
    everything = [one["id"] for one in (await office.get(EVIDENCE)).json()["items"]]
    seen = set()
    for role, unit in product(READERS, (*UNITS, None)):
        client = measures.client_for(role, unit)
        listed = [one["id"] for one in (await client.get(EVIDENCE)).json()["items"]]
        readable = [one for one in everything if (await client.get(f"{EVIDENCE}/{one}")).status_code == 200]
        assert listed == readable, (role, unit)
        seen.add(len(listed))
    assert {0, len(everything)} < seen  # some see all, some nothing, some a part


async def test_what_a_unit_does_is_worked_out_once_for_all_rows(database: Database, pool: asyncpg.Pool) -> None:
    """Planned as a join it would be gone through for each of them: half a minute with 100,000 documents."""
    call = call_of(pool, role="municipal-admin", unit="ORG", permission="evidence.register")
    for _ in range(20):
        await evidences.create(call, lambda new_id: register(**evidence_words(id=new_id)))
    owner = await asyncpg.connect(database.owner_url)
    ways = list[str]()

    class Explaining:
        async def fetch(self, sql: str, *values: object) -> list[object]:
            ways.extend(row[0] for row in await owner.fetch(f"EXPLAIN ANALYZE {sql}", *values))
            return []

    asked = call_of(pool, role="unit-reporter", unit="YB", permission="evidence.read")
    object.__setattr__(asked.service, "pool", Explaining())
    await list_evidence(asked, EvidenceFilter(), after=None, limit=50)
    await owner.close()
    gone_through = [way for way in ways if "CTE Scan on theirs" in way]
    assert gone_through
    assert all("loops=1)" in way or "never executed" in way for way in gone_through), "\n".join(ways)
