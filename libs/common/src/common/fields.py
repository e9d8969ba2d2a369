"""What a request writes can be seen as it is written: no text that nobody sees, nothing that hides or turns it round.

These are for requests alone. Events and stored states keep the types of ``common.contracts``: what was taken once can
always be read.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final
from unicodedata import category

from pydantic import AfterValidator, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from common import contracts

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing: Hangul fillers and the Braille cell without a dot."""
_CONTROLS: Final = (
    "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"  # C0 and C1 but for tab and line ends
    "\\u2028\\u2029\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb"  # separators, directions, notes
    "\\ufdd0-\\ufdef\\ufffe\\uffff\\U000e0000-\\U000e007f"  # no characters at all, and tags
)
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?\s*", re.ASCII)
_IN_TEXT: Final = re.compile(f"[{_CONTROLS}]|\\r(?!\\n)")
_IN_LINE: Final = re.compile(f"[{_CONTROLS}\\t\\n\\r]")


def _legible(forbidden: re.Pattern[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if found := forbidden.search(text):
            raise PydanticCustomError(
                "control_character",
                "There is a character in it that is not seen and may change how it reads: {character}",
                {"character": f"U+{ord(found[0]):04X}"},
            )
        if not any(map(_seen, text)):
            raise PydanticCustomError("invisible_text", "There is nothing to be seen in it")
        return text

    return check


def _seen(character: str) -> bool:
    """Whether it shows by itself: a letter, a digit, a sign, or one of those that an office has of its own."""
    kind = category(character)
    return (kind[0] in "LNPS" and character not in _BLANK) or kind in ("Co", "Cn")


def _in_figures(given: Any, known: ValidatorFunctionWrapHandler) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        raise PydanticCustomError("decimal_type", "Input should be a number")
    if isinstance(given, str) and not _NUMBER.fullmatch(given):  # Python would take 1_0, a slip for 1.0, for 10
        raise PydanticCustomError("decimal_parsing", "Input should be a valid decimal")
    # A strict model takes no texts for decimals once a function has had them in hand, though JSON has no other way.
    number: Decimal = known(Decimal(str(given)))
    return Decimal(0) if number.is_zero() else Decimal(f"{number.normalize():f}")


def _choose(given: Any, known: ValidatorFunctionWrapHandler) -> Any:
    try:
        return known(given)
    except ValidationError as error:  # one for each of the lists
        expected = " or ".join(str(one["ctx"]["expected"]) for one in error.errors() if "ctx" in one)
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected}) from None


Text = Annotated[contracts.Text, AfterValidator(_legible(_IN_TEXT))]
"""Text of several lines; what joins characters (ZWJ) or says how they are drawn (variation selectors) is part of it."""
Title = Annotated[contracts.Title, AfterValidator(_legible(_IN_LINE))]
"""Text of one line: a title, a name, the number of a document."""
InFigures: Final = WrapValidator(_in_figures)
"""Marks a decimal that is kept in figures, and no more of them than it needs: ``1e3`` is 1000, ``0.50`` is 0.5."""
OneChoice: Final = WrapValidator(_choose)
"""Marks a choice from several lists: what is in none of them is told once, with all that may stand there."""
