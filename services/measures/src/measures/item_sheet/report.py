"""What is told of an import: a verdict for each item of the sheet, with the cells that are at fault, and a token."""

import base64
import hashlib
import zlib
from array import array
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from measures.item_sheet.rules import ROWS_MAX, WRONG_TOKEN

DIGEST_BYTES: Final = 16
VERSION_BYTES: Final = 4


class Verdict(StrEnum):
    """What an import does with one item of the sheet."""

    NEW = "new"
    """It is put on the list."""
    CHANGED = "changed"
    """It is there, and dates are moved or milestones added."""
    SAME = "same"
    """It is there as the sheet says it."""
    CONFLICT = "conflict"
    """It is there otherwise, or has changed since the dry run, or its state does not allow it: nothing is done."""
    ERROR = "error"
    """What the sheet says cannot be: nothing is done."""


class Remark(BaseModel):
    """Something about one cell."""

    cell: str = Field(examples=["B7"])
    code: str = Field(examples=["unit.unknown"])
    detail: str = Field(description="The same for people, in the caller's language.")


class LineVerdict(BaseModel):
    """What becomes of one item of the sheet."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    row: int = Field(examples=[7])
    """The first of the item's lines in the sheet."""
    code: str | None = Field(examples=["B2-03"])
    verdict: Verdict
    item: UUID | None = None
    """The item, if it is on the list."""
    reasons: list[Remark] = []
    """Why it is a conflict or an error."""
    formulas: list[str] = Field(default=[], examples=[["G7"]])
    """Cells with a formula: its value was taken, and should be looked at."""


class Report(BaseModel):
    """What an import does, or would do: dry run and run say the same of the same."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    plan: str = Field(examples=["CQ-KX-2021-2025"])
    sheet: str | None
    """The name of the sheet that was read: the first of its workbook; a CSV file has none."""
    dry_run: bool
    counts: dict[Verdict, int]
    rows: list[LineVerdict]
    token: str | None
    """Of a dry run: give it to the run, and what was changed between them is a conflict."""


class Seen:
    """Which version each item of a sheet had in a dry run, 0 for none; as a token it binds sheet and plan."""

    def __init__(self, content: bytes, plan: str) -> None:
        self._digest = hashlib.sha256(plan.encode() + b"\n" + content).digest()[:DIGEST_BYTES]

    def token(self, versions: Iterable[int]) -> str:
        """The versions in the order of the sheet, with what they are of."""
        packed = zlib.compress(array("I", versions).tobytes(), 9)
        return base64.urlsafe_b64encode(self._digest + packed).decode().rstrip("=")

    def versions(self, token: str) -> Sequence[int]:
        """What ``token`` was given.

        :raises Refused: ``sheet.wrong-token``.
        """
        try:
            told = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            unpacked = zlib.decompressobj().decompress(told[DIGEST_BYTES:], ROWS_MAX * VERSION_BYTES)
            versions = array("I", unpacked)
        except (ValueError, zlib.error):
            raise WRONG_TOKEN(pointer="/dry-run-token") from None
        if told[:DIGEST_BYTES] != self._digest:
            raise WRONG_TOKEN(pointer="/dry-run-token")
        return versions
