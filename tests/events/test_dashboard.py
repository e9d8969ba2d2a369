"""The page as it is sent: the API's very figures, in both languages, with nothing that it did not bring itself."""

import re
from typing import Any

import pytest

from doors import Door
from events.dashboard.assets import ASSETS
from events.dashboard.pages import CONTENT_SECURITY_POLICY
from events.dashboard.words import TEXTS
from events.tables import PROJECTION
from reading import Read, page
from stories import Told, learn, some_progress


async def answer(views: Door, **asked: str) -> dict[str, Any]:
    """What the API says to the same question."""
    async with views.client() as reader:
        plan: dict[str, Any] = (await reader.get("/api/v1/progress/plans/PLAN-1", params=asked)).json()["plan"]
    return plan


def figures_of(plan: dict[str, Any]) -> dict[tuple[str, str], str | None]:
    """The figures that a page must show of this answer."""
    expected: dict[tuple[str, str], str | None] = {}
    rows = [("plan", plan)]
    for aspect in plan["aspects"]:
        rows += [(f"aspect-{aspect['code']}", aspect), *((f"measure-{one['code']}", one) for one in aspect["measures"])]
    for row, told in rows:
        for figure, share in told["progress"].items():
            expected[row, figure] = expected[f"{row}-figures", figure] = share
        expected[f"{row}-figures", "items"] = str(told["items"])
        expected[f"{row}-figures", "milestones"] = str(told["milestones"]["counted"])
        for figure in ("reported", "verified"):
            expected[f"{row}-figures", f"milestones-{figure}"] = str(told["milestones"][figure])
    return expected


@pytest.fixture
async def shown(views: Door) -> Door:
    """The door of events, with some progress."""
    await learn(views.pool, some_progress().records)
    return views


@pytest.mark.parametrize("asked", [{}, {"as_of": "2022-12-31"}, {"as_of": "2022-12-31", "known_at": "2026-01-01"}])
async def test_it_shows_what_the_api_answers(shown: Door, asked: dict[str, str]) -> None:
    expected = figures_of(await answer(shown, **asked))
    figures = (await page(shown, **asked)).figures
    assert {key: figures[key] for key in expected} == expected


async def test_the_past_differs_from_the_present(shown: Door) -> None:
    now, then = await page(shown), await page(shown, as_of="2022-12-31")
    assert now.figures["measure-A1", "verified"] == "0.666667"
    assert then.figures["measure-A1", "verified"] == "0.333333"
    assert "66.7%" in now.text
    assert "33.3%" in then.text


async def test_no_data_is_never_a_nought(shown: Door) -> None:
    read = await page(shown)
    row = read.text.split('id="measure-B1"')[1].split("</li>")[0]
    assert read.figures["measure-B1", "verified"] is None
    assert row.count("暂无数据") == 2
    assert "0.0%" not in row
    assert "暂无数据" in read.text.split('id="measures-B-finding"')[1].split("</figcaption>")[0]


@pytest.mark.parametrize(
    ("asked", "accepted", "tag", "heard"),
    [
        ({}, "", "zh-CN", "科协系统深化改革进展"),
        ({}, "en-GB,en;q=0.9", "en", "Progress of the associations"),
        ({"lang": "zh"}, "en", "zh-CN", "科协系统深化改革进展"),
        ({"lang": "en"}, "zh-CN", "en", "Progress of the associations"),
        ({"lang": "fr"}, "", "zh-CN", "科协系统深化改革进展"),
    ],
)
async def test_it_speaks_the_readers_language(
    shown: Door, asked: dict[str, str], accepted: str, tag: str, heard: str
) -> None:
    async with shown.client(accept_language=accepted) as reader:
        reply = await reader.get("/", params=asked)
    assert reply.headers["content-language"] == tag
    assert Read(reply.text).all("html") == [{"lang": tag}]
    assert heard in reply.text


async def test_english_pages_have_no_chinese_but_names(shown: Door) -> None:
    read = await page(shown, lang="en")
    assert set(re.findall(r"[一-鿿]+", read.text)) == {"简体中文"}


def test_every_text_is_there_in_both_languages_with_the_same_blanks() -> None:
    for key, (zh, en) in TEXTS.items():
        assert zh, key
        assert sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", en)), key


async def test_switching_the_language_keeps_the_question(shown: Door) -> None:
    read = await page(shown, as_of="2022-12-31", known_at="2026-01-01T12:00:00+08:00", lang="zh")
    switch = next(link["href"] for link in read.all("a") if link.get("hreflang") == "en")
    assert switch == "/?lang=en&as_of=2022-12-31&known_at=2026-01-01T12%3A00%3A00%2B08%3A00"


async def test_only_the_present_of_the_plan_in_force_is_live(shown: Door) -> None:
    live = [
        any("sse-connect" in told for _, told in (await page(shown, **asked)).elements)
        for asked in ({}, {"plan": "PLAN-1"}, {"as_of": "2026-01-01"}, {"known_at": "2026-01-01"}, {"live": "off"})
    ]
    assert live == [True, True, False, False, False]


async def test_empty_fields_of_the_form_ask_for_the_present(shown: Door) -> None:
    read = await page(shown, as_of="", known_at="", plan="")
    assert read.figures["measure-A1", "verified"] == "0.666667"


async def test_what_it_may_load_is_its_own(shown: Door) -> None:
    async with shown.client() as reader:
        reply = await reader.get("/")
        assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        read = Read(reply.text)
        sources = [
            told.get("src") or told.get("href") for tag, told in read.elements if tag in {"script", "link", "img"}
        ]
        for source in sources:
            found = await reader.get(str(source))
            assert found.status_code == 200
            assert "immutable" in found.headers["cache-control"]
            assert found.headers["x-content-type-options"] == "nosniff"
    assert not read.all("style")
    assert all(told.get("src") for told in read.all("script"))
    assert not [name for _, told in read.elements for name in told if name == "style" or name.startswith("on")]
    assert not re.search(r"(?:https?:)?//[a-z]", read.text)


def test_no_file_of_the_page_names_another_host() -> None:
    for name, asset in ASSETS.items():
        named = set(re.findall(rb"https?://[\w./-]+", asset.content))
        assert named <= {b"http://www.w3.org/2000/svg"}, name


async def test_a_file_of_another_version_is_not_kept_for_ever(shown: Door) -> None:
    async with shown.client() as reader:
        old = await reader.get("/static/dashboard/dashboard.css?v=old")
        none = await reader.get("/static/dashboard/..%2fpages.py")
    assert old.headers["cache-control"] == "no-cache"
    assert none.status_code == 404


async def test_names_are_text_and_not_markup(views: Door) -> None:
    told = Told()
    told.plan(title_zh="<script>alert(1)</script>", title_en='"><img src=x onerror=alert(1)>')
    await learn(views.pool, told.records)
    for lang in ("zh", "en"):
        read = await page(views, lang=lang)
        assert "alert(1)" in read.text
        assert "<script>" not in read.text
        assert "<img src=x" not in read.text


async def test_what_is_asked_is_text_and_not_markup(shown: Door) -> None:
    async with shown.client() as reader:
        reply = await reader.get("/", params={"known_at": '"><script>', "live": '"><script>', "plan": "<script>"})
    assert reply.status_code == 422
    assert "<script>" not in reply.text


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"as_of": "2022-13-01"}, 422, "截至日期应为有效日期"),
        ({"known_at": "yesterday"}, 422, "known_at"),
        ({"plan": "PLAN-9"}, 404, "没有这一方案的数据"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_told_on_a_page(
    shown: Door, asked: dict[str, str], status: int, said: str
) -> None:
    async with shown.client() as reader:
        reply = await reader.get("/", params=asked)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert said in reply.text


async def test_before_anything_is_planned_it_says_so(views: Door) -> None:
    async with views.client(accept_language="en") as reader:
        reply = await reader.get("/")
    assert reply.status_code == 404
    assert "Nothing is known of such a plan" in reply.text


@pytest.mark.parametrize(
    ("seconds_ago", "sign", "said"), [(3, "fresh", "截至"), (75, "late", "1 分钟前"), (None, "never-fresh", "尚未读完")]
)
async def test_freshness_is_honest(shown: Door, seconds_ago: int | None, sign: str, said: str) -> None:
    await shown.pool.execute(
        "INSERT INTO projection_offset (projection, topic, partition, caught_up_at) "
        "VALUES ($1, 'told', 0, now() - make_interval(secs => $2))",
        PROJECTION,
        seconds_ago,
    )
    freshness = (await page(shown)).text.split('id="freshness"')[1].split("</p>")[0]
    assert f'class="sign {sign}"' in freshness
    assert said in freshness
