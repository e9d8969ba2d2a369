"""What readers of the live stream get: every change once known, what they missed when they come back, an end."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from doors import Door
from events import feed
from events.feed import Change
from events.stream import Broadcast
from refusals import counted
from serving import served
from stories import ItemStory, Told, learn, milestones


@dataclass
class Heard:
    """One server-sent event."""

    id: str | None
    event: str
    data: dict[str, Any]


@asynccontextmanager
async def listening(address: str, last_event_id: str | None = None) -> AsyncIterator[AsyncIterator[Heard]]:
    """A reader of the JSON stream."""
    headers = {"last-event-id": last_event_id} if last_event_id else {}
    async with (
        httpx.AsyncClient(base_url=address, timeout=10) as client,
        client.stream("GET", "/stream", headers=headers) as reply,
    ):
        assert reply.status_code == 200
        yield _events(reply)


async def _events(reply: httpx.Response) -> AsyncIterator[Heard]:
    told: dict[str, str] = {}
    async for line in reply.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            told[name] = value
        elif "event" in told:
            yield Heard(told.get("id"), told["event"], json.loads(told.get("data", "{}")))
            told = {}
        else:
            told = {}


@pytest.fixture
async def address(views: Door) -> AsyncIterator[str]:
    """Where the view is served; its streams end when it stops."""
    broadcast: Broadcast = views.app.state.broadcast
    async with served(views.app, on_stop=broadcast.stop) as address:
        yield address


async def tell(views: Door, told: Told) -> None:
    """Let the view learn what was told since the last time, and number it."""
    await learn(views.pool, told.records)
    told.records.clear()
    await feed.sequence(views.pool)


async def an_item(views: Door, count: int = 3) -> tuple[Told, ItemStory]:
    """An item of A1 in progress, known to the view."""
    told = Told()
    told.plan()
    item = told.item(milestones=milestones(*["1"] * count))
    await tell(views, told)
    return told, item


def verify(item: ItemStory, number: int) -> str:
    """One more milestone is verified; the position of that."""
    item.attains(number, date(2022, 6, number))
    return f"{item.item.id}@{item.item.version}"


async def test_a_reader_hears_of_a_change_with_the_whole_row_and_what_moved_it(views: Door, address: str) -> None:
    told, item = await an_item(views)
    async with listening(address) as heard:
        assert (await anext(heard)).event == "hello"
        position = verify(item, 1)
        await tell(views, told)
        async for change in heard:  # older rows may come once more before it
            if position in change.data["positions"]:
                break
    assert (change.event, change.data["measure"]) == ("measure", "A1")
    assert change.data["milestones"] == {"counted": 3, "reported": 1, "verified": 1}


async def test_a_change_tells_how_the_measure_stands_and_is_rated_as_the_view_does(views: Door, address: str) -> None:
    told, item = await an_item(views)
    async with listening(address) as heard:
        await anext(heard)
        position = verify(item, 1)
        await tell(views, told)
        async for change in heard:
            if position in change.data["positions"]:
                break
    async with views.client() as reader:
        measure = (await reader.get("/api/v1/progress/measures/A1")).json()["measure"]
    assert {name: change.data[name] for name in measure} == measure
    assert measure["rated"]["rating"] == "red"


async def test_a_reader_who_comes_back_gets_what_it_missed_in_one_row_for_each_measure(
    views: Door, address: str
) -> None:
    told, item = await an_item(views)
    async with listening(address) as heard:
        before = await anext(heard)
    positions = [verify(item, number) for number in (1, 2)]
    await tell(views, told)
    async with listening(address, before.id) as heard:
        missed = await anext(heard)
    assert set(positions) <= set(missed.data["positions"])
    assert missed.data["milestones"]["verified"] == 2


@pytest.mark.parametrize("last_event_id", ["0.1", "1.999999", "1.-5", "nonsense"])
async def test_a_number_that_cannot_be_resumed_is_answered_with_a_reset(
    views: Door, address: str, last_event_id: str
) -> None:
    await an_item(views)
    async with listening(address, last_event_id) as heard:
        assert (await anext(heard)).event == "reset"


async def test_what_is_no_longer_kept_is_answered_with_a_reset(
    views: Door, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEPT_MAX", 1)
    told, item = await an_item(views)
    async with listening(address) as heard:
        first = await anext(heard)
    for number in (1, 2, 3):
        verify(item, number)
        await tell(views, told)
    async with listening(address, first.id) as heard:
        assert (await anext(heard)).event == "reset"


async def test_numbers_follow_each_other_without_a_gap_whoever_commits_first(views: Door) -> None:
    told, item = await an_item(views)
    early, late = await views.pool.acquire(), await views.pool.acquire()
    first, second = early.transaction(), late.transaction()
    await first.start()
    await early.execute("INSERT INTO feed_change (plan, measure, figures, positions) VALUES ('P', 'X', '{}', '{}')")
    await second.start()
    await late.execute("INSERT INTO feed_change (plan, measure, figures, positions) VALUES ('P', 'Y', '{}', '{}')")
    await second.commit()  # the later row is seen first
    await feed.sequence(views.pool)
    _, seen = await feed.span(views.pool)
    await first.commit()
    await feed.sequence(views.pool)
    await views.pool.release(early)
    await views.pool.release(late)
    after = await feed.after(views.pool, seen)
    assert [(change.measure, change.n) for change in after] == [("X", seen + 1)]
    verify(item, 1)
    await tell(views, told)
    numbers = await views.pool.fetch("SELECT n FROM feed_change ORDER BY n")
    assert [row["n"] for row in numbers] == list(range(1, len(numbers) + 1))


async def test_open_streams_end_when_the_process_is_told_to_stop(views: Door) -> None:
    await an_item(views)
    broadcast: Broadcast = views.app.state.broadcast
    ended = asyncio.Event()

    async def read(address: str) -> None:
        async with listening(address) as heard:
            async for _ in heard:
                began.set()
        ended.set()

    began = asyncio.Event()
    async with served(views.app, on_stop=broadcast.stop) as address:
        reading = asyncio.create_task(read(address))
        await began.wait()
    await reading
    assert ended.is_set()


async def test_a_fault_while_frames_are_made_costs_a_tick_and_not_the_stream(
    views: Door, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, item = await an_item(views)
    failed: list[int] = []
    render = views.app.state.json_channel.render

    async def once_faulty(changes: Sequence[Change]) -> bytes:
        if not failed:
            failed.append(1)
            raise KeyError("a fault of ours")
        frames: bytes = await render(changes)
        return frames

    async with listening(address) as heard:
        await anext(heard)
        monkeypatch.setattr(views.app.state.json_channel, "render", once_faulty)
        position = verify(item, 1)
        await tell(views, told)
        async for change in heard:
            if position in change.data["positions"]:
                break
    assert failed


async def test_an_open_stream_takes_no_room_from_those_who_ask(views: Door, address: str) -> None:
    views.app.state.admission.limit = 1
    async with listening(address) as heard, httpx.AsyncClient(base_url=address) as client:
        await anext(heard)
        assert (await client.get("/api/v1/progress/measures")).status_code == 404
        assert views.app.state.admission.under_way == 0


async def test_more_readers_than_are_allowed_are_told_to_come_later(
    views: Door, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.stream.READERS_MAX", 1)
    async with listening(address) as heard:
        await anext(heard)
        async with httpx.AsyncClient(base_url=address) as client:
            with counted(1, "stream"):
                reply = await client.get("/stream")
    assert (reply.status_code, reply.json()["code"]) == (503, "stream.too-many-readers")
    assert "retry-after" in reply.headers
