"""What a client says to the commands of a local plan."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from common.contracts import Code
from common.fields import Text, Title
from common.http import Command, Day
from measures.local_plan.domain import Draft

DRAFT_SHOWN: Final[dict[str, Any]] = {
    "title_zh": "渝北区科协深化改革试点方案",
    "title_en": "Pilot plan of the Yubei association",
    "document_number": "示例〔2022〕1号",
    "measures": ["B2"],
    "starts_on": "2022-01-01",
    "ends_on": "2022-12-31",
    "effective_on": "2022-02-15",
}


class Redraft(Command):
    """What the unit writes into its plan."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT_SHOWN]})

    title_zh: Title
    title_en: Title
    document_number: Title
    measures: tuple[Code, ...] = Field(min_length=1, max_length=100)
    starts_on: Day
    ends_on: Day

    def as_drafted(self) -> Draft:
        """In the domain's words."""
        return Draft(**self.model_dump(include=set(Draft.__slots__)))


class LocalPlanDraft(Redraft):
    """A local plan as the unit puts it down."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [DRAFT_SHOWN | {"plan": "CQ-KX-2021-2025", "code": "YB-2022"}]}
    )

    plan: Code
    code: Code


class Filing(Command):
    """Under which number the plan is put on file."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"filing_number": "备案〔2022〕3号"}]})

    filing_number: Title


class LocalReason(Command):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "未载明与B2对应的事项，补充后再报。"}]})

    reason: Text
