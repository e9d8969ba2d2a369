"""What kind of file its bytes are is told by looking at them while they pass; no name and no header is believed."""

import codecs
import io
import re
import zipfile
from typing import Final

from common.contracts.measures import MediaType

TAIL_BYTES_MAX: Final = 1024 * 1024
"""The end of a file that is kept to look at: the directory of a ZIP archive stands there."""

_STARTS: Final = {
    MediaType.PDF: b"%PDF-",
    MediaType.PNG: b"\x89PNG\r\n\x1a\n",
    MediaType.JPEG: b"\xff\xd8\xff",
    MediaType.DOCX: b"PK\x03\x04",
    MediaType.XLSX: b"PK\x03\x04",
}
_ENDS: Final = {MediaType.PDF: b"%%EOF", MediaType.PNG: b"IEND"}
"""What stands in the last ``_END_BYTES`` of a file that is complete."""
_END_BYTES: Final = 1024
_PARTS: Final = {MediaType.DOCX: "word/document.xml", MediaType.XLSX: "xl/workbook.xml"}
"""The part without which an Office Open XML package is none of that kind (ECMA-376)."""
_MACROS: Final = re.compile(r"vbaProject|(^|/)activeX/|(^|/)macrosheets/", re.IGNORECASE)
TEXT_ENCODINGS: Final = ("utf-8", "gb18030")
"""How programs in Chinese offices write text, spreadsheets above all (GB 18030-2022)."""
NO_TEXT: Final = re.compile(r"[^\t\n\f\r\x20-\U0010ffff]|\x7f")
"""What stands in no text that people read."""

EXTENSIONS: Final = {one: one.name.lower().replace("text", "txt").replace("jpeg", "jpg") for one in MediaType}
"""How the name of a file of each kind ends."""


class Look:
    """Looks at a file as it passes, without keeping it, and says at its end whether it is of one kind."""

    def __init__(self, kind: MediaType) -> None:
        self._kind = kind
        self._start = b""
        self._tail = bytearray()
        self._tail_bytes = TAIL_BYTES_MAX if kind in _PARTS else _END_BYTES
        self._as_text = [codecs.getincrementaldecoder(encoding)() for encoding in TEXT_ENCODINGS]
        """By what it can still be read as a text."""

    def at(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self._start += chunk[: 8 - len(self._start)]
        if self._kind not in _STARTS:
            self._read(chunk, final=False)
            return
        self._tail += chunk
        if len(self._tail) > 2 * self._tail_bytes:
            del self._tail[: -self._tail_bytes]

    def fits(self) -> bool:
        """Whether what has passed is a whole file of that kind."""
        if self._kind not in _STARTS:
            self._read(b"", final=True)
            return bool(self._as_text) and not self._start.startswith(tuple(_STARTS.values()))
        if not self._start.startswith(_STARTS[self._kind]):
            return False
        if self._kind in _PARTS:
            return self._is_package(_PARTS[self._kind])
        return _ENDS.get(self._kind, b"") in self._tail[-_END_BYTES:]

    def _read(self, chunk: bytes, *, final: bool) -> None:
        self._as_text = [decoder for decoder in self._as_text if _reads(decoder, chunk, final=final)]

    def _is_package(self, part: str) -> bool:
        """Whether the directory at the end names this part, and nothing that would run; nothing is unpacked."""
        try:
            with zipfile.ZipFile(io.BytesIO(self._tail)) as archive:
                names = set(archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return False
        return {"[Content_Types].xml", part} <= names and not any(map(_MACROS.search, names))


def _reads(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        return not NO_TEXT.search(decoder.decode(chunk, final))
    except UnicodeDecodeError:
        return False
