"""What a client says to the commands of a plan."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from common.contracts import Code
from common.contracts.measures import (
    Aspect,
    Measure,
    Method,
    Phase,
    PlanDiff,
    Renamed,
    Siblings,
    Thresholds,
    Weight,
)
from common.contracts.measures.plan import Points, Share
from common.fields import InFigures, Text, Title
from common.http import Body, Command, Day

PLAN_SHOWN: Final[dict[str, Any]] = {
    "code": "CQ-KX-2021-2025",
    "title_zh": "科协系统深化改革实施方案",
    "title_en": "Implementation plan for the reform of the associations",
    "starts_on": "2021-01-01",
    "ends_on": "2025-12-31",
    "aspects": [{"code": "B", "name_zh": "破解组织建设难题", "name_en": "Solve problems of organisation building"}],
    "measures": [{"code": "B2", "aspect": "B", "name_zh": "优化社团布局", "name_en": "A better layout"}],
    "phases": [
        {"code": "P1", "name_zh": "部分试点", "name_en": "Pilots", "mode": "pilot",
         "starts_on": "2022-01-01", "ends_on": "2022-12-31"}
    ],
    "effective_on": "2021-12-06",
}  # fmt: skip
REVISION_SHOWN: Final[dict[str, Any]] = {
    "diff": {
        "measures": [{"code": "D8", "aspect": "D", "name_zh": "新增举措", "name_en": "A measure that was added"}],
        "renamed": [{"part": "phase", "code": "P1", "name_zh": "先行试点", "name_en": "First pilots"}],
    },
    "reason": "落实上级新部署",
    "authority": "会议纪要 2023-1",
    "effective_on": "2023-02-01",
}
NameZh = Annotated[Title, Field(description="The name in Chinese.")]
NameEn = Annotated[Title, Field(description="The name in English.")]
ShareGiven = Annotated[Share, InFigures]
PointsGiven = Annotated[Points, InFigures]


class AspectGiven(Aspect):
    """An aspect as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name_zh: NameZh
    name_en: NameEn


class MeasureGiven(Measure):
    """A measure as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name_zh: NameZh
    name_en: NameEn


class PhaseGiven(Phase):
    """A phase as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True)

    name_zh: NameZh
    name_en: NameEn
    starts_on: Day
    """Its first day."""
    ends_on: Day
    """Its last day."""


class RenamedGiven(Renamed):
    """A new name as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name_zh: NameZh
    name_en: NameEn


class WeightGiven(Weight):
    """A weight as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True)

    weight: Annotated[Decimal, InFigures] = Field(ge=0, le=1000, max_digits=8, decimal_places=4)
    """Compared with its siblings' only: a decimal as a string."""


class MethodGiven(Method):
    """A method as a request gives it: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True)

    item_share: ShareGiven = Decimal("0.6")
    """The share of the items' progress: a decimal as a string."""
    outcome_share: ShareGiven = Decimal("0.4")
    """The share of the mean attainment of the outcome indicators: a decimal as a string."""


class ThresholdsGiven(Thresholds):
    """Thresholds as a request gives them: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True)

    green_gap: PointsGiven = Decimal(5)
    """Percentage points by which verified progress may fall short of what was expected and still be green."""
    yellow_gap: PointsGiven = Decimal(15)
    """Percentage points by which it may fall short and be yellow."""


class PlanDefinition(Command):
    """A plan as its document has it."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLAN_SHOWN]})

    code: Code
    title_zh: Title
    title_en: Title
    starts_on: Day
    ends_on: Day
    aspects: tuple[AspectGiven, ...] = Field(min_length=1, max_length=20)
    measures: tuple[MeasureGiven, ...] = Field(min_length=1, max_length=100)
    phases: tuple[PhaseGiven, ...] = Field(min_length=1, max_length=20)


class Adoption(Command):
    """By whom and with which document the plan was issued."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-12-20"}]
        }
    )

    issuer: Title
    document_number: Title


class Additions(Body):
    """What is added to a plan and what is called differently."""

    title_zh: Title | None = None
    title_en: Title | None = None
    aspects: tuple[AspectGiven, ...] = Field(default=(), max_length=20)
    measures: tuple[MeasureGiven, ...] = Field(default=(), max_length=100)
    phases: tuple[PhaseGiven, ...] = Field(default=(), max_length=20)
    renamed: tuple[RenamedGiven, ...] = Field(default=(), max_length=140)

    def as_told(self) -> PlanDiff:
        """In the words of the event."""
        return PlanDiff.model_validate(self.model_dump())


class Revision(Command):
    """What is changed in the plan, why, and by which decision."""

    model_config = ConfigDict(json_schema_extra={"examples": [REVISION_SHOWN]})

    diff: Additions
    reason: Text
    authority: Title


class Weighting(Command):
    """The weights of all siblings below one parent: of the plan's aspects, an aspect's measures, a measure's items."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "siblings": "measures",
                    "parent": "A",
                    "weights": [{"code": "A1", "weight": "60"}, {"code": "A2", "weight": "40"}],
                    "effective_on": "2022-01-01",
                }
            ]
        }
    )

    siblings: Siblings
    parent: Code
    weights: tuple[WeightGiven, ...] = Field(min_length=1, max_length=1000)

    def as_told(self) -> tuple[Weight, ...]:
        """In the words of the event."""
        return tuple(Weight.model_validate(one.model_dump()) for one in self.weights)


class PolicyAdoption(Command):
    """How progress is scored and rated; what is left out is as by default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "method": {"item_share": "0.6", "outcome_share": "0.4"},
                    "thresholds": {"green_gap": "5", "yellow_gap": "15", "yellow_overdue_days": 30},
                    "evidence_from": "2023-01-01",
                    "effective_on": "2022-12-01",
                }
            ]
        }
    )

    method: MethodGiven = MethodGiven()
    thresholds: ThresholdsGiven = ThresholdsGiven()
    evidence_from: Day | None = None
    """The day from which a required milestone is verified only with verified evidence."""


class Closing(Command):
    """Which plan goes on with what was carried over, if anything was."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"successor": "CQ-KX-2026-2030"}]})

    successor: Code | None = None


class PutRight(Command):
    """What was put right in a closed plan, and by which decision."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"what": "更正附件二中的牵头单位名称。", "authority": "会议纪要 2026-3"}]}
    )

    what: Text
    authority: Title
