"""A file is what its content says, in whatever pieces it arrives, and never what somebody calls it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts.measures import MediaType
from measures.evidence.content import TAIL_BYTES_MAX, Look
from papers import FILES, PDF, a_package


def _fits(kind: MediaType, content: bytes, piece: int = 7) -> bool:
    look = Look(kind)
    for start in range(0, len(content), piece):
        look.at(content[start : start + piece])
    return look.fits()


@pytest.mark.parametrize("kind", MediaType)
def test_a_file_is_taken_for_what_it_is_and_for_nothing_else(kind: MediaType) -> None:
    text = {MediaType.TEXT, MediaType.CSV}  # a table in plain text is plain text, too
    also = text if kind in text else {kind}
    assert {other for other in MediaType if _fits(other, FILES[kind])} == also


@given(kind=st.sampled_from(MediaType), piece=st.integers(1, 500))
def test_it_does_not_matter_in_what_pieces_it_arrives(kind: MediaType, piece: int) -> None:
    assert _fits(kind, FILES[kind], piece)


@pytest.mark.parametrize("kind", [MediaType.PDF, MediaType.PNG, MediaType.DOCX, MediaType.XLSX])
def test_a_file_that_breaks_off_is_none(kind: MediaType) -> None:
    assert not _fits(kind, FILES[kind][:-30])


def _printable_as(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all((ord(sign) >= 0x20 and ord(sign) != 0x7F) or sign in "\t\n\f\r" for sign in text)


@given(content=st.binary(max_size=200))
def test_what_is_in_no_encoding_of_ours_or_cannot_be_printed_is_no_text(content: bytes) -> None:
    printable = any(_printable_as(content, encoding) for encoding in ("utf-8", "gb18030"))
    assert _fits(MediaType.TEXT, content) == (printable and not content.startswith(b"%PDF-"))


@pytest.mark.parametrize("kind", [MediaType.TEXT, MediaType.CSV])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312"])
def test_a_text_is_taken_as_chinese_offices_write_it(kind: MediaType, encoding: str) -> None:
    for piece in (1, 3, 64):
        assert _fits(kind, "单位,金额\r\n渝北区科协,一百\r\n".encode(encoding), piece)


def test_a_text_that_breaks_off_within_a_sign_is_none() -> None:
    assert not _fits(MediaType.TEXT, "渝".encode("gb18030")[:-1])


def test_a_large_document_is_recognised_though_its_beginning_is_long_gone() -> None:
    noise = random.Random(1).randbytes(3 * TAIL_BYTES_MAX)
    large = a_package("[Content_Types].xml", "word/document.xml", **{"word/media/image1.png": noise})
    assert len(large) > 3 * TAIL_BYTES_MAX
    assert _fits(MediaType.DOCX, large, 65_536)


@pytest.mark.parametrize("part", ["word/vbaProject.bin", "xl/macrosheets/sheet1.xml", "word/activeX/activeX1.bin"])
def test_a_document_that_would_run_something_is_not_taken(part: str) -> None:
    assert not _fits(MediaType.DOCX, a_package("[Content_Types].xml", "word/document.xml", part))


@pytest.mark.parametrize(
    "content",
    [
        a_package("word/document.xml"),
        a_package("[Content_Types].xml"),
        a_package("[Content_Types].xml", "xl/workbook.xml"),
        b"PK\x03\x04" + bytes(100),
        PDF,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),  # an old or encrypted one
    ],
)
def test_an_archive_without_the_right_parts_is_no_document(content: bytes) -> None:
    assert not _fits(MediaType.DOCX, content)
