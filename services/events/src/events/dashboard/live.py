"""The stream of the page: what moved, as the same fragments of HTML that the page is made of, one stream a language."""

from collections.abc import Sequence

from markupsafe import Markup

from common import clock
from common.decision import Refused
from events.asked import Stamp, asked, stamp
from events.dashboard import fragments
from events.dashboard.charts import charts_of
from events.dashboard.words import LANGUAGES, Language, Words
from events.feed import Change
from events.stream import Broadcast, Channel, frame
from events.tables import PROJECTION, PROJECTION_VERSION
from events.views.answers import OverdueAnswer, PlanOverview
from events.views.plan import look_closer
from events.views.rating import Policy
from events.views.unit import look_at_units


def page_channels(broadcast: Broadcast) -> dict[Language, Channel]:
    """A channel of the present page for each language."""
    return {language: _channel(broadcast, Words(language)) for language in LANGUAGES}


def _channel(broadcast: Broadcast, words: Words) -> Channel:
    """The plan in force, in one language. Frames have no number: who comes back gets everything anew."""

    drawn_on = clock.business_date(clock.now())

    async def greet() -> bytes:
        parts = fragments.freshness(await told_by(), words)
        if found := await present():
            plan, late = found
            parts |= fragments.overview(plan, words) | fragments.overdue(plan, late, words) | await units(plan.code)
            for chart in charts_of(plan, words):
                parts |= fragments.chart(chart, words)
        return _frames(parts)

    async def render(changes: Sequence[Change]) -> bytes:
        found = await present()
        if found is None:
            return b""
        plan, late = found
        moved = _moved(plan, {change.measure for change in changes if change.plan == plan.code})
        parts = {}
        if moved:
            parts = fragments.overview(plan, words) | fragments.overdue(plan, late, words) | await units(plan.code)
        for chart in charts_of(plan, words):
            if rows := moved & {row.id for row in chart.rows}:
                about = {f"{chart.id}-finding", *rows, *(f"{row}-figures" for row in rows)}
                parts |= {name: part for name, part in fragments.chart(chart, words).items() if name in about}
        return _frames(parts)

    async def present() -> tuple[PlanOverview, OverdueAnswer] | None:
        """The plan in force; None as long as items are known and their plan is not."""
        try:
            return await look_closer(broadcast.pool, None, asked(None, None), limit=fragments.OVERDUE_LISTED)
        except Refused:
            return None

    async def units(plan: str) -> dict[str, Markup]:
        now, limit = asked(None, None), fragments.UNITS_LISTED
        return fragments.units(
            await look_at_units(broadcast.pool, plan, now, kind=None, after=None, limit=limit), words
        )

    async def told_by() -> Stamp:
        return await stamp(broadcast.pool, (PROJECTION, PROJECTION_VERSION), asked(None, None), Policy().version)

    async def beat() -> bytes:
        nonlocal drawn_on
        if (today := clock.business_date(clock.now())) != drawn_on:  # what is expected and overdue follows the day
            everything, drawn_on = await greet(), today
            return everything
        return _frames(fragments.freshness(await told_by(), words))

    return broadcast.open(Channel(f"page-{words.language}", render=render, greet=greet, beat=beat))


def _moved(plan: PlanOverview, measures: set[str]) -> set[str]:
    """The rows that measures move: their own, their aspects', and the plan's as a whole."""
    aspects = {aspect.code for aspect in plan.aspects if measures & {measure.code for measure in aspect.measures}}
    rows = {f"measure-{code}" for code in measures} | {f"aspect-{code}" for code in aspects}
    return rows | {"plan"} if rows else rows


def _frames(parts: dict[str, Markup]) -> bytes:
    return b"".join(frame(name, part) for name, part in parts.items())
