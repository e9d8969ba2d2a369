"""What can wait for somebody: of each noun the steps that somebody is expected to take, and where to look for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from common.roles import Scope
from common.store import Aggregates
from measures.evidence.domain import Evidence
from measures.evidence.store import CONCERNING, evidences
from measures.item.domain import Item
from measures.item.lists import theirs
from measures.item.store import WITH_OTHERS, WITH_OWNER, items
from measures.local_plan.domain import LocalPlan
from measures.local_plan.store import local_plans
from measures.measure.domain import Measure
from measures.measure.store import UNFINISHED, measures
from measures.plan.domain import Plan
from measures.plan.store import plans
from measures.risk.domain import Risk
from measures.risk.store import risks


class Noun(StrEnum):
    """What it is that waits."""

    PLAN = "plan"
    MEASURE = "measure"
    LOCAL_PLAN = "local-plan"
    ITEM = "item"
    EVIDENCE = "evidence"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows among which something may wait for a caller; one too many does no harm, since its rules decide."""

    permissions: tuple[str, ...]
    """Who holds none of them need not look."""
    condition: str
    whose: Callable[[Scope], tuple[str, *tuple[Any, ...]]]
    """The condition, with its values, for who holds them over some units' things alone."""
    judged: bool = False
    """Whether who holds these over some units' things alone is a judge of theirs, and so of none of their own unit's:
    what waits is looked for below it alone."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says of a thing."""

    code: str | None
    title_zh: str
    title_en: str
    since: date
    """Since which day it waits."""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of one noun can wait."""

    noun: Noun
    store: Aggregates[Any]
    steps: frozenset[str]
    """The permissions of the steps that somebody is expected to take; the others are open and wait for nobody."""
    candidates: tuple[Candidates, ...]
    told: Callable[[Any, tuple[str, ...]], Told]
    """What is said of a thing, given the paths of the steps for which it waits."""
    day: str = "since"
    """The column by which its rows are in the order of the list."""


OWNERS_STEPS: Final = ("item.acknowledge", "item.start", "item.report-done", "milestone.report")
OTHERS_STEPS: Final = (
    "item.assign", "item.return", "item.close", "extension.grant", "extension.refuse", "milestone.verify",
    "milestone.return",
)  # fmt: skip


def _plan(plan: Plan, _: tuple[str, ...]) -> Told:
    return Told(plan.code, plan.title_zh, plan.title_en, plan.since)


def _measure(measure: Measure, _: tuple[str, ...]) -> Told:
    return Told(measure.code, measure.put_down.name_zh, measure.put_down.name_en, measure.since)


def _titled(thing: LocalPlan | Risk, _: tuple[str, ...]) -> Told:
    return Told(thing.code, thing.title_zh, thing.title_en, thing.since)


def _evidence(evidence: Evidence, _: tuple[str, ...]) -> Told:
    return Told(evidence.document_number, evidence.title, evidence.title, evidence.since)


def _item(item: Item, paths: tuple[str, ...]) -> Told:
    return Told(item.code, item.title_zh, item.title_en, min(_since(item, path) for path in paths), item.due_on)


def _since(item: Item, path: str) -> date:
    """Since which day a step of an item waits: its milestone's and its extension's begin on days of their own."""
    of, *rest = path.split("/")
    if of == "milestones":
        return max(item.since, item.milestone(int(rest[0])).since)
    return max(item.since, item.schedule.since) if of == "extension" else item.since


def _nobodys(_: Scope) -> tuple[str]:
    return ("false",)


def _led(scope: Scope) -> tuple[str, *tuple[Any, ...]]:
    return "(leads->-1->>'unit')::uuid = ANY({}::uuid[])", scope.leads


def _of_unit(scope: Scope) -> tuple[str, *tuple[Any, ...]]:
    return "unit = ANY({}::uuid[])", scope.units


def _owned(scope: Scope) -> tuple[str, *tuple[Any, ...]]:
    if len(scope.units) == 1:  # as it always is for an owner's steps: then its rows are in order along the index
        return "owner = {}", *scope.units
    return "owner = ANY({}::uuid[])", scope.units


def _proving(scope: Scope) -> tuple[str, *tuple[Any, ...]]:
    return CONCERNING, scope.units, scope.leads


WAITING: Final = (
    Waiting(
        noun=Noun.PLAN,
        store=plans,
        steps=frozenset({"plan.adopt", "plan.close"}),
        candidates=(Candidates(("plan.adopt", "plan.close"), "state IN ('draft', 'final-evaluation')", _nobodys),),
        told=_plan,
    ),
    Waiting(
        noun=Noun.MEASURE,
        store=measures,
        steps=frozenset({"measure.submit", "measure.accept", "measure.return"}),
        candidates=(
            Candidates(("measure.submit",), f"state IN ('launched', 'in-progress') AND NOT {UNFINISHED}", _led),
            Candidates(("measure.accept", "measure.return"), "state = 'submitted-for-acceptance'", _led),
        ),
        told=_measure,
    ),
    Waiting(
        noun=Noun.LOCAL_PLAN,
        store=local_plans,
        steps=frozenset(f"local-plan.{step}" for step in ("redraft", "submit", "enter-into-force", "return", "file")),
        candidates=(
            Candidates(
                ("local-plan.submit", "local-plan.enter-into-force"),
                "state IN ('draft', 'returned', 'filed')",
                _of_unit,
            ),
            Candidates(("local-plan.return", "local-plan.file"), "state = 'submitted'", _of_unit),
        ),
        told=_titled,
    ),
    Waiting(
        noun=Noun.ITEM,
        store=items,
        steps=frozenset(OWNERS_STEPS + OTHERS_STEPS),
        candidates=(
            Candidates(OWNERS_STEPS, WITH_OWNER, _owned),
            Candidates(OTHERS_STEPS, WITH_OTHERS, theirs, judged=True),
        ),
        told=_item,
        day="due_on",
    ),
    Waiting(
        noun=Noun.EVIDENCE,
        store=evidences,
        steps=frozenset({"evidence.verify", "evidence.reject"}),
        candidates=(Candidates(("evidence.verify", "evidence.reject"), "state = 'registered'", _proving, judged=True),),
        told=_evidence,
    ),
    Waiting(
        noun=Noun.RISK,
        store=risks,
        steps=frozenset({"risk.mitigate"}),
        candidates=(Candidates(("risk.mitigate",), "state = 'open'", _owned),),
        told=_titled,
    ),
)
"""What of each noun can wait, and for whom."""
