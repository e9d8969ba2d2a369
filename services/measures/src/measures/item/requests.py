"""What a client says to the commands of an item."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from common.contracts import Code
from common.contracts.measures import Focus, ItemTag, MilestoneKind, ProgressBasis
from common.fields import InFigures, OneChoice, Text, Title
from common.http import Body, Command, Day
from measures.item.milestone import PlannedMilestone

MILESTONE_SHOWN: Final[dict[str, Any]] = {
    "number": 2,
    "title_zh": "建立渠道备案制度",
    "title_en": "Set up the register of channels",
    "kind": "qualitative",
    "required": True,
    "weight": "1",
    "planned_on": "2022-09-30",
}
ITEM_SHOWN: Final[dict[str, Any]] = {
    "plan": "CQ-KX-2021-2025",
    "measure": "B2",
    "code": "B2-03",
    "title_zh": "科技社团融入创新体系渠道拓展",
    "title_en": "Widen the channels by which societies join the innovation system",
    "owner": "CQKX-XH",
    "co_units": [],
    "responsible_post": "学会学术部部长岗",
    "problem": "学会参与创新平台的入口少",
    "deliverable": "学会与实验室、企业、园区结对名册",
    "effect": "学会成为创新体系一员",
    "focus": "key-point",
    "planned_start_on": "2022-02-15",
    "due_on": "2024-06-30",
    "milestones": [MILESTONE_SHOWN],
    "effective_on": "2021-12-27",
}
Tagged = Annotated[ItemTag, OneChoice]
"""A tag as a request gives it."""


class MilestoneGiven(Body):
    """A milestone as it is planned."""

    number: int = Field(ge=1, le=99)
    title_zh: Title
    title_en: Title
    kind: MilestoneKind = MilestoneKind.QUALITATIVE
    required: bool = True
    weight: Annotated[Decimal, InFigures] = Field(default=Decimal(1), ge=0, le=1000, max_digits=8, decimal_places=4)
    """Its weight among the item's milestones; a decimal as a string."""
    planned_on: Day

    def as_planned(self) -> PlannedMilestone:
        """In the domain's words."""
        return PlannedMilestone(**self.model_dump(include=set(PlannedMilestone.__slots__)))


class MilestonePlan(MilestoneGiven, Command):
    """A further milestone."""

    model_config = ConfigDict(json_schema_extra={"examples": [MILESTONE_SHOWN | {"effective_on": "2022-01-05"}]})


class ItemAddition(Command):
    """An item as it is put on the list; units are named by their codes."""

    model_config = ConfigDict(json_schema_extra={"examples": [ITEM_SHOWN]})

    plan: Code
    measure: Code
    code: Code
    title_zh: Title
    title_en: Title
    owner: Code
    co_units: tuple[Code, ...] = Field(default=(), max_length=50)
    responsible_post: Title | None = None
    problem: Text
    deliverable: Text
    effect: Text
    focus: Focus
    planned_start_on: Day
    due_on: Day
    milestones: tuple[MilestoneGiven, ...] = Field(default=(), max_length=50)
    local_plan: Code | None = None
    """The unit's own plan that it stands in; a municipal item stands in none."""
    parent: Code | None = None
    """The municipal item, of the same plan, that a local one is part of."""
    progress_basis: ProgressBasis = ProgressBasis.MILESTONES
    tags: tuple[Tagged, ...] = Field(default=(), max_length=20)
    """三性、四化、四服务: which qualities it strengthens, which tendencies it removes, whom it serves."""


class Claim(Command):
    """What the owner says is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"claim": "结对名册已建成，评估材料已归档。"}]})

    claim: Text


class Reason(Command):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "缺少三家企业的确认回执，补齐后再报。"}]})

    reason: Text


class ReasonWithAuthority(Reason):
    """Why, and by which decision or document."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "并入第三个节点。", "authority": "会议纪要 2022-2"}]}
    )

    authority: Title


class Attainment(Command):
    """On which day the milestone was attained."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"attained_on": "2022-09-15", "note": "原始材料齐全"}]})

    attained_on: Day
    note: Text | None = None


class NewDate(Reason):
    """For which day it is planned now, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"planned_on": "2022-12-30", "reason": "待市级平台接口开放。"}]}
    )

    planned_on: Day


class DueDate(Reason):
    """By which day it is to be done, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"due_on": "2024-12-31", "reason": "待市级平台接口开放。"}]}
    )

    due_on: Day


class Merger(ReasonWithAuthority):
    """Into which item of the same plan, by its code; why, and by which decision or document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"into": "B2-04", "reason": "两项任务内容重复。", "authority": "会议纪要 2023-4"}]
        }
    )

    into: Code


class CarryOver(ReasonWithAuthority):
    """Which plan goes on with it, by its code; why, and by which decision or document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"successor": "CQ-KX-2026-2030", "reason": "延续至下一周期。", "authority": "会议纪要 2026-2"}]
        }
    )

    successor: Code


class Progress(Command):
    """How the work goes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"done": "已与八家园区签订结对协议。", "problems": "两家企业尚未回函。", "next": "组织对接会。"}
            ]
        }
    )

    done: Text
    problems: Text | None = None
    next: Text | None = None
    help: Text | None = None
