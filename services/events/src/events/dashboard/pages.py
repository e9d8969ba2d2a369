"""The door to the page: rendered here in full, so that it needs no script, and moved by one where there is one."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import asyncpg
from fastapi import APIRouter, Depends, Query, Request, Response
from markupsafe import Markup

from common.database import AWAY, DATABASE_AWAY
from common.decision import Kind, Refusal, Refused
from common.door import open_to_all
from common.problems import RETRY_AFTER_SECONDS
from events.asked import Stamp, asked
from events.dashboard import fragments
from events.dashboard.assets import ROOT, asset
from events.dashboard.charts import Chart, charts_of
from events.dashboard.fragments import TEMPLATES
from events.dashboard.words import TEXTS, Words, language_asked
from events.stream import Broadcast, EventStream
from events.views.answers import PlanOverview
from events.views.plan import look_closer, plan_in_force
from events.views.unit import look_at_units

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}
BAD_DAY = Refusal("view.bad-day", *TEXTS["bad-day"], kind=Kind.INVALID)

router = APIRouter(dependencies=[Depends(open_to_all)], include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asks for, as it stands in the address; what is left out is empty."""

    lang: str = ""
    plan: str = ""
    as_of: str = ""
    known_at: str = ""
    live: str = ""

    def url(self, **changed: str) -> str:
        """The address of this page, with something else asked for."""
        there = replace(self, **changed)
        told = {name: value for name in self.__slots__ if (value := getattr(there, name))}
        return f"/?{urlencode(told)}" if told else "/"

    @property
    def day(self) -> date | None:
        """The day as of which to look.

        :raises Refused: ``view.bad-day``.
        """
        try:
            return date.fromisoformat(self.as_of) if self.as_of else None
        except ValueError as error:
            raise BAD_DAY(pointer="/as_of") from error


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template needs to put the page together."""

    words: Words
    plan: PlanOverview
    plans: list[asyncpg.Record]
    """The plans that can be chosen."""
    stamp: Stamp
    charts: list[Chart]
    fragments: dict[str, Markup]
    past: bool
    live: bool
    clocks: str
    """The question's two clocks as the query of an address."""


Text = Annotated[str, Query(max_length=40)]


@router.get("/", name="dashboard")
async def dashboard(
    request: Request, lang: Text = "", plan: Text = "", as_of: Text = "", known_at: Text = "", live: Text = ""
) -> Response:
    """The plan's progress: now, or as of a day by what was known at an instant."""
    wanted, words = Wanted(lang, plan, as_of, known_at, live), Words(language_asked(request, lang))
    try:
        page = await _page(request.app.state.pool, wanted, words)
    except Refused as refused:
        return _refusal(refused, wanted, words)
    except AWAY:
        return _refusal(DATABASE_AWAY(), wanted, words)
    return _html("page.html", 200, words, page=page, wanted=wanted)


@router.get("/stream/page", name="page_stream")
async def page_stream(request: Request, lang: Text = "") -> EventStream:
    """The fragments of the present page as they move, and every two seconds how fresh they are."""
    broadcast: Broadcast = request.app.state.broadcast
    broadcast.admit()
    return EventStream(broadcast, request.app.state.page_channels[language_asked(request, lang)], None)


@router.get(f"{ROOT}/{{name}}", name="dashboard_asset")
async def dashboard_asset(name: str, v: Text = "") -> Response:
    """A file of the page; for ever where its version is named, else until it is asked for again.

    :raises Refused: ``asset.not-found``.
    """
    found = asset(name)
    kept = "public, max-age=31536000, immutable" if v == found.version else "no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{found.version}"', "X-Content-Type-Options": "nosniff"}
    return Response(found.content, headers=headers, media_type=found.media_type)


async def _page(pool: asyncpg.Pool, wanted: Wanted, words: Words) -> Page:
    question = asked(wanted.day, wanted.known_at or None)
    in_force = await plan_in_force(pool)
    plan, late = await look_closer(pool, wanted.plan or in_force, question, limit=fragments.OVERDUE_LISTED)
    drawn = charts_of(plan, words)
    parts = fragments.freshness(late.stamp, words) | fragments.overview(plan, words)
    units = await look_at_units(pool, plan.code, question, kind=None, after=None, limit=fragments.UNITS_LISTED)
    parts |= fragments.overdue(plan, late, words) | fragments.units(units, words)
    for chart in drawn:
        parts |= fragments.chart(chart, words)
    clocks = urlencode({name: value for name in ("as_of", "known_at") if (value := getattr(wanted, name))})
    return Page(
        words=words,
        plan=plan,
        plans=await pool.fetch("SELECT code, title_zh, title_en FROM plan ORDER BY starts_on DESC, code"),
        stamp=late.stamp,
        charts=drawn,
        fragments=parts,
        past=not question.current,
        live=question.current and plan.code == in_force and wanted.live != "off",
        clocks=f"?{clocks}" if clocks else "",
    )


def _refusal(refused: Refused, wanted: Wanted, words: Words) -> Response:
    detail = refused.say(words.language)
    reply = _html("refusal.html", int(refused.refusal.kind), words, detail=detail, wanted=wanted)
    if reply.status_code == Kind.UNAVAILABLE:
        reply.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return reply


def _html(template: str, status: int, words: Words, **told: Any) -> Response:
    content = TEMPLATES.get_template(template).render(t=words, **told)
    headers = {**HEADERS, "Content-Language": words.tag}
    return Response(content, status, headers, media_type="text/html; charset=utf-8")
