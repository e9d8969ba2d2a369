"""By what progress is weighed and rated: the weights of siblings and the scoring policy, each from a day on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol, TypeVar

from common.contracts.measures import Method, Siblings, Thresholds, Weight
from measures.plan.parts import require_once
from measures.plan.rules import (
    NOT_A_SIBLING,
    SHARES_NOT_ONE,
    SIBLING_MISSING,
    WEIGHTS_SUM_TO_ZERO,
    YELLOW_BELOW_GREEN,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the siblings below one parent weigh from a day on; a sibling that is not among them weighs 1."""

    siblings: Siblings
    parent: str
    weights: tuple[Weight, ...]
    since: date


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """How progress is scored and rated from a day on, and from when required milestones need verified evidence."""

    version: int
    method: Method
    thresholds: Thresholds
    evidence_from: date | None
    since: date

    def says(self, method: Method, thresholds: Thresholds, evidence_from: date | None) -> bool:
        """Whether this is what it says."""
        return (self.method, self.thresholds, self.evidence_from) == (method, thresholds, evidence_from)


UNTIL_ADOPTED: Final = ScoringPolicy(0, Method(), Thresholds(), evidence_from=None, since=date.min)
"""The policy of a plan that has adopted none: version 0, the defaults of all, no evidence needed."""


class _Since(Protocol):
    @property
    def since(self) -> date: ...


Dated = TypeVar("Dated", bound=_Since)


def last(dated: Sequence[Dated], on: date = date.max) -> Dated | None:
    """What holds on that day, of what took effect in this order."""
    return next((one for one in reversed(dated) if one.since <= on), None)


def require_weights(
    weights: tuple[Weight, ...], siblings: Collection[str], parent: str, *, optional: Collection[str] = ()
) -> None:
    """Every sibling is weighted once, none that is no sibling is, and together they weigh something.

    :param optional: those that may be left out: on that day they were not there yet.
    :raises Refused: ``plan.code-twice``, ``plan.weight-not-a-sibling``, ``plan.weight-missing``,
        ``plan.weights-sum-to-zero``.
    """
    require_once((one.code for one in weights), at="/weights")
    for place, one in enumerate(weights):
        if one.code not in siblings:
            raise NOT_A_SIBLING(pointer=f"/weights/{place}/code", code=one.code, parent=parent)
    if missing := sorted(set(siblings) - {one.code for one in weights} - set(optional)):
        raise SIBLING_MISSING(pointer="/weights", codes=", ".join(missing[:10]))
    if not sum(one.weight for one in weights):
        raise WEIGHTS_SUM_TO_ZERO(pointer="/weights")


def require_policy(method: Method, thresholds: Thresholds) -> None:
    """The shares add up to 1, and yellow begins where green ends or beyond.

    :raises Refused: ``plan.policy-shares-not-one``, ``plan.policy-yellow-below-green``.
    """
    if method.item_share + method.outcome_share != 1:
        raise SHARES_NOT_ONE(pointer="/method")
    if thresholds.yellow_gap < thresholds.green_gap:
        raise YELLOW_BELOW_GREEN(pointer="/thresholds/yellow_gap")
