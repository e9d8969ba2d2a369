"""What the page draws: the charts of a plan, and the sentences that state what they show, all made from its figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from events.dashboard.words import Words, one_decimal
from events.views.answers import AspectProgress, MeasureProgress, PlanOverview
from events.views.rating import NAMES, Rating

TONES = 4
CLOSED = "verified-closed"


@dataclass(frozen=True, slots=True)
class Row:
    """One bar and its line in the table: what it is of, and its figures."""

    id: str
    """Names the row's element and the events that move it."""
    code: str
    name: str
    tone: int
    """Which aspect's colour it has, counted from 1; 0 is none's."""
    closed: int
    """How many of its items are struck off."""
    part: PlanOverview | AspectProgress | MeasureProgress
    """The plan, the aspect or the measure with all its other figures."""
    link: str | None = None
    """The id of the chart that shows what this is made of."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars with the finding they show, their table, and where to get the data."""

    id: str
    title: str
    finding: str
    rows: tuple[Row, ...]
    data: str
    """The address of the same figures as JSON, without the question's two clocks."""


def charts_of(plan: PlanOverview, words: Words) -> list[Chart]:
    """The charts of the page: the aspects with the plan as a whole, then each aspect with its measures."""
    toned = [(aspect, 1 + position % TONES) for position, aspect in enumerate(plan.aspects)]
    aspects = tuple(_aspect(aspect, tone, words) for aspect, tone in toned)
    data = f"/api/v1/progress/plans/{plan.code}"
    first = Chart("aspects", words("aspects"), _finding(aspects, words), (_whole(plan, words), *aspects), data)
    return [first, *(_measures(aspect, tone, data, words) for aspect, tone in toned)]


def closed_of(plan: PlanOverview) -> int:
    """How many of the plan's items are struck off."""
    return sum(_closed(aspect.measures) for aspect in plan.aspects)


def headline(plan: PlanOverview, words: Words) -> str:
    """The plan in a few sentences: how far, how many items, in which phase, until when."""
    share, ends = plan.progress, words.day(plan.ends_on)
    return words.sentences(
        words("headline-no-share")
        if share.verified is None
        else words("headline-share", verified=words.share(share.verified), reported=words.share(share.reported)),
        words("headline-items", items=plan.items, closed=closed_of(plan)),
        words("headline-ratings", ratings=ratings_of(plan, words)) if plan.items else "",
        words("headline-overdue", count=plan.overdue.count, days=plan.overdue.days) if plan.overdue.count else "",
        words("headline-phase", phase=words.name(plan.phase), span=phase_span(plan)) if plan.phase else "",
        words("headline-ended" if plan.days_left < 0 else "headline-ends", day=ends),
    )


def ratings_of(whole: PlanOverview | AspectProgress, words: Words) -> str:
    """How many measures are rated how, those ratings left out that none has."""
    told = [f"{words.choose(*NAMES[rating])} {number}" for rating, number in rated_in(whole)]
    return words.choose("、", ", ").join(told)


def rated_in(whole: PlanOverview | AspectProgress) -> list[tuple[Rating, int]]:
    """The ratings that measures have, each with the number of those that have it."""
    return [(rating, number) for rating, number in whole.ratings.items() if number]


def phase_span(plan: PlanOverview) -> str:
    """The years of the phase that the plan is in, and nothing where it is in none."""
    if plan.phase is None:
        return ""
    first, last = plan.phase.starts_on.year, plan.phase.ends_on.year
    return str(first) if first == last else f"{first}–{last}"


def _whole(plan: PlanOverview, words: Words) -> Row:
    return Row("plan", "", words("whole-plan"), 0, closed_of(plan), plan)


def _aspect(aspect: AspectProgress, tone: int, words: Words) -> Row:
    closed, link = _closed(aspect.measures), f"measures-{aspect.code}"
    return Row(f"aspect-{aspect.code}", aspect.code, words.name(aspect), tone, closed, aspect, link)


def _measures(aspect: AspectProgress, tone: int, data: str, words: Words) -> Chart:
    rows = tuple(
        Row(
            id=f"measure-{measure.code}",
            code=measure.code,
            name=words.name(measure),
            tone=tone,
            closed=_closed([measure]),
            part=measure,
        )
        for measure in aspect.measures
    )
    title = f"{aspect.code} {words.name(aspect)}"
    return Chart(f"measures-{aspect.code}", title, _finding(rows, words), rows, data)


def _closed(measures: Iterable[MeasureProgress]) -> int:
    return sum(measure.by_state.get(CLOSED, 0) for measure in measures)


def _finding(rows: Sequence[Row], words: Words) -> str:
    """Which of the rows are furthest and least far, where most waits to be judged, and of which nothing is known."""
    known = [(row, row.part.progress.verified) for row in rows if row.part.progress.verified is not None]
    if not known:
        return words("finding-none")
    without = [_called(row, words) for row in rows if row.part.progress.verified is None]
    (first, most), (last, least) = max(known, key=_share), min(known, key=_share)
    if len(known) == 1:
        said = words("finding-one", name=_called(first, words), share=words.share(most))
    elif most == least:
        said = words("finding-even", share=words.share(most))
    else:
        said = words(
            "finding-spread",
            first=_called(first, words),
            most=words.share(most),
            last=_called(last, words),
            least=words.share(least),
        )
    missing = words("finding-without", names=words.choose("、", ", ").join(without)) if without else ""
    return words.sentences(said, _waiting(rows, words), missing)


def _share(known: tuple[Row, Decimal]) -> Decimal:
    return known[1]


def _waiting(rows: Sequence[Row], words: Words) -> str:
    waits = [
        (row, (row.part.progress.reported or Decimal(0)) - (row.part.progress.verified or Decimal(0))) for row in rows
    ]
    row, most = max(waits, key=_share)
    points = one_decimal(most)
    return words("finding-waiting", name=_called(row, words), points=points) if points > 0 else ""


def _called(row: Row, words: Words) -> str:
    return words.choose(f"{row.code} {row.name}", row.code)
