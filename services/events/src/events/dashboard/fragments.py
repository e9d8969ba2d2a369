"""The parts of the page that can move, each by its name: the page is put together from them, the stream renews them."""

from datetime import timedelta
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from common import clock
from events.asked import Stamp
from events.dashboard import charts
from events.dashboard.assets import address
from events.dashboard.charts import Chart
from events.dashboard.words import Words
from events.views.answers import OverdueAnswer, PlanOverview
from events.views.progress import to_six_places
from events.views.rating import NAMES
from events.views.unit import UnitsAnswer

LATE_SECONDS: Final = 10.0
"""From this lag on the page says that its data may be out of date."""


def environment(*packages: str) -> Environment:
    """Templates of these packages, the first that has one: everything is escaped, nothing undefined goes unseen."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = address
    return made


TEMPLATES: Final = environment("events.dashboard")
TEMPLATES.filters["told"] = to_six_places
TEMPLATES.globals["rated_in"] = charts.rated_in
TEMPLATES.globals["rating_names"] = NAMES
OVERDUE_LISTED: Final = 10
"""So many overdue things the page lists; the data has all of them, page by page."""
UNITS_LISTED: Final = 200
"""Of so many units, by their codes, the page lists those that have a part in the plan."""
FIGURE: Final[Any] = TEMPLATES.get_template("figure.html").module
PARTS: Final[Any] = TEMPLATES.get_template("parts.html").module


def overview(plan: PlanOverview, words: Words) -> dict[str, Markup]:
    """What stands above the charts."""
    sentence, closed, span = charts.headline(plan, words), charts.closed_of(plan), charts.phase_span(plan)
    return {"overview": PARTS.overview(plan, sentence, closed, span, words)}


def chart(drawn: Chart, words: Words) -> dict[str, Markup]:
    """The finding of a chart, and each of its rows as a bar and as a line of the table."""
    made = {f"{drawn.id}-finding": Markup("{}").format(drawn.finding)}
    for row in drawn.rows:
        made[row.id] = FIGURE.bar(row, words)
        made[f"{row.id}-figures"] = FIGURE.cells(row, words)
    return made


def overdue(plan: PlanOverview, listed: OverdueAnswer, words: Words) -> dict[str, Markup]:
    """What is overdue, that for the longest first."""
    return {"overdue": PARTS.overdue(plan.overdue, listed.overdue, words)}


def units(listed: UnitsAnswer, words: Words) -> dict[str, Markup]:
    """The units that have a part in the plan, each with what it owns, helps with and leads."""
    partaking = [unit for unit in listed.units if unit.owns.items or unit.helps.items or unit.leads]
    return {"units": PARTS.units(partaking, words)}


def freshness(stamp: Stamp, words: Words) -> dict[str, Markup]:
    """Since when nothing can be missing, which is said plainly once that is long ago."""
    now = clock.now()
    today = words.day(clock.business_date(now))
    if stamp.lag_seconds is None:
        return {"freshness": PARTS.freshness("never-fresh", today, "", "", words)}
    state = "late" if stamp.lag_seconds > LATE_SECONDS else "fresh"
    read = (now - timedelta(seconds=stamp.lag_seconds)).astimezone(clock.SHANGHAI)
    at = f"{read:%H:%M:%S}" if read.date() == clock.business_date(now) else words.instant(read)
    return {"freshness": PARTS.freshness(state, today, at, words.ago(stamp.lag_seconds), words)}
