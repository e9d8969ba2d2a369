"""`kegai evidence` names files without a record and records without their file, and clears only the former."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from builders import OWNER, call_of
from common.files import Files, Kept
from kegai.language import choose
from kegai.local.doctor import _without_their_files
from kegai.local.stack import Stack
from kegai.main import app
from measures.evidence.domain import register
from measures.evidence.store import evidences
from papers import PDF, aged, evidence_words
from servers import Database

Kegai = Callable[..., Awaitable[Result]]
RECORDED, ALONE = f"{OWNER.id}/{'a' * 64}.pdf", f"{OWNER.id}/{'b' * 64}.pdf"


@pytest.fixture
async def folder(pool: asyncpg.Pool, tmp_path: Path) -> Path:
    """Where two files are: one on record, and one that is not; both are two hours old."""
    files = Files(f"file://{tmp_path}/files")
    for name in (RECORDED, ALONE):
        await files.put(name, _in_pieces(PDF))
    words = evidence_words(file=RECORDED, size_bytes=len(PDF))
    call = call_of(pool, role="municipal-admin", unit="ORG", permission="evidence.register")
    await evidences.create(call, lambda new_id: register(**words | {"id": new_id}))
    aged(tmp_path / "files", hours=2)
    return tmp_path / "files"


@pytest.fixture
def kegai(database: Database, folder: Path) -> Iterator[Kegai]:
    """The tool, told where records and files are."""
    told = {
        "KEGAI_MEASURES_DATABASE_URL": database.app_url,
        "KEGAI_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "KEGAI_FILES": folder.as_uri(),
    }

    async def run(*words: str, lang: str = "en", **instead: str) -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke, app, ["--lang", lang, "evidence", *words], env=told | instead
        )

    yield run
    choose(None)


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_a_file_without_a_record_is_named_cleared_and_not_missed(kegai: Kegai, folder: Path) -> None:
    found = await kegai("check")
    assert (found.exit_code, ALONE in found.output, RECORDED in found.output) == (1, True, False)
    assert "a file without a record" in found.output
    dry = await kegai("clean", "--dry-run")
    assert (dry.exit_code, "nothing was removed" in dry.output, (folder / ALONE).exists()) == (0, True, True)
    cleared = await kegai("clean")
    assert (cleared.exit_code, "1 files removed" in cleared.output) == (0, True)
    assert ((folder / ALONE).exists(), (folder / RECORDED).exists()) == (False, True)
    sound = await kegai("check", lang="zh")
    assert (sound.exit_code, sound.output.startswith("✓ 佐证材料：1 条记录，1 个文件")) == (0, True)


async def test_a_file_that_is_sent_again_while_others_are_cleared_is_spared(
    kegai: Kegai, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at all files and the removal of one it may have arrived anew and been registered."""
    listed = Files.listed

    async def then_sent_again(files: Files) -> list[Kept]:
        found = await listed(files)
        await files.put(ALONE, _in_pieces(PDF))
        return found

    monkeypatch.setattr(Files, "listed", then_sent_again)
    cleared = await kegai("clean")
    assert ("0 files removed" in cleared.output, (folder / ALONE).exists()) == (True, True)


@pytest.mark.parametrize(
    ("gone", "complaint"), [((), ALONE), ((ALONE,), ""), ((ALONE, RECORDED), "its file is not there")]
)
async def test_the_doctor_tells_what_does_not_fit(
    database: Database, folder: Path, gone: tuple[str, ...], complaint: str
) -> None:
    choose("en")
    for name in gone:
        (folder / name).unlink()
    stack = SimpleNamespace(database=lambda *_: database.app_url, kafka_bootstrap="127.0.0.1:1", files=folder.as_uri())
    told = await _without_their_files(cast("Stack", stack))
    assert (complaint in told, bool(told)) == (True, bool(complaint))


async def test_a_young_file_is_spared(kegai: Kegai, folder: Path) -> None:
    (folder / ALONE).touch()
    assert (await kegai("clean")).exit_code == 0
    assert (folder / ALONE).exists()


@pytest.mark.parametrize(("left", "says"), [(None, "its file is not there"), (b"%PDF", "not as long as it was")])
async def test_a_record_whose_file_is_lost_or_cut_short_is_named(
    kegai: Kegai, folder: Path, left: bytes | None, says: str
) -> None:
    if left is None:
        (folder / RECORDED).unlink()
    else:
        (folder / RECORDED).write_bytes(left)
    for command in ("check", "clean"):
        found = await kegai(command)
        assert (found.exit_code, says in found.output, RECORDED in found.output) == (1, True, True)


async def test_what_a_killed_upload_left_is_named_and_cleared(kegai: Kegai, folder: Path) -> None:
    left = folder / f"{ALONE}#1"
    left.write_bytes(PDF)
    aged(folder, hours=2)
    assert str(left) in (await kegai("check")).output
    await kegai("clean")
    assert not left.exists()


async def test_an_upload_that_ends_while_it_is_looked_at_is_none_that_broke_off(
    kegai: Kegai, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "unfinished", lambda _: [folder / "gone#1"])
    assert "that broke off" not in (await kegai("check")).output


async def test_a_store_that_is_away_or_no_place_at_all_is_said_in_one_sentence(kegai: Kegai) -> None:
    away = await kegai("check", KEGAI_FILES="s3://nowhere?endpoint=http://127.0.0.1:1&region=x&skip_signature=true")
    assert (away.exit_code, "The store of files cannot be reached" in away.output) == (1, True)
    nowhere = await kegai("check", KEGAI_FILES="ftp://somewhere")
    assert (nowhere.exit_code, "names no place for files" in nowhere.output) == (1, True)
