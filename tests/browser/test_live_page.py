"""The page in a real browser: it moves by itself, says the same without scripts, and everybody can read it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from eventually import eventually
from showcase import PLAN, WITHOUT_ITEMS, Site

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WITHIN_A_SECOND = 1_000
LOOKS = [("zh-CN", "light"), ("en", "dark")]


@asynccontextmanager
async def reading(browser: Browser, **look: Any) -> AsyncIterator[Page]:
    """A reader's own page; whatever it complains of is a failure."""
    context = await browser.new_context(**{"locale": "zh-CN", "viewport": {"width": 1280, "height": 900}, **look})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


async def measure_of(site: Site, code: str) -> dict[str, Any]:
    """A measure as the API answers it now."""
    async with httpx.AsyncClient(base_url=site.url) as client:
        reply = await client.get(f"/api/v1/progress/measures/{code}")
    measure: dict[str, Any] = reply.json()["measure"]
    return measure


async def connected(page: Page, site: Site) -> None:
    """Open the page and wait until it is live."""
    async with page.expect_response(f"{site.url}/stream/page?lang=*"):
        await page.goto(site.url)
    await expect(page.locator("#freshness")).to_contain_text("秒前")


def verify_one_more(site: Site, code: str) -> None:
    """A milestone of this item that nobody has judged yet is verified."""
    story = site.stories[code]
    waiting = next(one for one in story.item.milestones if one.state == "reported")
    story.verifies(waiting.number, on=date(2026, 1, 5))


async def test_a_verified_milestone_moves_the_same_element_within_a_second(site: Site, browser: Browser) -> None:
    code = next(code for code in site.stories if code.startswith("B2") and "reported" in states_of(site, code))
    before = await measure_of(site, "B2")
    async with reading(browser) as page:
        await connected(page, site)
        row, link = page.locator("#measure-B2"), page.locator("#aspect-B-link")
        verified = row.locator("[data-figure=verified]")
        await expect(verified).to_have_attribute("data-value", before["progress"]["verified"])
        await page.evaluate("window.mark = 1; document.getElementById('measure-B2').mark = 2")
        await link.focus()
        await page.evaluate("window.scrollTo(0, 700)")
        bar = row.locator(".bar .verified")
        width = await bar.get_attribute("width")

        verify_one_more(site, code)
        await site.learn()

        await expect(verified).not_to_have_attribute(
            "data-value", before["progress"]["verified"], timeout=WITHIN_A_SECOND
        )
        after = await measure_of(site, "B2")
        await expect(verified).to_have_attribute("data-value", after["progress"]["verified"])
        await expect(bar).not_to_have_attribute("width", width or "")
        in_table = page.locator("#measure-B2-figures [data-figure=milestones-verified]")
        await expect(in_table).to_have_text(str(after["milestones"]["verified"]))
        marks = await page.evaluate("[window.mark, document.getElementById('measure-B2').mark, window.scrollY]")
        assert marks == [1, 2, 700]
        await expect(link).to_be_focused()


def states_of(site: Site, code: str) -> set[str]:
    """The states in which an item's milestones are."""
    return {one.state.value for one in site.stories[code].item.milestones}


async def test_what_did_not_change_is_not_touched(site: Site, browser: Browser) -> None:
    async with reading(browser) as page:
        await page.goto(site.url)
        await page.evaluate("document.querySelector('#measure-A1 .name').mark = 1")
        for _ in ("greeting", "beat"):
            await page.evaluate("document.querySelector('#freshness svg').mark = 1")
            await eventually(lambda: page.evaluate("document.querySelector('#freshness svg').mark === undefined"))
        assert await page.evaluate("document.querySelector('#measure-A1 .name').mark") == 1


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
async def test_without_scripts_it_says_what_the_api_says(site: Site, browser: Browser, locale: str) -> None:
    async with reading(browser, locale=locale, java_script_enabled=False) as page:
        await page.goto(site.url)
        for code in ("A1", "B2", WITHOUT_ITEMS):
            told = (await measure_of(site, code))["progress"]
            for figure in ("reported", "verified"):
                shown = page.locator(f"#measure-{code} [data-figure={figure}]")
                if told[figure] is None:
                    await expect(shown).to_have_text("暂无数据" if locale == "zh-CN" else "no data")
                else:
                    await expect(shown).to_have_attribute("data-value", told[figure])
        await expect(page.locator("noscript p")).to_be_visible()


async def test_nothing_is_asked_of_another_host(site: Site, browser: Browser) -> None:
    elsewhere: list[str] = []
    async with reading(browser) as page:
        page.on("request", lambda asked: None if asked.url.startswith(f"{site.url}/") else elsewhere.append(asked.url))
        await connected(page, site)
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("#freshness")).to_contain_text("s ago")
    assert elsewhere == []


@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
async def test_everybody_can_read_it(site: Site, browser: Browser, artefacts: Path, locale: str, scheme: Any) -> None:
    async with reading(browser, locale=locale, color_scheme=scheme) as page:
        await page.goto(site.url)
        await expect(page.locator("#freshness .ago")).to_be_visible()
        await page.screenshot(path=artefacts / f"dashboard-{locale}-{scheme}.png", full_page=True)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        await page.screenshot(path=artefacts / f"dashboard-{locale}-{scheme}-tables.png", full_page=True)
        found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 390, 768])
async def test_it_needs_no_sideways_scrolling(site: Site, browser: Browser, artefacts: Path, width: int) -> None:
    async with reading(browser, viewport={"width": width, "height": 800}) as page:
        await page.goto(site.url)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.screenshot(path=artefacts / f"dashboard-{width}px.png", full_page=True)


async def test_data_that_is_late_says_so(site: Site, browser: Browser) -> None:
    async with reading(browser) as page:
        await connected(page, site)
        await site.reach_the_end(seconds_ago=125)
        await expect(page.locator("#freshness")).to_contain_text("数据可能不是最新")
        await expect(page.locator("#freshness")).to_contain_text("2 分钟前")


async def test_a_connection_that_falls_silent_is_told(site: Site, browser: Browser) -> None:
    async with reading(browser) as page:
        await page.clock.install()
        await page.route("**/stream/page*", lambda _route: None)  # it never answers
        await page.goto(site.url)
        await expect(page.locator("#silence")).to_be_hidden()
        await page.clock.fast_forward(11_000)
        await expect(page.locator("#silence")).to_be_visible()
        await expect(page.locator("#freshness .ago")).to_be_hidden()


async def test_paper_has_the_tables_and_the_day(site: Site, browser: Browser, artefacts: Path) -> None:
    async with reading(browser) as page:
        await page.goto(site.url)
        await page.emulate_media(media="print")
        await expect(page.locator("#freshness .on-paper")).to_be_visible()
        await expect(page.locator("#measure-B2-figures th")).to_be_visible()
        await expect(page.locator("form")).to_be_hidden()
        await page.pdf(path=artefacts / "dashboard.pdf", format="A4")


async def test_a_view_of_the_past_stands_still(site: Site, browser: Browser) -> None:
    async with reading(browser) as page:
        await page.goto(site.url)
        await page.locator("#as_of").fill("2022-12-31")
        await page.get_by_role("button", name="查看").click()
        await expect(page.get_by_text("历史视图")).to_be_visible()
        assert "as_of=2022-12-31" in page.url
        assert await page.locator("[sse-connect], script").count() == 0
        async with httpx.AsyncClient(base_url=site.url) as client:
            told = (await client.get(f"/api/v1/progress/plans/{PLAN}?as_of=2022-12-31")).json()["plan"]
        shown = page.locator("#plan [data-figure=verified]")
        await expect(shown).to_have_attribute("data-value", told["progress"]["verified"])
