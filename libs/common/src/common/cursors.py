"""A cursor is what the page before gave as its ``next``: anything else is refused, never an empty page."""

from pydantic import TypeAdapter, ValidationError

from common.contracts import Code
from common.decision import Kind, Refusal

CURSOR_INVALID = Refusal(
    "request.cursor-invalid",
    zh="cursor 应为上一页返回的 next",
    en="The cursor takes what the page before gave as next",
    kind=Kind.INVALID,
)
_CODE = TypeAdapter[str](Code)


def code_in(cursor: str) -> str:
    """The code after which a page of a list by code begins; an empty one begins with the first page.

    :raises Refused: ``request.cursor-invalid``.
    """
    if not cursor:
        return cursor
    try:
        return _CODE.validate_python(cursor)
    except ValidationError:
        raise CURSOR_INVALID(pointer="/cursor") from None
