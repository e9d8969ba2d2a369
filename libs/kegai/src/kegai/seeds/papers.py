"""A document for each title, made on the spot and the same each time: it says that it is no real one."""

import zlib
from struct import pack
from typing import Final

_SAID: Final = "示例数据，并非真实文件 / Sample data, not a real document"
_PIXELS: Final = 24


def paper(media_type: str, title: str) -> bytes:
    """A PDF, a PNG or a text about this title.

    Raises:
        KeyError: it is to be of another kind.
    """
    return {"application/pdf": _pdf, "image/png": _png, "text/plain": _text}[media_type](title)


def _text(title: str) -> bytes:
    return f"{title}\n\n{_SAID}\n".encode()


def _pdf(title: str) -> bytes:
    """One page, in a Chinese font that readers of PDF bring with them (ISO 32000-1, 9.7.5.2)."""
    lines = " T* ".join(f"<{line.encode('utf-16-be').hex()}> Tj" for line in (title, *_SAID.split(" / ")))
    drawn = f"BT /F 16 Tf 28 TL 60 760 Td {lines} ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>",
        (
            b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)"
            b"/Supplement 4>>/FontDescriptor 7 0 R>>"
        ),
        (
            b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[-25 -254 1000 880]/ItalicAngle 0/Ascent 880"
            b"/Descent -120/CapHeight 880/StemV 93>>"
        ),
    ]
    content, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, table_at = len(parts) + 1, len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n" % (size, table, size)
    return content + b"startxref\n%d\n%%%%EOF\n" % table_at


def _png(title: str) -> bytes:
    """A square of one grey that follows from the title, which stands in it as a comment (PNG, 11.3.4)."""
    grey = zlib.crc32(title.encode()) % 200 + 28
    rows = zlib.compress((b"\0" + bytes([grey]) * _PIXELS) * _PIXELS)
    head = pack(">IIBBBBB", _PIXELS, _PIXELS, 8, 0, 0, 0, 0)
    words = b"Comment\0\0\0\0\0" + f"{title} {_SAID}".encode()
    parts = ((b"IHDR", head), (b"iTXt", words), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
