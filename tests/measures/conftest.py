"""An adopted plan, and an item of ORG on its list, as clients made them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from builders import item_body, plan_body
from common.clock import SHANGHAI
from common.files import Files
from doors import Door
from papers import PDF, evidence_body, send_file, sha256_of


@pytest.fixture
def office(measures: Door) -> httpx.AsyncClient:
    """The reform office: it plans and lists, and judges what others did."""
    return measures.client_for("reform-office", "CQ")


@pytest.fixture
def reporter(measures: Door) -> httpx.AsyncClient:
    """Who reports for ORG, the item's owner."""
    return measures.client_for("unit-reporter", "ORG")


@pytest.fixture
async def plan(office: httpx.AsyncClient) -> str:
    """The address of an adopted plan."""
    address = (await office.post("/api/v1/plans", json=plan_body())).headers["location"]
    adoption = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
    assert (await office.post(f"{address}/adopt", json=adoption)).status_code == 200
    return str(address)


@pytest.fixture
async def item(office: httpx.AsyncClient, plan: str) -> str:
    """The address of an item that was just listed."""
    reply = await office.post("/api/v1/items", json=item_body())
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


@pytest.fixture
async def started(office: httpx.AsyncClient, reporter: httpx.AsyncClient, item: str) -> str:
    """The address of an item on which work has begun."""
    for client, step, on in (
        (office, "assign", "01-10"),
        (reporter, "acknowledge", "01-20"),
        (reporter, "start", "02-01"),
    ):
        reply = await client.post(f"{item}/{step}", json={"effective_on": f"2022-{on}"})
        assert reply.status_code == 200, reply.text
    return item


@pytest.fixture
def tomorrow() -> str:
    """The day after today in Shanghai."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=1)).isoformat()


@pytest.fixture
def written(measures: Door) -> Any:
    """Call it: how many rows there are of all that a command writes."""

    async def count() -> dict[str, int]:
        tables = ("plan", "item", "event", "outbox", "idempotency")
        return {table: await measures.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}

    return count


@pytest.fixture
def folder(measures: Door, tmp_path: Path) -> Path:
    """Where measures keeps its files."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    return tmp_path / "files"


@pytest.fixture
async def uploaded(reporter: httpx.AsyncClient, folder: Path) -> str:
    """The digest of a file that ORG has sent."""
    reply = await send_file(reporter, PDF)
    assert reply.status_code == 201, reply.text
    return sha256_of(PDF)


@pytest.fixture
async def evidence(reporter: httpx.AsyncClient, item: str, uploaded: str) -> str:
    """The address of evidence for the first milestone of an item of ORG's, by ORG."""
    reply = await reporter.post("/api/v1/evidence", json=evidence_body(item))
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])
