"""The story goes through the real door of measures: every noun and every kind of event, and nothing of it twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from builders import circumstances, recorded
from common.clock import SHANGHAI, now
from common.contracts.directory import UnitEstablished, UnitKind
from common.contracts.publication import catalogue
from common.directory import DirectoryCopy
from common.files import Files
from common.roles import ROLES
from doors import Door as Entrance
from kegai.language import StackError
from kegai.seeds import read
from kegai.seeds.door import Door
from kegai.seeds.papers import paper
from kegai.seeds.story import FOLDER, STORY, Story, read_cast, read_story
from kegai.seeds.telling import Telling, tell
from serving import served
from ticking import clock_on


@pytest.fixture(scope="module")
def story() -> Story:
    return read_story()


@pytest.fixture
async def entrance(measures: Entrance, tmp_path: Path) -> Entrance:
    """The door of measures, which knows the units of the seeds and has a place for files."""
    measures.app.state.files = Files(f"file://{tmp_path}/files")
    established = [
        UnitEstablished(
            unit=uuid5(NAMESPACE_URL, unit.code), code=unit.code, kind=UnitKind(unit.kind), name_zh=unit.name_zh,
            name_en=unit.name_en, parent=uuid5(NAMESPACE_URL, unit.parent) if unit.parent else None,
            division_code=unit.division_code, zone_code=unit.zone_code, established_on=unit.effective_on,
        )
        for unit in read().units
    ]  # fmt: skip
    told = [recorded(event, circumstances("unit", event.unit, 1)) for event in established]
    async with measures.pool.acquire() as connection:
        await DirectoryCopy("seeds").apply(connection, told)
    return measures


class BrokenOff:
    """An application that answers so many requests as it should, and refuses every further one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.left = 10**6

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left -= 1
        answers = self._app if self.left >= 0 else Response(status_code=400)
        await answers(scope, receive, send)


@dataclass(frozen=True)
class Way:
    """Where that door is reached, and how it is broken off."""

    url: str
    app: BrokenOff


@pytest.fixture
async def way(entrance: Entrance) -> AsyncIterator[Way]:
    """The way to that door."""
    app = BrokenOff(entrance.app)
    async with served(app) as url:
        yield Way(url, app)


async def _tell(entrance: Entrance, way: Way, story: Story) -> tuple[Telling, int]:
    """What became of the telling, and by how many commands."""
    with Door(way.url, entrance.keys.token_for) as door:
        return await tell(door, story), door.commands


async def _events(entrance: Entrance) -> list[bytes]:
    """The hashes of all that was told, in the order in which it was recorded."""
    return [row["hash"] for row in await entrance.pool.fetch("SELECT hash FROM event ORDER BY position")]


async def _states(entrance: Entrance, noun: str) -> dict[str, int]:
    rows = await entrance.pool.fetch(f"SELECT state, count(*) AS count FROM {noun} GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


async def test_every_kind_of_event_is_told_and_nothing_is_told_twice(
    entrance: Entrance, way: Way, story: Story
) -> None:
    assert await _tell(entrance, way, story) == (Telling.TOLD, len(story.acts))
    await clock_on(entrance.pool, now().astimezone(SHANGHAI).date()).catch_up()
    kinds = {row["type"] for row in await entrance.pool.fetch("SELECT DISTINCT type FROM event")}
    assert kinds == {kind for kind, event in catalogue().items() if event.producer == "measures"}
    events = await _events(entrance)
    assert await _tell(entrance, way, story) == (Telling.TOLD, len(story.acts))
    assert await _events(entrance) == events
    await entrance.pool.execute("DELETE FROM idempotency")  # as after a day
    assert await _tell(entrance, way, story) == (Telling.THERE_ALREADY, 1)
    assert await _events(entrance) == events
    await _stands_as_it_ended(entrance)


async def _stands_as_it_ended(entrance: Entrance) -> None:
    assert await _states(entrance, "plan") == {"closed": 1, "adopted": 1}
    assert await _states(entrance, "local_plan") == {"closed": 3}
    assert (await _states(entrance, "measure"))["accepted"] == 2
    assert await _states(entrance, "item") == {
        "verified-closed": 24, "cancelled": 2, "merged": 2, "carried-over": 2, "draft": 2,
    }  # fmt: skip
    assert await _states(entrance, "evidence") == {"verified": 20, "rejected": 1, "invalidated": 2, "superseded": 1}
    assert await _states(entrance, "risk") == {"closed": 2, "materialised": 2}
    assert await _states(entrance, "assurance") == {"expired": 2, "withdrawn": 1}


@pytest.mark.parametrize("after", [30, 300])
async def test_one_that_was_broken_off_goes_on_where_it_stopped(
    entrance: Entrance, way: Way, story: Story, after: int
) -> None:
    way.app.left = after
    with pytest.raises(StackError):
        await _tell(entrance, way, story)
    way.app.left = 10**6
    assert await _tell(entrance, way, story) == (Telling.TOLD, len(story.acts))
    assert await entrance.pool.fetchval("SELECT count(*) FROM evidence") == 24
    assert await _states(entrance, "plan") == {"closed": 1, "adopted": 1}


@pytest.mark.parametrize("after", [1, 300])
async def test_one_that_was_broken_off_more_than_a_day_ago_says_that_it_is_half_told(
    entrance: Entrance, way: Way, story: Story, after: int
) -> None:
    way.app.left = after
    with pytest.raises(StackError):
        await _tell(entrance, way, story)
    way.app.left = 10**6
    await entrance.pool.execute("DELETE FROM idempotency")  # as after a day
    events = await _events(entrance)
    assert await _tell(entrance, way, story) == (Telling.HALF_THERE, 1)
    assert await _events(entrance) == events


def test_the_last_step_of_its_plan_tells_whether_it_was_told_to_the_end(story: Story) -> None:
    assert f"plan {story.plan}" in {act.thing for act in story.acts[-2:]}


async def test_what_lies_ahead_of_a_clock_that_is_behind_is_not_told(
    entrance: Entrance, way: Way, story: Story
) -> None:
    assert story.until(date(2026, 10, 12)) == story
    early = story.until(date(2024, 6, 30))
    assert await _tell(entrance, way, early) == (Telling.TOLD, len(early.acts))
    assert await _states(entrance, "plan") == {"in-force": 1}
    assert await _states(entrance, "local_plan") == {"closed": 1, "in-force": 2}


def test_three_units_and_two_departments_have_a_chapter_each(story: Story) -> None:
    assert {one.name for one in story.chapters} == {"KX-YUBEI", "KX-SHAPINGBA", "KX-WANZHOU", "CQKX-XH", "CQKX-KP"}
    assert all(one.title_zh and one.title_en for one in (story.opening, *story.chapters, story.ending))


def test_each_chapter_goes_forward_from_2021_to_2026(story: Story) -> None:
    for chapter in (story.opening, *story.chapters, story.ending):
        days = [act.on for act in chapter.acts]
        assert days == sorted(days)
    assert story.plan == STORY
    days = [act.on for act in story.acts]
    assert (min(days).year, max(days).year, max(days) <= date(2026, 11, 1)) == (2021, 2026, True)


def test_yubei_has_the_thirteen_items_of_its_pilot(story: Story) -> None:
    assert sum(act.thing.startswith("item YB-") and act.step is None for act in story.acts) == 13


def test_the_cast_knows_every_role_and_acts_in_those_that_do_something_here(story: Story) -> None:
    cast, units = read_cast(), {unit.code for unit in read().units}
    assert {role for role, _ in cast.values()} == set(ROLES)
    assert {unit for _, unit in cast.values()} <= units
    assert {act.by[0] for act in story.acts} == {
        "reform-office", "measure-lead", "unit-reporter", "unit-leader", "supervisor", "independent-assurer",
    }  # fmt: skip


def test_all_of_it_says_that_it_is_a_sample(story: Story) -> None:
    for path in FOLDER.glob("*.csv"):
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        assert head.endswith(",note") or "note" in head.split(",")
        assert all("示例数据 sample" in row for row in rows)
    for act in story.acts:
        if act.thing.startswith("evidence ") and act.step is None:
            assert "示例" in act.body["title"]
            assert "Sample data".encode("utf-16-be").hex().encode() in paper("application/pdf", act.body["title"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{day: 2023-01-01, by: emperor, do: adopt, of: plan SF-2021-2025}", "emperor"),
        ("{day: 2023-01-01, by: office, do: adopt}", "either new, or do and of"),
        ("{day: 2023-01-01, by: office, do: submit, of: local-plan YB-2099}", "local-plan YB-2099"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(tmp_path: Path, line: str, said: str) -> None:
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "ending.yaml").open("a", encoding="utf-8") as file:
        file.write(f"  - {line}\n")
    with pytest.raises(StackError) as refused:
        read_story(tmp_path)
    assert said in refused.value.en
