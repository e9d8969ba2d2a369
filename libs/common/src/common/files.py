"""Files by name, in a folder or in any S3-compatible store: one that does not arrive whole never appears.

Where they are is one setting: ``file:///folder``, or ``s3://bucket/prefix?endpoint=…&region=…``, whose credentials are
those of the environment (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``) or of the machine's role.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from common.decision import Kind, Refusal
from common.telemetry import log

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

FILES_AWAY = Refusal(
    "files.away",
    zh="文件存储暂不可用，请稍后重试",
    en="The store of files cannot be reached just now; try again",
    kind=Kind.UNAVAILABLE,
)
PART_BYTES: Final = 5 * 1024 * 1024
"""The least that S3 takes as a part of a larger file; two of them are in memory at once."""
CHUNK_BYTES: Final = 64 * 1024
TRIES: Final = 3
PATIENCE: Final = timedelta(seconds=10)


class WrongPlace(ValueError):
    """The setting names no place for files."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there."""

    name: str
    size_bytes: int
    written_at: datetime


class Files:
    """The files of one place.

    :raises WrongPlace: what is said of the place is no such address, or the folder cannot be made.
    """

    def __init__(self, where: str) -> None:
        self._store = _opened(where)

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a file as it comes; if ``chunks`` raises, even at its very end, there is no file and that is raised.

        One of the same name is replaced in the moment in which the new one is whole. When this returns, a loss of
        power takes it away no more.

        :raises Refused: ``files.away``.
        """
        import obstore  # noqa: PLC0415 - only where there are files

        guarded = _Guarded(chunks)
        with _away(guarded):
            await obstore.put_async(self._store, name, guarded, chunk_size=PART_BYTES, max_concurrency=2)
            if folder := self._folder:  # a bucket has it durable when it says that it has it
                await asyncio.to_thread(_settle, folder, folder / name)

    async def find(self, name: str) -> Kept | None:
        """The file of that name, if there is one.

        :raises Refused: ``files.away``.
        """
        import obstore  # noqa: PLC0415

        with _away():
            try:
                found = await asyncio.to_thread(obstore.head, self._store, name)
            except FileNotFoundError:
                return None
        return Kept(name, found["size"], found["last_modified"])

    async def read(self, name: str) -> AsyncIterator[bytes] | None:
        """What is in a file, as it is read; None if there is none of that name.

        :raises Refused: ``files.away``, before anything was read.
        """
        import obstore  # noqa: PLC0415

        with _away():
            try:
                found = await obstore.get_async(self._store, name)
            except FileNotFoundError:
                return None
        return _chunks(found)

    async def listed(self) -> list[Kept]:
        """All files by name.

        :raises Refused: ``files.away``.
        """
        import obstore  # noqa: PLC0415

        def found() -> list[Kept]:
            batches = obstore.list(self._store)
            return [Kept(one["path"], one["size"], one["last_modified"]) for batch in batches for one in batch]

        with _away():
            # In a thread of ours: the library's own wants the interpreter once more after it answered, and aborts a
            # process that is ending by then, as every one-shot command is.
            return sorted(await asyncio.to_thread(found), key=lambda one: one.name)

    async def remove(self, name: str) -> None:
        """Remove a file; that there is none is no error.

        :raises Refused: ``files.away``.
        """
        import obstore  # noqa: PLC0415

        with _away():
            try:
                await asyncio.to_thread(obstore.delete, self._store, name)
            except FileNotFoundError:
                return

    def unfinished(self) -> list[Path]:
        """What killed processes have left of files that never became whole, in a folder.

        A bucket keeps such parts out of sight, and its own rule removes them (AbortIncompleteMultipartUpload).
        """
        return sorted(self._folder.rglob("*#[0-9]*")) if self._folder else []

    @property
    def _folder(self) -> Path | None:
        """The folder in which they are; None where they are in a bucket."""
        folder = getattr(self._store, "prefix", None)
        return folder if isinstance(folder, Path) else None


def _settle(folder: Path, file: Path) -> None:
    """Have the disk keep a file and its name; the library leaves both to the operating system."""
    above = (one for one in file.parents if one.is_relative_to(folder))
    for path in (file, *above):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _opened(where: str) -> "LocalStore | S3Store":
    from obstore.exceptions import BaseError  # noqa: PLC0415
    from obstore.store import LocalStore, S3Store  # noqa: PLC0415

    address = urlsplit(where)
    try:
        if address.scheme == "file" and not address.netloc and not address.query:
            folder = Path(unquote(address.path))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # for nobody else to read
            return LocalStore(folder)
        if address.scheme == "s3" and address.netloc:
            options: Any = dict(parse_qsl(address.query, strict_parsing=bool(address.query)))
            plain = str(options.get("endpoint", "")).startswith("http://")
            return S3Store(
                address.netloc,
                prefix=address.path.strip("/") or None,
                config=options,
                client_options={"allow_http": plain, "connect_timeout": "2s"},
                retry_config={"max_retries": TRIES - 1, "retry_timeout": PATIENCE},
            )
    except (BaseError, OSError, ValueError) as error:
        raise WrongPlace(f"{where}: {error}") from error
    raise WrongPlace(f"{where!r} is neither file:///folder nor s3://bucket/prefix?endpoint=…")


class _Guarded:
    """Chunks whose own error is known from the store's."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.error: BaseException | None = None

    def __aiter__(self) -> "_Guarded":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            self.error = error
            raise


@contextmanager
def _away(guarded: _Guarded | None = None) -> Iterator[None]:
    """Answer for a store that cannot be asked; what the chunks themselves raised stays what it is."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except (BaseError, OSError) as error:
        if guarded is not None and guarded.error is not None:
            raise guarded.error from None
        log.warning("files.away", error=str(error).partition("\n")[0])
        raise FILES_AWAY() from error


async def _chunks(found: Any) -> AsyncIterator[bytes]:
    async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(chunk)
