"""What the page's stream sends: the very parts that the page is made of, and of those only what moved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest

from common import clock
from doors import Door
from events import feed
from reading import Read, page
from serving import served
from stories import learn, some_progress


@pytest.fixture
async def site(views: Door) -> AsyncIterator[str]:
    """The address of the door of events."""
    async with served(views.app, on_stop=views.app.state.broadcast.stop) as url:
        yield url


async def frames(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """The events of a stream, each with its data."""
    name, told = "", []
    async for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            told.append(line[6:])
        elif not line and name:
            yield name, "\n".join(told)
            name, told = "", []


async def test_the_stream_sends_the_parts_that_the_page_is_made_of(views: Door, site: str) -> None:
    await learn(views.pool, some_progress().records)
    whole = (await page(views)).text
    async with httpx.AsyncClient(base_url=site) as client, client.stream("GET", "/stream/page?lang=zh") as stream:
        greeting: dict[str, str] = {}
        async for name, part in frames(stream.aiter_lines()):
            greeting[name] = part
            if name == "measure-B1-figures":
                break
    swapped = {str(told["sse-swap"]) for _, told in Read(whole).elements if "sse-swap" in told}
    assert set(greeting) == swapped
    assert all(part in whole for name, part in greeting.items() if name != "freshness")


async def test_the_stream_sends_what_a_change_moves_and_nothing_else(views: Door, site: str) -> None:
    told = some_progress()
    await learn(views.pool, told.records)
    await feed.sequence(views.pool)
    await views.pool.execute("DELETE FROM feed_change")  # else what was told before may come once more
    told.records.clear()
    told.item("A2-01", measure="A2")
    async with httpx.AsyncClient(base_url=site) as client, client.stream("GET", "/stream/page?lang=en") as stream:
        heard = frames(stream.aiter_lines())
        async for name, _ in heard:
            if name == "measure-B1-figures":
                break
        await learn(views.pool, told.records)
        await feed.sequence(views.pool)
        moved: set[str] = set()
        async for name, _ in heard:
            moved |= {name} - {"freshness"}
            if name == "measure-A2-figures":
                break
    rows = ["plan", "aspect-A", "measure-A2"]
    assert moved >= {"overview", "aspects-finding", "measures-A-finding", *rows, *(f"{row}-figures" for row in rows)}
    assert not [name for name in moved if "-B" in name]


async def test_when_a_day_ends_the_whole_page_is_sent_once(
    views: Door, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site
    await learn(views.pool, some_progress().records)
    channel, today = views.app.state.page_channels["en"], clock.now()
    assert b"event: measure-A1" not in await channel.beat()
    monkeypatch.setattr(clock, "now", lambda: today + timedelta(days=1))
    tomorrow = await channel.beat()
    assert b"event: measure-A1" in tomorrow
    assert b"event: overdue" in tomorrow
    assert b"event: measure-A1" not in await channel.beat()


async def test_a_measure_that_is_suspended_moves_on_the_page(views: Door, site: str) -> None:
    told = some_progress()
    measure = told.measure()
    await learn(views.pool, told.records)
    await feed.sequence(views.pool)
    told.records.clear()
    measure.does("suspend", reason="机构调整", by=None, on=date(2023, 7, 1))
    async with httpx.AsyncClient(base_url=site) as client, client.stream("GET", "/stream/page?lang=en") as stream:
        heard = frames(stream.aiter_lines())
        async for name, _ in heard:
            if name == "measure-B1-figures":
                break
        await learn(views.pool, told.records)
        await feed.sequence(views.pool)
        async with asyncio.timeout(10):
            async for name, part in heard:
                if name == "measure-A1" and 'data-value="grey"' in part:
                    return
