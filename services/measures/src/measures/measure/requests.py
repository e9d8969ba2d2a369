"""What a client says to the commands of a measure."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from common.contracts import Code
from common.contracts.measures import Focus, Quality, ServiceTo, Tendency
from common.fields import InFigures, Text
from common.http import Command
from measures.measure.surroundings import Tags

TAGS_SHOWN: Final[dict[str, Any]] = {
    "qualities": ["advanced", "mass"],
    "tendencies": ["office", "administrative"],
    "services": ["workers", "innovation"],
    "focus": ["key-point"],
    "effective_on": "2021-12-27",
}


class LeadGiven(Command):
    """Who leads the measure from now on, and who helps; units are named by their codes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"lead_unit": "CQKX-XH", "co_units": ["CQKX-ZZ"], "effective_on": "2021-12-27"}]
        }
    )

    lead_unit: Code
    co_units: tuple[Code, ...] = Field(default=(), max_length=50)


class TagsGiven(Command):
    """All tags that the measure has from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [TAGS_SHOWN]})

    qualities: tuple[Quality, ...] = Field(default=(), max_length=10)
    """强“三性”: the qualities that it strengthens."""
    tendencies: tuple[Tendency, ...] = Field(default=(), max_length=10)
    """去“四化”: the tendencies that it removes."""
    services: tuple[ServiceTo, ...] = Field(default=(), max_length=10)
    """“四服务”: whom or what it serves."""
    focus: tuple[Focus, ...] = Field(default=(), max_length=10)
    """抓重点、补短板、强弱项: why it was chosen."""

    def as_tags(self) -> Tags:
        """In the domain's words."""
        return Tags(
            qualities=tuple(one for one in Quality if one in self.qualities),
            tendencies=tuple(one for one in Tendency if one in self.tendencies),
            services=tuple(one for one in ServiceTo if one in self.services),
            focus=tuple(one for one in Focus if one in self.focus),
        )


class WhySuspended(Command):
    """Why the measure is held up."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "等待市级机构改革方案出台。", "effective_on": "2023-03-01"}]}
    )

    reason: Text


class WhyReturned(Command):
    """Why the measure is not accepted yet."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "两个事项的验收材料未归档。", "effective_on": "2025-11-20"}]}
    )

    reason: Text


class Judgement(Command):
    """How the measure is judged: the points, and the units that reviewed it, by their codes; never persons."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": "92.5", "reviewers": ["CQKX"], "effective_on": "2025-12-05"}]}
    )

    score: Annotated[Decimal, InFigures] = Field(ge=0, le=100, max_digits=5, decimal_places=2)
    """Points from 0 to 100: a decimal as a string."""
    reviewers: tuple[Code, ...] = Field(min_length=1, max_length=20)
