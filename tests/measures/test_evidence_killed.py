"""Wherever the process dies between the first byte and the record, nothing is lost and what is left over is named.

On a folder and on an S3 server alike. The process is the real one, killed by a signal at the point that a test names.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from buckets import a_bucket
from common.contracts.measures import MediaType
from common.files import Files
from doors import Door
from eventually import eventually
from kegai.local.ports import answers, free_port
from kegai.operating import evidence as operating
from kegai.operating.places import Place
from papers import FILES, PDF, evidence_body, sha256_of

AT = "/api/v1/evidence-files/" + sha256_of(PDF)
AS_PDF = {"content-type": "application/pdf"}
LAUNCH = """
import signal, sys
from faults.launch import Failpoint
if sys.argv[1:]:
    module, owner, method, after = sys.argv[1:]
    Failpoint("here", module, owner, method, after=after == "after", how=signal.SIGKILL).lay()
sys.argv = ["measures", "api"]
from common.process import main
main("measures")
"""
BYTES_ARE_THERE = ("common.files", "Files", "put", "after")
BEFORE_THE_RECORD = ("common.store", "Aggregates", "create", "before")
AFTER_THE_RECORD = ("common.store", "Aggregates", "create", "after")


@pytest.fixture(params=["folder", "bucket"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the files are."""
    with nullcontext(f"file://{tmp_path}/files") if request.param == "folder" else a_bucket() as address:
        yield address


@dataclass(frozen=True)
class Served:
    """The service in a process of its own, and who reports for ORG as its client."""

    client: httpx.AsyncClient
    process: asyncio.subprocess.Process

    async def send(self, content: bytes = PDF, kind: MediaType = MediaType.PDF) -> httpx.Response:
        """Send a file."""
        address = f"/api/v1/evidence-files/{sha256_of(content)}"
        return await self.client.put(address, content=content, headers={"content-type": kind})

    async def register(self, item: str) -> httpx.Response:
        """Register the file ``PDF``, always with the same key."""
        return await self.client.post("/api/v1/evidence", json=evidence_body(item), headers={"idempotency-key": "k-1"})


Serve = Callable[..., AbstractAsyncContextManager[Served]]
Found = Callable[[], Awaitable[operating.Comparison]]


@pytest.fixture
def serve(measures: Door, where: str) -> Serve:
    """Call it, with a point if the process is to die there."""

    @asynccontextmanager
    async def serving(*point: str) -> AsyncIterator[Served]:
        port = free_port()
        told = {
            "KEGAI_DATABASE_URL": measures.database.app_url, "KEGAI_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "KEGAI_JWKS": str(measures.keys.jwks), "KEGAI_FILES": where, "KEGAI_PORT": str(port),
            "KEGAI_OPS_PORT": str(free_port()), "PYTHONPATH": os.pathsep.join(sys.path),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", LAUNCH, *point, env=os.environ | told)
        await eventually(lambda: answers(port), seconds=60)
        headers = {"authorization": f"Bearer {measures.keys.token(['unit-reporter'], 'ORG')}"}
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=20) as client:
            yield Served(client, process)
        if process.returncode is None:
            process.kill()
        await process.wait()

    return serving


@pytest.fixture
def found(measures: Door, where: str, monkeypatch: pytest.MonkeyPatch) -> Found:
    """Call it: what the operators' look finds, sparing nothing for being young."""
    monkeypatch.setattr(operating, "SPARED", timedelta(seconds=-5))
    place = Place("measures", measures.database.app_url, "127.0.0.1:1", 1)
    return lambda: operating.compare(place, Files(where))


async def test_killed_while_bytes_arrive_there_is_no_file_and_what_a_folder_has_of_it_is_named(
    serve: Serve, found: Found, where: str
) -> None:
    on_their_way = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for number in count():
            yield PDF[:9] if not number else bytes(1024 * 1024)
            if number == 12:
                on_their_way.set()
            await asyncio.sleep(0.01)

    async with serve() as served:
        sending = asyncio.create_task(served.client.put(AT, content=endless(), headers=AS_PDF))
        await on_their_way.wait()
        served.process.kill()
        await _dies(sending)
    left = await found()
    assert (left.files, len(left.unfinished)) == (0, int(where.startswith("file:")))
    async with serve() as served:
        assert (await served.send()).status_code == 201


async def test_killed_between_bytes_and_record_the_file_is_named_until_it_is_registered(
    serve: Serve, found: Found, item: str
) -> None:
    async with serve(*BYTES_ARE_THERE) as served:
        await _dies(served.send())
    (orphan,) = (await found()).orphans
    assert orphan.name.endswith(f"{sha256_of(PDF)}.pdf")
    async with serve(*BEFORE_THE_RECORD) as served:
        assert (await served.send()).status_code == 201
        await _dies(served.register(item))
    left = await found()
    assert ([one.name for one in left.orphans], left.records) == ([orphan.name], 0)
    assert orphan.name in operating.told(left)
    async with serve() as served:
        assert (await served.register(item)).status_code == 201
    assert (await found()).sound


async def test_killed_between_record_and_reply_it_is_on_record_once_and_its_file_is_there(
    serve: Serve, found: Found, item: str
) -> None:
    async with serve(*AFTER_THE_RECORD) as served:
        assert (await served.send()).status_code == 201
        await _dies(served.register(item))
    left = await found()
    assert (left.records, left.sound) == (1, True)
    async with serve() as served:
        assert (await served.register(item)).status_code == 201
        assert (await found()).records == 1
        assert (await served.client.get(AT)).content == PDF


async def test_what_is_left_over_is_cleared_and_what_is_on_record_stays(
    measures: Door, serve: Serve, found: Found, where: str, item: str
) -> None:
    async with serve() as served:
        for kind in (MediaType.PDF, MediaType.PNG):
            assert (await served.send(FILES[kind], kind)).status_code == 201
        assert (await served.register(item)).status_code == 201
    place = Place("measures", measures.database.app_url, "127.0.0.1:1", 1)
    for dry_run in (True, False):
        assert len((await operating.clean(place, Files(where), dry_run=dry_run)).orphans) == 1
    left = await found()
    assert (left.files, left.sound) == (1, True)


async def test_a_record_whose_file_is_gone_is_named(serve: Serve, found: Found, where: str, item: str) -> None:
    async with serve() as served:
        assert (await served.send()).status_code == 201
        evidence = (await served.register(item)).json()["id"]
    (kept,) = await Files(where).listed()
    await Files(where).remove(kept.name)
    left = await found()
    assert [str(one.evidence) for one in left.missing] == [evidence]
    assert evidence in operating.told(left)


async def test_a_file_that_just_arrived_is_spared(measures: Door, serve: Serve, where: str) -> None:
    async with serve() as served:
        assert (await served.send()).status_code == 201
    place = Place("measures", measures.database.app_url, "127.0.0.1:1", 1)
    left = await operating.clean(place, Files(where), dry_run=False)
    assert (left.arriving, left.orphans, len(await Files(where).listed())) == (1, (), 1)


async def _dies(asking: Awaitable[httpx.Response]) -> None:
    with pytest.raises(httpx.TransportError):
        await asking
