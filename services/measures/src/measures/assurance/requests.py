"""What a client says to the commands of an assurance."""

from typing import Any, Final

from pydantic import ConfigDict

from common.contracts import Code
from common.contracts.measures import Rating, SubjectKind
from common.fields import Text
from common.http import Command, Day

RATING_SHOWN: Final[dict[str, Any]] = {
    "rating": "yellow",
    "reason": "三家企业的确认回执仍未到齐，按期完成的把握不大",
    "expires_on": "2022-09-01",
    "effective_on": "2022-03-01",
}


class RatingGiven(Command):
    """A rating: what is thought of it and why, and the first day on which that no longer holds."""

    model_config = ConfigDict(json_schema_extra={"examples": [RATING_SHOWN]})

    rating: Rating
    reason: Text
    expires_on: Day


class AssuranceGiving(RatingGiven):
    """The first rating of a measure or an item, which is named by its code within the plan."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"plan": "CQ-KX-2021-2025", "subject_kind": "item", "subject": "B2-03"} | RATING_SHOWN]
        }
    )

    plan: Code
    subject_kind: SubjectKind
    subject: Code


class Withdrawal(Command):
    """Why a rating is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "所依据的材料有误"}]})

    reason: Text
