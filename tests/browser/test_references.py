"""The pages for integrators in a real browser: they work under their own policy and load nothing from elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import Browser, expect

from doors import Door
from serving import served


async def test_an_integrator_reads_and_tries_an_interface(
    browser: Browser, door_of: Callable[..., Awaitable[Door]], artefacts: Path
) -> None:
    door = await door_of("events")
    async with served(door.app, on_stop=door.app.state.broadcast.stop) as url:
        page = await browser.new_page()
        complaints: list[str] = []
        elsewhere: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else elsewhere.append(asked.url))
        await page.goto(f"{url}/docs?service=events&lang=en")
        operation = page.locator("#operations-events-read_asyncapi")
        await operation.locator(".opblock-summary-control").click()
        await operation.get_by_role("button", name="Execute").click()
        await expect(
            operation.locator(".live-responses-table td.response-col_status:not(.col_header)")
        ).to_contain_text("200")
        await page.screenshot(path=artefacts / "interfaces.png")
        await page.goto(f"{url}/events/docs?lang=zh")
        await expect(page.get_by_role("heading", name="MilestoneVerified", exact=True)).to_be_visible()
        await page.screenshot(path=artefacts / "events.png")
        await page.close()
        assert (complaints, elsewhere) == ([], [])
