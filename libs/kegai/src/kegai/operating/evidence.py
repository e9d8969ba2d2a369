"""A file of evidence without its record is named and can be cleared away; a record without its file is named.

Records are read before files, and no file is removed that is younger than an hour: what is being registered meanwhile
is taken for neither. A service registers a file only within half an hour of its arrival, or one that is on record.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from common.decision import Refused
from common.files import Files, Kept, WrongPlace
from kegai.language import StackError, say
from kegai.local.stack import Stack
from kegai.operating.places import Place

SPARED: Final = timedelta(hours=1)
"""A file without a record may still get one."""
SHOWN_MAX: Final = 20


@dataclass(frozen=True)
class Missing:
    """A record whose file is not there, or is not as long as it was."""

    evidence: UUID
    file: str
    there: bool


@dataclass(frozen=True)
class Comparison:
    """What files and records say of each other."""

    records: int
    files: int
    orphans: tuple[Kept, ...]
    """Files without a record, older than an hour."""
    arriving: int
    """Files without a record that may still get one."""
    missing: tuple[Missing, ...]
    unfinished: tuple[Path, ...]
    """What killed uploads have left in a folder, older than an hour."""

    @property
    def sound(self) -> bool:
        """Whether there is nothing to clear and nothing lost."""
        return not (self.orphans or self.missing or self.unfinished)


def files_at(environ: Mapping[str, str] = os.environ) -> Files:
    """The files where KEGAI_FILES says that they are, else those of the local stack.

    Raises:
        StackError: there is no such place.
    """
    try:
        return Files(environ.get("KEGAI_FILES") or Stack.running().files)
    except WrongPlace as error:
        raise StackError(f"KEGAI_FILES 无效：{error}", f"KEGAI_FILES names no place for files: {error}") from error


async def compare(place: Place, files: Files) -> Comparison:
    """Look at all records and all files.

    Raises:
        StackError: the store of files does not answer.
    """
    connection = await asyncpg.connect(place.database_url)
    try:
        rows = await connection.fetch("SELECT id, file, size_bytes FROM evidence ORDER BY id")
    finally:
        await connection.close()
    with _answering():
        kept = {one.name: one for one in await files.listed()}
    before = datetime.now(UTC) - SPARED
    recorded = {row["file"] for row in rows}
    alone = [one for name, one in kept.items() if name not in recorded]
    return Comparison(
        records=len(rows),
        files=len(kept),
        orphans=tuple(one for one in alone if one.written_at < before),
        arriving=sum(one.written_at >= before for one in alone),
        missing=tuple(
            Missing(row["id"], row["file"], row["file"] in kept)
            for row in rows
            if row["file"] not in kept or kept[row["file"]].size_bytes != row["size_bytes"]
        ),
        unfinished=tuple(one for one in files.unfinished() if _left_before(one, before)),
    )


def _left_before(unfinished: Path, then: datetime) -> bool:
    """Whether it was left before then; what has become whole since it was listed, or was removed, was not."""
    try:
        return unfinished.stat().st_mtime < then.timestamp()
    except FileNotFoundError:
        return False


async def clean(place: Place, files: Files, *, dry_run: bool) -> Comparison:
    """Remove files without a record, and what killed uploads have left; records are never touched.

    Raises:
        StackError: the store of files does not answer.
    """
    found = await compare(place, files)
    if dry_run:
        return found
    with _answering():
        removed = tuple([one for one in found.orphans if await _removed(files, one)])
    for unfinished in found.unfinished:
        unfinished.unlink(missing_ok=True)
    return replace(found, orphans=removed)


async def _removed(files: Files, orphan: Kept) -> bool:
    """Remove it, unless it was sent again since it was listed: then it may be on record by now."""
    if await files.find(orphan.name) != orphan:
        return False
    await files.remove(orphan.name)
    return True


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise StackError(refused.say("zh"), refused.say("en")) from refused


def told(found: Comparison) -> str:
    """One sentence, then what does not fit: a line each."""
    lines = [_summary(found)]
    words = [f"✗ {one.evidence}: {_lost(one)} · {one.file}" for one in found.missing]
    words += [f"· {say('无记录的文件', 'a file without a record')} · {one.name}" for one in found.orphans]
    words += [f"· {say('未传完的文件', 'an upload that broke off')} · {one}" for one in found.unfinished]
    lines += words[:SHOWN_MAX]
    if len(words) > SHOWN_MAX:
        more = len(words) - SHOWN_MAX
        lines.append(say(f"…… 另有 {more} 项", f"… and {more:,} more"))
    return "\n".join(lines)


def _summary(found: Comparison) -> str:
    counts = say(
        f"佐证材料：{found.records} 条记录，{found.files} 个文件，其中 {found.arriving} 个刚到、待登记。",
        f"Evidence: {found.records:,} records, {found.files:,} files, {found.arriving:,} of them new and yet alone.",
    )
    if found.sound:
        return "✓ " + counts
    orphans = len(found.orphans) + len(found.unfinished)
    return (
        "✗ "
        + counts
        + say(
            f"缺失或残缺的文件 {len(found.missing)} 个，可清理的文件 {orphans} 个（kegai evidence clean）。",
            f" {len(found.missing):,} files are lost or cut short; {orphans:,} can be cleared (kegai evidence clean).",
        )
    )


def _lost(one: Missing) -> str:
    if one.there:
        return say("文件长度与登记不符", "its file is not as long as it was")
    return say("文件不在存储中", "its file is not there")
