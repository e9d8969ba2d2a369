"""What the page's stream sends: the very parts that the page is made of, and of those only what moved."""

from collections.abc import AsyncIterator

import httpx
import pytest

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
