"""What a client says to the commands of a risk."""

from typing import Any, Final

from pydantic import ConfigDict

from common.contracts import Code
from common.contracts.measures import SubjectKind
from common.contracts.measures.risk import Impact, Likelihood
from common.fields import Text, Title
from common.http import Command

RISK_SHOWN: Final[dict[str, Any]] = {
    "plan": "CQ-KX-2021-2025",
    "subject_kind": "measure",
    "subject": "B2",
    "code": "B2-R01",
    "title_zh": "新学会筹建经费未落实",
    "title_en": "No funds yet for founding new societies",
    "owner": "CQKX-XH",
    "likelihood": 3,
    "impact": 4,
    "effective_on": "2022-03-01",
}


class RiskGiven(Command):
    """A risk as it is raised; what it threatens and who answers for it are named by their codes."""

    model_config = ConfigDict(json_schema_extra={"examples": [RISK_SHOWN]})

    plan: Code
    subject_kind: SubjectKind
    subject: Code
    code: Code
    title_zh: Title
    title_en: Title
    owner: Code
    likelihood: Likelihood
    impact: Impact


class Reassessment(Command):
    """How likely it is and what it would do, as it is seen now, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"likelihood": 2, "impact": 4, "reason": "财政部门已原则同意列支"}]}
    )

    likelihood: Likelihood
    impact: Impact
    reason: Text


class Mitigation(Command):
    """What is done about it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"response": "列入下一年度预算申请，并请三家发起单位先行垫付"}]}
    )

    response: Text


class Outcome(Command):
    """How it ended, or what happened."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "经费已到位"}]})

    outcome: Text
