"""A file on its way: taken in whole, of the declared kind and digest, or not at all; given out to who may see it."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from common.admission import Transfers
from common.call import Call
from common.contracts.measures import MediaType
from common.decision import Kind, Refusal, Refused
from common.files import FILES_AWAY, Files, Kept
from measures.evidence.content import EXTENSIONS, Look
from measures.evidence.store import is_on_record

MEBIBYTE: Final = 1024 * 1024
TYPE_NOT_TAKEN = Refusal(
    "evidence.type-not-taken",
    zh="不接受此类文件（Content-Type：{given}）；可接受：{taken}",
    en="Files of this kind are not taken (Content-Type: {given}), but these: {taken}",
    kind=Kind.INVALID,
)
NOT_OF_TYPE = Refusal(
    "evidence.not-of-type",
    zh="文件内容不是所声明的类型 {given}，或文件不完整",
    en="The file is not what it is said to be, {given}, or not all of it",
    kind=Kind.INVALID,
)
FILE_TOO_LARGE = Refusal(
    "evidence.file-too-large",
    zh="文件超过 {most} MiB",
    en="The file is larger than {most} MiB",
    kind=Kind.TOO_LARGE,
)
FILE_EMPTY = Refusal("evidence.file-empty", zh="文件为空", en="The file is empty", kind=Kind.INVALID)
DIGEST_MISMATCH = Refusal(
    "evidence.digest-mismatch",
    zh="收到的内容与所声明的 SHA-256 不符，未保存；请重新上传",
    en="What arrived does not have the SHA-256 that was declared, and was not kept; send it again",
    kind=Kind.INVALID,
)
NO_SUCH_FILE = Refusal(
    "evidence.no-such-file",
    zh="本单位没有上传过此文件（SHA-256 与类型），请先上传",
    en="Your unit has not sent a file of this SHA-256 and type: send it first",
    kind=Kind.INVALID,
)
UPLOADED_LONG_AGO = Refusal(
    "evidence.uploaded-long-ago",
    zh="文件上传后超过 {minutes} 分钟未登记，可能已被清理，请重新上传",
    en="The file was sent more than {minutes} minutes ago and may be cleared away any time: send it again",
)
REGISTERED_WITHIN: Final = timedelta(minutes=30)
"""Half as long as clearing spares a file without a record: so none vanishes while it is being registered."""


class Uploaded(BaseModel):
    """A file that was taken in: name it by these when it is registered."""

    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    media_type: MediaType
    size_bytes: int = Field(examples=[482_133])


def files_of(request: Request) -> Files:
    """Where this service keeps files.

    :raises Refused: ``files.away`` where no place was named.
    """
    files: Files | None = request.app.state.files
    if files is None:
        raise FILES_AWAY()
    return files


def name_of(unit: UUID, sha256: str, kind: MediaType) -> str:
    """The name of a file: by its unit, so that knowing a digest is not having the file, and by its content."""
    return f"{unit}/{sha256}.{EXTENSIONS[kind]}"


async def take_in(call: Call, request: Request, sha256: str) -> Uploaded:
    """Keep the body under the name that its unit, digest and kind give it; the same again replaces it by itself.

    :raises Refused: ``evidence.type-not-taken``, ``evidence.file-too-large``, ``evidence.file-empty``,
        ``evidence.digest-mismatch``, ``evidence.not-of-type``, ``files.away``, ``service.busy``, ``caller.no-unit``.
    """
    files, transfers, bytes_max = files_of(request), request.app.state.transfers, request.app.state.file_bytes_max
    assert isinstance(transfers, Transfers)
    stream = request.stream()
    with transfers.one(request):
        try:
            kind = _kind_of(request)
            arriving = Arriving(sha256, kind, bytes_max)
            arriving.require_room(request.headers.get("content-length"))
            await files.put(name_of(call.unit.id, sha256, kind), arriving.checked(stream))
        except Refused:
            await let_pass(stream, bytes_max)
            raise
    return Uploaded(sha256=sha256, media_type=kind, size_bytes=arriving.size_bytes)


async def let_pass(stream: AsyncIterator[bytes], bytes_max: int) -> None:
    """Take in what is still coming, up to twice of what is allowed: who is sending does not hear an answer before."""
    passed = 0
    async for chunk in stream:
        passed += len(chunk)
        if passed > 2 * bytes_max:
            return


def _kind_of(request: Request) -> MediaType:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        return MediaType(given)
    except ValueError:
        raise TYPE_NOT_TAKEN(given=given[:100] or "–", taken=", ".join(MediaType)) from None


class Arriving:
    """A file as it arrives: counted, hashed and looked at, never kept here."""

    def __init__(self, sha256: str, kind: MediaType, bytes_max: int) -> None:
        self.size_bytes = 0
        self._sha256, self._kind, self._bytes_max = sha256, kind, bytes_max

    def require_room(self, declared: str | None) -> None:
        """Refuse at once what is said to be too large."""
        if declared is not None and declared.isdecimal() and int(declared) > self._bytes_max:
            raise FILE_TOO_LARGE(most=self._bytes_max // MEBIBYTE)

    async def checked(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same bytes; at their end all is refused that is not whole, or not what it was said to be."""
        digest, look = hashlib.sha256(), Look(self._kind)
        async for chunk in chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self._bytes_max:
                raise FILE_TOO_LARGE(most=self._bytes_max // MEBIBYTE)
            digest.update(chunk)
            look.at(chunk)
            if chunk:
                yield chunk
        if not self.size_bytes:
            raise FILE_EMPTY()
        if not hmac.compare_digest(digest.hexdigest(), self._sha256):
            raise DIGEST_MISMATCH()
        if not look.fits():
            raise NOT_OF_TYPE(given=self._kind)


async def require_taken_in(call: Call, files: Files, name: str) -> Kept:
    """The file of that name, if it is safe from being cleared away until it is on record.

    :raises Refused: ``evidence.no-such-file``, ``evidence.uploaded-long-ago``, ``files.away``.
    """
    kept = await files.find(name)
    if kept is None:
        raise NO_SUCH_FILE(pointer="/sha256")
    if call.now - kept.written_at > REGISTERED_WITHIN and not await is_on_record(call, name):
        raise UPLOADED_LONG_AGO(pointer="/sha256", minutes=REGISTERED_WITHIN.seconds // 60)
    return kept
