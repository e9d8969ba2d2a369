"""What a client says to the commands of a unit."""

from typing import Annotated

from common.contracts import Code, Title
from common.contracts.directory import UnitKind
from common.http import Command
from pydantic import Field

DivisionCode = Annotated[
    str, Field(pattern=r"^50[0-9]{4}$", description="GB/T 2260: 50 is Chongqing, then the district or county")
]


class Establishment(Command):
    """A unit as it is entered in the directory; its parent is named by its code."""

    code: Code
    kind: UnitKind
    name_zh: Title
    name_en: Title
    parent: Code | None = None
    division_code: DivisionCode | None = None
    zone_code: Code | None = None


class NewName(Command):
    """How the unit is called from the effective date on."""

    name_zh: Title
    name_en: Title
