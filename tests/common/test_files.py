"""A file appears whole or not at all, in a folder as in a bucket."""

import asyncio
import errno
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from buckets import a_bucket
from common.files import PART_BYTES, Files, WrongPlace
from refusals import refused

NAME = "a/b.txt"
LARGE = 2 * PART_BYTES + 1


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    """Files in either kind of place."""
    with nullcontext(f"file://{tmp_path}/文 件") if request.param == "folder" else a_bucket() as address:
        yield Files(address)


async def _pieces(size: int, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, size, 1024 * 1024):
        yield bytes(min(1024 * 1024, size - start))
    if error is not None:
        raise error


async def _whole(files: Files, name: str) -> bytes:
    chunks = await files.read(name)
    assert chunks is not None
    return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, LARGE])
async def test_a_file_is_read_as_it_was_written(files: Files, size: int) -> None:
    await files.put(NAME, _pieces(size))
    kept = await files.find(NAME)
    assert kept is not None
    assert (kept.name, kept.size_bytes, await _whole(files, NAME)) == (NAME, size, bytes(size))
    assert await files.listed() == [kept]


@pytest.mark.parametrize("size", [1, LARGE])
async def test_what_breaks_off_even_at_its_very_end_is_not_there_and_its_own_error_is_raised(
    files: Files, size: int
) -> None:
    for error in (ValueError("not as declared"), OSError("the sender is gone")):
        with pytest.raises(type(error), match=str(error)):
            await files.put(NAME, _pieces(size, error))
    assert (await files.listed(), files.unfinished()) == ([], [])


async def test_what_breaks_off_leaves_the_file_that_was_there(files: Files) -> None:
    await files.put(NAME, _pieces(7))
    with pytest.raises(ValueError, match="not as declared"):
        await files.put(NAME, _pieces(LARGE, ValueError("not as declared")))
    assert await _whole(files, NAME) == bytes(7)


async def test_what_is_not_there_is_not_found_and_removed_without_complaint(files: Files) -> None:
    assert (await files.find(NAME), await files.read(NAME)) == (None, None)
    await files.put(NAME, _pieces(1))
    for _ in range(2):
        await files.remove(NAME)
    assert await files.listed() == []


async def test_a_store_that_does_not_answer_is_away() -> None:
    files = Files("s3://nowhere?endpoint=http://127.0.0.1:1&region=x&skip_signature=true")
    for asking in (files.put(NAME, _pieces(1)), files.find(NAME), files.read(NAME), files.listed(), files.remove(NAME)):
        with refused("files.away"):
            await asking


@pytest.mark.parametrize(
    "where",
    [
        "",
        "files",
        "file://relative/folder",
        "ftp://somewhere/x",
        "s3://bucket?nonsense=1",
        "s3:///x",
        "file:///proc/x/y",
    ],
)
def test_what_is_no_place_for_files_is_refused_at_once(where: str) -> None:
    with pytest.raises(WrongPlace, match=re.escape(where) + ".+"):
        Files(where)


def test_a_folder_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    Files(f"file://{tmp_path}/files")
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0


LISTS_AND_ENDS = """
import asyncio, sys
from common.files import Files
asyncio.run(Files(sys.argv[1]).listed())
sys.exit(7)
"""


async def test_a_process_that_ends_right_after_its_answer_ends_as_it_meant_to(tmp_path: Path) -> None:
    """With the library's own threads about every sixth of these was aborted on a busy machine: hence all at once."""
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", LISTS_AND_ENDS, f"file://{tmp_path}")
        for _ in range(24)
    ]
    assert [await process.wait() for process in processes] == [7] * len(processes)


# ── a loss of power ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the disk was told to keep, by inodes, in this order."""
    told: list[int] = []
    fsync = os.fsync

    def listen(opened: int) -> None:
        fsync(opened)
        told.append(os.fstat(opened).st_ino)

    monkeypatch.setattr(os, "fsync", listen)
    return told


@pytest.mark.parametrize("size", [1, LARGE])
async def test_a_file_in_a_folder_is_on_the_disk_with_its_name_when_it_is_said_to_be_there(
    tmp_path: Path, synced: list[int], size: int
) -> None:
    await Files(f"file://{tmp_path}/文 件").put(NAME, _pieces(size))
    folder = tmp_path / "文 件"
    assert synced == [one.stat().st_ino for one in (folder / NAME, folder / "a", folder)]


async def test_without_that_the_library_leaves_it_to_the_operating_system(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.files._settle", lambda *_: None)
    await Files(f"file://{tmp_path}").put(NAME, _pieces(1))
    assert synced == []


async def test_a_disk_that_does_not_keep_a_file_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    with refused("files.away"):
        await Files(f"file://{tmp_path}").put(NAME, _pieces(1))


async def test_a_bucket_keeps_by_itself(synced: list[int]) -> None:
    with a_bucket() as address:
        await Files(address).put(NAME, _pieces(1))
    assert synced == []
