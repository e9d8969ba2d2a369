"""What a plan and its items went through, told by the real domains and recorded when the test wants it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from builders import JUDGE, OWNER, a_milestone, circumstances, item_words, plan_words, recorded
from common.cloudevents import Recorded
from common.contracts.measures import Siblings, Weight
from common.decision import Change
from events.projector import ReformProgress
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.extension import reschedule_item
from measures.plan.domain import Plan, define_plan
from putting_down import ALL_ENDED, a_planned_measure

FIRST_KNOWN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Told:
    """Everything that was told so far, in the order of its recording; an hour passes between two things."""

    records: list[Recorded] = field(default_factory=list)
    clock: datetime = FIRST_KNOWN

    def tell(self, kind: str, aggregate_id: UUID, first_version: int, change: Change[Any]) -> datetime:
        """Record a change's events; the instant at which they became known."""
        self.clock += timedelta(hours=1)
        for version, event in enumerate(change.events, first_version):
            about = circumstances(kind, aggregate_id, version, recorded_at=self.clock, effective_on=change.effective_on)
            self.records.append(recorded(event, about))
        return self.clock

    def plan(self, **changed: Any) -> "PlanStory":
        """A plan was put down."""
        return PlanStory(self, define_plan(**plan_words(**changed)))

    def measure(self) -> "NounStory":
        """Measure A1 of the plan, all of whose items have ended, launched on 2022-01-04."""
        story = NounStory(self, "measure", a_planned_measure(work=replace(ALL_ENDED, since=None)))
        story.does("launch", by=None, on=date(2022, 1, 4))
        return story

    def begins(self, kind: str, change: Change[Any]) -> "NounStory":
        """A rating or a risk was put on record."""
        story = NounStory(self, kind, change.state)
        story.became(change)
        return story

    def item(self, code: str = "A1-01", **changed: Any) -> "ItemStory":
        """An item was added with one required milestone (or those given), handed over, received and begun."""
        story = ItemStory(self, add_item(**item_words(id=uuid4(), code=code, **changed)))
        story.does("assign", by=None, on=date(2022, 1, 10))
        story.does("acknowledge", by=OWNER, on=date(2022, 1, 20))
        story.does("start", by=OWNER, on=date(2022, 2, 1))
        return story


class NounStory:
    """The life of a measure, of an independent rating or of a risk."""

    def __init__(self, told: Told, kind: str, state: Any) -> None:
        self.told, self.kind, self.state = told, kind, state

    def does(self, decision: str, **words: Any) -> datetime:
        """One decision; the instant at which it became known."""
        return self.became(getattr(self.state, decision)(**words))

    def became(self, change: Change[Any]) -> datetime:
        """What was decided took effect."""
        first = change.state.version - len(change.events) + 1
        self.state = change.state
        return self.told.tell(self.kind, self.state.id, first, change)


class PlanStory:
    """One plan's life."""

    def __init__(self, told: Told, defined: Change[Plan]) -> None:
        self.told = told
        self.plan = defined.state
        self.known = told.tell("plan", self.plan.id, 1, defined)

    def does(self, decision: str, *arguments: Any, **words: Any) -> datetime:
        """One decision of the plan; the instant at which it became known."""
        change: Change[Plan] = getattr(self.plan, decision)(*arguments, **words)
        first, self.plan = self.plan.version + 1, change.state
        return self.told.tell("plan", self.plan.id, first, change)

    def weighs(self, siblings: str, parent: str, on: date, **weights: str) -> datetime:
        """All siblings below a parent are weighted; ``A1_01`` stands for the item A1-01."""
        said = {code.replace("_", "-"): Decimal(weight) for code, weight in weights.items()}
        given = tuple(Weight(code=code, weight=weight) for code, weight in said.items())
        return self.does("set_weights", Siblings(siblings), parent, given, items=said.keys(), on=on)


class ItemStory:
    """One item's life."""

    def __init__(self, told: Told, added: Change[Item]) -> None:
        self.told = told
        self.item = added.state
        told.tell("item", self.item.id, 1, added)

    def does(self, decision: str, *arguments: Any, **words: Any) -> datetime:
        """One decision of the item; the instant at which it became known."""
        return self._became(getattr(self.item, decision)(*arguments, **words))

    def ends(self, decision: Callable[..., Change[Item]], *, on: date, **words: Any) -> datetime:
        """It is cancelled, merged or carried over by the office; the instant at which that became known."""
        return self._became(decision(self.item, reason="调整", authority="会议纪要", by=None, on=on, **words))

    def moves(self, due_on: date, *, on: date) -> datetime:
        """The office moves its due date; the instant at which that became known."""
        return self._became(reschedule_item(self.item, due_on=due_on, reason="调整", by=None, on=on))

    def _became(self, change: Change[Item]) -> datetime:
        first, self.item = self.item.version + 1, change.state
        return self.told.tell("item", self.item.id, first, change)

    def reports(self, number: int, attained_on: date, *, on: date | None = None) -> datetime:
        """The owner says that a milestone was attained, ten days later unless said otherwise."""
        on = on or attained_on + timedelta(days=10)
        return self.does("report_milestone", number, attained_on=attained_on, note=None, by=OWNER, on=on)

    def verifies(self, number: int, *, on: date) -> datetime:
        """Somebody independent finds that it is so."""
        return self.does("verify_milestone", number, by=JUDGE, on=on)

    def attains(self, number: int, attained_on: date) -> datetime:
        """Reported after ten days and verified after twenty; the instant at which the verification became known."""
        self.reports(number, attained_on)
        return self.verifies(number, on=attained_on + timedelta(days=20))


def milestones(*weights: str) -> tuple[Any, ...]:
    """Milestones 1, 2, … with these weights."""
    return tuple(a_milestone(number, weight=weight) for number, weight in enumerate(weights, 1))


async def learn(pool: asyncpg.Pool, records: Sequence[Recorded]) -> None:
    """Let the view take in what was told, in one batch."""
    async with pool.acquire() as connection, connection.transaction():
        await ReformProgress().apply(connection, records)


def some_progress() -> Told:
    """A third of A1 verified in 2022 and as much again in 2023; A2 and B1 without items."""
    told = Told()
    told.plan()
    item = told.item("A1-01", milestones=milestones("1", "1", "1"))
    item.attains(1, date(2022, 6, 1))
    item.attains(2, date(2023, 6, 1))
    return told
