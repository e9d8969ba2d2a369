"""The page's server as browsers reach it, showing the seeds' plan: items at every stage, one measure without data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from builders import JUDGE, OWNER, a_milestone, directory_history, plan_words
from common.contracts.measures import Aspect, Measure, Phase, PhaseMode
from common.decision import Change
from doors import Door
from events import feed
from events.tables import PROJECTION
from kegai.seeds import data
from measures.plan.domain import Plan, define_plan
from serving import served
from stories import ItemStory, Told, learn

PLAN = "CQ-KX-2021-2025"
WITHOUT_ITEMS = "D6"
"""A measure that stays without items: nothing is known of it."""


@dataclass
class Site:
    """The events service under its address, what it knows, and how it learns more."""

    url: str
    pool: asyncpg.Pool
    told: Told = field(default_factory=Told)
    stories: dict[str, ItemStory] = field(default_factory=dict)
    """The items by their codes."""

    async def learn(self) -> None:
        """Take in what was told since the last time, as the projector does."""
        await learn(self.pool, self.told.records)
        self.told.records.clear()
        await feed.sequence(self.pool)

    async def reach_the_end(self, *, seconds_ago: float = 0) -> None:
        """Note that the end of the topics was reached, a while ago."""
        await self.pool.execute(
            "INSERT INTO projection_offset (projection, topic, partition, caught_up_at) "
            "VALUES ($1, 'told', 0, now() - make_interval(secs => $2)) "
            "ON CONFLICT (projection, topic, partition) DO UPDATE SET caught_up_at = excluded.caught_up_at",
            PROJECTION,
            seconds_ago,
        )


@asynccontextmanager
async def showing_the_seeds(door: Door) -> AsyncIterator[Site]:
    """The door of events on a port of its own, with what the seeds tell."""
    async with served(door.app, on_stop=door.app.state.broadcast.stop) as url:
        site = Site(url, door.pool)
        seeds = data.read()
        site.told.records.extend(directory_history())
        _tell_plan(site.told, seeds.plan)
        site.stories = {one.code: _tell_item(site.told, one) for one in seeds.items if one.measure != WITHOUT_ITEMS}
        await site.learn()
        await site.reach_the_end()
        yield site


def _tell_item(told: Told, seed: data.Item) -> ItemStory:
    """What became of an item's milestones, and whether it was struck off."""
    course = [one for one in seed.milestones if not one.cancelled_on]
    planned = tuple(a_milestone(one.number, weight=one.weight, required=one.required) for one in course)
    story = told.item(seed.code, plan=PLAN, measure=seed.measure, milestones=planned)
    for one in course:
        if one.attained_on and one.reported_on:
            story.reports(one.number, one.attained_on, on=one.reported_again_on or one.reported_on)
        if one.verified_on:
            story.verifies(one.number, on=one.verified_on)
    if seed.reported_done_on and seed.closed_on:
        story.does("report_done", claim="完成", by=OWNER, on=seed.reported_done_on)
        story.does("close", by=JUDGE, on=seed.closed_on)
    return story


def _tell_plan(told: Told, seed: data.Plan) -> None:
    """The plan was put down, adopted, and went from phase to phase."""
    defined = define_plan(
        **plan_words(
            code=PLAN,
            title_zh=seed.title_zh,
            title_en=seed.title_en,
            aspects=tuple(Aspect(**one.model_dump()) for one in seed.aspects),
            measures=tuple(Measure(**one.model_dump()) for one in seed.measures),
            phases=tuple(_phase(one) for one in seed.phases),
        )
    )
    plan = _told(told, 0, defined)
    plan = _told(told, plan.version, plan.adopt(issuer="发文机关", document_number="1", on=seed.adopted_on))
    for phase in seed.phases:
        plan = _told(told, plan.version, plan.enter_phase(phase.code, on=max(phase.entered_on, date(2021, 12, 20))))


def _phase(seed: data.Phase) -> Phase:
    words: dict[str, Any] = seed.model_dump(exclude={"entered_on", "mode"})
    return Phase(**words, mode=PhaseMode(seed.mode))


def _told(told: Told, version: int, change: Change[Plan]) -> Plan:
    told.tell("plan", change.state.id, version + 1, change)
    return change.state
