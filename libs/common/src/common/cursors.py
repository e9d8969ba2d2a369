"""A cursor is what the page before gave as its ``next``: anything else is refused, never an empty page."""

from uuid import UUID

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


def code_in(cursor: str | None) -> str:
    """The code after which a page of a list by code begins; the first page, where there is no cursor, after ``""``.

    :raises Refused: ``request.cursor-invalid``, also of an empty cursor: whoever goes on after the last page with
        nothing would begin anew, for ever.
    """
    if cursor is None:
        return ""
    try:
        return _CODE.validate_python(cursor)
    except ValidationError:
        raise CURSOR_INVALID(pointer="/query/cursor") from None


def id_in(cursor: str | None) -> UUID | None:
    """The id after which a page of a list by id begins; None where there is no cursor.

    :raises Refused: ``request.cursor-invalid``.
    """
    if cursor is None:
        return None
    try:
        found = UUID(cursor)
    except ValueError:
        raise CURSOR_INVALID(pointer="/query/cursor") from None
    if str(found) != cursor:
        raise CURSOR_INVALID(pointer="/query/cursor")
    return found
