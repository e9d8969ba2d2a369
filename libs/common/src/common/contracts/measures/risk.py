"""What is told of a risk: seen coming, assessed, treated by its owner, over in one of two ways."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts import Code, EffectiveOn, Text, TitleEn, TitleZh
from common.contracts.measures.words import MeasuresEvent, Reason, Subject, SubjectKind

RiskId = Annotated[UUID, Field(description="The risk: the aggregate, and the record's key.")]
Likelihood = Annotated[int, Field(ge=1, le=5, description="How likely it is: from 1, hardly, to 5, all but certain.")]
Impact = Annotated[int, Field(ge=1, le=5, description="What it would do: from 1, hardly felt, to 5, the goal is lost.")]


class RiskRaised(MeasuresEvent):
    """Something was seen coming that may keep a measure or an item from its goal."""

    risk: RiskId
    plan: Code = Field(description="The plan, by its code.")
    subject_kind: SubjectKind
    subject: Subject
    code: Code
    title_zh: TitleZh
    title_en: TitleEn
    owner: UUID
    """The unit that answers for what is done about it."""
    likelihood: Likelihood
    impact: Impact
    raised_on: EffectiveOn


class RiskReassessed(MeasuresEvent):
    """The owner thinks otherwise of how likely the risk is or what it would do."""

    risk: RiskId
    likelihood: Likelihood
    impact: Impact
    reason: Reason
    reassessed_on: EffectiveOn


class RiskMitigationStarted(MeasuresEvent):
    """The owner does something about the risk."""

    risk: RiskId
    response: Text
    """What is done about it."""
    started_on: EffectiveOn


class RiskClosed(MeasuresEvent):
    """The risk is over, and what was feared did not happen."""

    risk: RiskId
    outcome: Text
    """How it ended."""
    closed_on: EffectiveOn


class RiskMaterialised(MeasuresEvent):
    """What was feared has happened."""

    risk: RiskId
    outcome: Text
    """What happened."""
    materialised_on: EffectiveOn
