"""All that the page says, Chinese first, and how figures, days and instants are written in both languages."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal, Protocol

from starlette.requests import Request

from common.clock import SHANGHAI
from common.problems import language_of
from events.views.progress import to_six_places

Language = Literal["zh", "en"]
LANGUAGES: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}
"""The languages of the page with their BCP 47 tags."""

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "product": ("科改通", "Kegai"),
    "title": ("科协系统深化改革进展", "Progress of the associations' reform"),
    "skip": ("跳到正文", "Skip to the content"),
    "other-language": ("English", "简体中文"),
    "sample": ("示例数据", "Sample data"),
    "overview": ("总体进展", "Overview"),
    "aspects": ("四个方面", "The aspects of the plan"),
    "whole-plan": ("方案总体", "The whole plan"),
    "verified": ("已核验", "Verified"),
    "reported": ("已上报", "Reported"),
    "legend-verified": ("已核验：由独立单位核实", "Verified: confirmed by an independent unit"),
    "legend-reported": ("已上报：责任单位报告（含已核验）", "Reported: by the owner, those verified included"),
    "expected": ("应达", "Expected"),
    "gap": ("差距（百分点）", "Gap, percentage points"),
    "original-scope": ("原范围已核验", "Verified of the original scope"),
    "rating": ("评级", "Rating"),
    "legend-expected": (
        "应达：按节点计划日期，当日应完成的份额",
        "Expected: due by that day, as the milestones are planned",
    ),
    "standing": ("应达 {share}，差距 {points} 个百分点", "expected {share}, gap {points} percentage points"),
    "standing-overdue": ("逾期 {count} 项，最长 {days} 天", "overdue {count}, the longest by {days} days"),
    "overdue": ("逾期", "Overdue"),
    "overdue-days": ("逾期天数", "Days overdue"),
    "overdue-longest": ("最长逾期（天）", "Longest, in days"),
    "overdue-none": (
        "截至所查日期，没有逾期的事项和节点。",
        "On the day asked for no item and no milestone is overdue.",
    ),
    "overdue-finding": (
        "逾期 {count} 项，最长 {days} 天；以下列出逾期最久的 {shown} 项。",
        "Overdue: {count}, the longest by {days} days. Listed are the {shown} that are so for the longest.",
    ),
    "units": ("各单位", "Units"),
    "units-none": ("尚无单位承担或参与改革事项。", "No unit has a part in any item yet."),
    "units-finding": (
        "{count} 个单位承担、参与或牵头；含各单位地方方案的事项。",
        "Units that own, help or lead: {count}. Items of their local plans are counted with them.",
    ),
    "unit": ("单位", "Unit"),
    "unit-owns": ("承担事项", "Items owned"),
    "unit-helps": ("参与事项", "Items helped with"),
    "unit-leads": ("牵头举措", "Measures led"),
    "overdue-what": ("内容", "What"),
    "overdue-item": ("事项本身", "the item itself"),
    "overdue-milestone": ("节点 {number}", "milestone {number}"),
    "due-on": ("应完成日期", "Due on"),
    "waits-for": ("状态", "State"),
    "reported-waits": ("已上报，待核验", "reported, waits for the judges"),
    "not-reported": ("未上报", "not reported"),
    "closed": ("已销号", "Struck off"),
    "closed-of-items": ("已销号 / 改革事项", "Struck off / items"),
    "items": ("改革事项", "Items"),
    "milestones": ("计入节点", "Milestones"),
    "milestones-reported": ("节点已上报", "of them reported"),
    "milestones-verified": ("节点已核验", "of them verified"),
    "code": ("编号", "Code"),
    "name": ("名称", "Name"),
    "phase": ("所处阶段", "Phase"),
    "no-data": ("暂无数据", "no data"),
    "no-phase": ("尚未进入任何阶段", "no phase entered yet"),
    "table": ("数据表", "Data table"),
    "download": ("下载数据（JSON）", "Download the data (JSON)"),
    "counts": (
        "{items} 项事项，销号 {closed} 项；节点 {counted} 个，核验 {verified} 个",
        "items {items}, struck off {closed}; milestones {counted}, verified {verified}",
    ),
    "counts-none": ("尚无改革事项", "no items yet"),
    "when": ("查看时点", "Point in time"),
    "plan": ("方案", "Plan"),
    "as-of": ("截至日期", "As of"),
    "as-of-hint": ("看到哪一天的情况", "what was true on that day"),
    "known-at": ("按何时所知", "As known at"),
    "known-at-hint": ("此后才录入的不计", "leaving out what was recorded later"),
    "show": ("查看", "Show"),
    "to-present": ("回到当前", "Back to the present"),
    "bad-day": ("截至日期应为有效日期，如 2024-12-31", "as_of takes a date, such as 2024-12-31"),
    "past": (
        "历史视图：{as_of} 的情况，按 {known_at}（北京时间）所知。",
        "A view of the past: what was true on {as_of}, as known at {known_at} (Beijing time).",
    ),
    "fresh": ("截至 {at}（北京时间）", "As of {at} (Beijing time)"),
    "late": (
        "数据可能不是最新：最后完整读到 {at}（北京时间）",
        "The data may be out of date: last complete at {at} (Beijing time)",
    ),
    "ago": ("，{ago}", ", {ago}"),
    "never-fresh": (
        "数据可能不完整：事件尚未读完，无法说明截至何时",
        "The data may be incomplete: the events have not been read to their end yet",
    ),
    "silent": (
        "与服务器的实时连接已中断，正在重新连接；以下数字可能不是最新。",
        "The live connection is lost and being made again; the figures below may be out of date.",
    ),
    "pause": ("暂停自动更新", "Pause updates"),
    "resume": ("恢复自动更新", "Resume updates"),
    "no-script": (
        "未启用脚本：数字与数据接口一致，但不会自动更新，刷新页面即可。",
        "Without scripts the figures are the same, but they do not move by themselves: reload the page.",
    ),
    "headline-share": (
        "方案总体进度：已核验 {verified}，已上报 {reported}。",
        "Of the plan, {verified} is verified and {reported} is reported.",
    ),
    "headline-no-share": ("方案总体进度暂无数据。", "There is no data on the plan's progress."),
    "headline-items": (
        "{items} 项改革事项已销号 {closed} 项。",
        "{closed} of {items} reform items are struck off.",
    ),
    "headline-ratings": ("举措评级：{ratings}。", "Measures are rated: {ratings}."),
    "headline-overdue": ("逾期 {count} 项，最长 {days} 天。", "Overdue: {count}, the longest by {days} days."),
    "headline-phase": ("处于“{phase}”阶段（{span}）。", "The phase is “{phase}” ({span})."),
    "headline-ended": ("方案已于 {day}到期。", "The plan ended on {day}."),
    "headline-ends": ("方案于 {day}到期。", "The plan ends on {day}."),
    "finding-none": ("暂无数据。", "There is no data."),
    "finding-one": ("{name}的已核验进度为 {share}。", "{name}: {share} is verified."),
    "finding-even": ("各项已核验进度相同，均为 {share}。", "All are verified to the same share, {share}."),
    "finding-spread": (
        "{first}的核验进度最高（{most}），{last}的最低（{least}）。",
        "{first} is verified furthest ({most}), {last} least ({least}).",
    ),
    "finding-waiting": (
        "{name}已上报而待核验的最多，相差 {points} 个百分点。",
        "Most waits to be verified in {name}, {points} percentage points.",
    ),
    "finding-without": ("{names}暂无数据。", "No data on {names}."),
    "notes": ("数据说明", "About the data"),
    "note-shares": (
        "事项进度按节点权重计算，举措、方面、方案依次为下一级的加权平均。",
        "An item's progress weighs its milestones; all above is the weighted mean of the level below.",
    ),
    "note-attained": (
        "已核验的节点自实际达成之日起计，与何时核验无关。",
        "A verified milestone counts from the day it was attained, not from the day it was judged.",
    ),
    "note-rating": (
        "评级按当日在用的评分办法，由应达与已核验之差和逾期天数得出；已验收、暂停或无数据的另列，不评级。",
        "Ratings follow from the gap between expected and verified and from days overdue, by the policy of that day.",
    ),
    "note-no-data": (
        "“暂无数据”表示没有可计算的依据，不等于 0。",
        "“No data” says that there is nothing to compute from; it does not mean 0.",
    ),
    "note-sample": (
        "随系统附带的改革事项清单为示例数据，真实清单未公开；方面、举措与阶段依据公开文件。",
        "The reform items that come with the system are samples; aspects, measures and phases follow public documents.",
    ),
    "interfaces": ("数据接口", "API"),
    "refused": ("无法显示", "This cannot be shown"),
}
"""The texts by key, in Chinese and in English."""


class Named(Protocol):
    """Whatever has a name in both languages."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Words:
    """The page's texts in one language; call it with a key and what the text is filled with."""

    language: Language

    @property
    def tag(self) -> str:
        """The language as HTML and HTTP name it."""
        return LANGUAGES[self.language]

    @property
    def other(self) -> Language:
        """The language that the reader can switch to."""
        return "en" if self.language == "zh" else "zh"

    @property
    def other_tag(self) -> str:
        """The tag of the other language."""
        return LANGUAGES[self.other]

    def __call__(self, key: str, **facts: object) -> str:
        """The text of this key."""
        return self.choose(*TEXTS[key]).format(**facts)

    def choose(self, zh: str, en: str) -> str:
        """The one of two texts that is in this language."""
        return zh if self.language == "zh" else en

    def name(self, thing: Named) -> str:
        """The name of an aspect, a measure or a phase."""
        return self.choose(thing.name_zh, thing.name_en)

    def sentences(self, *parts: str) -> str:
        """Sentences in a row: Chinese has no space between them."""
        return self.choose("", " ").join(part for part in parts if part)

    def share(self, share: Decimal | None) -> str:
        """A ratio of 0–1 as a percentage with one decimal; ``no data`` for None."""
        return self("no-data") if share is None else f"{one_decimal(share)}%"

    def points(self, gap: Decimal) -> str:
        """A gap of shares in percentage points with one decimal."""
        return str(one_decimal(gap))

    def day(self, day: date) -> str:
        """A day in full."""
        return self.choose(f"{day.year} 年 {day.month} 月 {day.day} 日", f"{day.day} {day:%B} {day.year}")

    def instant(self, instant: datetime) -> str:
        """A day and time of day in Shanghai."""
        return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"

    def ago(self, seconds: float) -> str:
        """How long ago, in the largest unit that fits."""
        whole = max(0, round(seconds))
        for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
            if whole >= size:
                return self.choose(f"{whole // size} {zh}前", f"{whole // size} {en} ago")
        return self.choose(f"{whole} 秒前", f"{whole} s ago")


def one_decimal(ratio: Decimal) -> Decimal:
    """A ratio of 0–1 in hundredths, rounded half up to one decimal: the page's one way to write a share.

    It is made from what the API tells, so that whoever rounds that gets the same.
    """
    return (Decimal(to_six_places(ratio)) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)


def language_asked(request: Request, lang: str) -> Language:
    """The language of a page: as ``lang`` says, else as the browser prefers."""
    said = lang[:2].lower()
    chosen = said if said in LANGUAGES else language_of(request.headers.get("accept-language"))
    return "en" if chosen == "en" else "zh"
