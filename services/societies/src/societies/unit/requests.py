"""What a client says to the commands of a unit."""

from typing import Annotated

from pydantic import ConfigDict, Field

from common.contracts import Code
from common.contracts.directory import UnitKind
from common.fields import Title
from common.http import Command

DivisionCode = Annotated[
    str, Field(pattern=r"^50[0-9]{4}$", description="GB/T 2260: 50 is Chongqing, then the district or county")
]


class Establishment(Command):
    """A unit as it is entered in the directory; its parent is named by its code."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "KX-YUBEI",
                    "kind": "district",
                    "name_zh": "重庆市渝北区科学技术协会",
                    "name_en": "Yubei District Association for Science and Technology",
                    "parent": "CQKX",
                    "division_code": "500112",
                    "effective_on": "2021-01-01",
                }
            ]
        }
    )

    code: Code
    kind: UnitKind
    name_zh: Title
    name_en: Title
    parent: Code | None = None
    division_code: DivisionCode | None = None
    zone_code: Code | None = None


class NewName(Command):
    """How the unit is called from the effective date on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name_zh": "渝北区科学技术协会", "name_en": "Yubei District Association"}]}
    )

    name_zh: Title
    name_en: Title
