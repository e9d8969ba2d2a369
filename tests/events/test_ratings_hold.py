"""Whatever happens, and however it is taken in, what is shown is what a plain reckoning over the items gives."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from builders import JUDGE, OWNER, a_milestone
from common.cloudevents import Recorded
from common.decision import Refused
from doors import Door
from emptying import empty
from events import facts
from events.facts.milestones import MilestoneMove
from measures.item.domain import Item
from measures.item.ending import cancel_item
from measures.item.milestone import MilestoneState
from stories import ItemStory, Told, learn

DAYS = (date(2023, 6, 30), date(2023, 9, 30), date(2023, 12, 31))
ASKED = (date(2023, 6, 30), date(2023, 7, 1), date(2023, 10, 1), date(2024, 1, 1), date(2024, 2, 1))
"""All after the last step: on each of them every item stands as it stands in the end."""
ENDS = {"verified-closed", "cancelled", "merged", "carried-over"}
STEPS: dict[str, Callable[[ItemStory, int, date], Any]] = {
    "report": lambda story, number, on: story.reports(number, on, on=on),
    "verify": lambda story, number, on: story.verifies(number, on=on),
    "return": lambda story, number, on: story.does("return_milestone", number, reason="不全", by=JUDGE, on=on),
    "revoke": lambda story, number, on: story.does(
        "revoke_verification", number, reason="有误", authority="纪要", by=JUDGE, on=on
    ),
    "move": lambda story, number, on: story.does(
        "reschedule_milestone", number, planned_on=DAYS[on.day % 3], reason="调整", on=on
    ),
    "put-off": lambda story, number, on: story.moves(DAYS[number % 3], on=on),
    "give-up": lambda story, number, on: story.does("cancel_milestone", number, reason="撤", authority="纪要", on=on),
    "cancel": lambda story, _, on: story.ends(cancel_item, on=on),
    "claim": lambda story, _, on: story.does("report_done", claim="完成", by=OWNER, on=on),
    "close": lambda story, _, on: story.does("close", by=JUDGE, on=on),
}
Step = tuple[int, int, str]


def lived(steps: Sequence[Step]) -> tuple[Told, list[Item]]:
    """Three items of A1, with milestones for each of three days; a step that is not lawful then is not taken."""
    told = Told()
    told.plan()
    planned = [a_milestone(n, planned_on=day, weight=str(n), required=n == 1) for n, day in enumerate(DAYS, 1)]
    stories = [told.item(f"A1-0{n}", milestones=tuple(planned), due_on=DAYS[n - 1]) for n in (1, 2, 3)]
    for nth, (which, number, step) in enumerate(steps):
        try:
            STEPS[step](stories[which], number, date(2022, 6, 1) + timedelta(days=7 * nth))
        except Refused:
            continue
    return told, [story.item for story in stories]


def reckoned(items: Sequence[Item], on: date) -> tuple[str | None, str | None, dict[str, int]]:
    """What is expected of A1 and by the baseline, and what is overdue: by going through its items one by one."""
    now, first, late = [], [], []
    for item in items:
        milestones = [one for one in item.milestones if one.counts]
        whole = sum(Fraction(one.weight) for one in milestones)
        if item.state not in {"cancelled", "merged"} and whole:
            now.append(sum(Fraction(one.weight) for one in milestones if one.planned_on <= on) / whole)
            firsts = [(one.weight, (*one.baselines, one.planned_on)[0]) for one in milestones]
            first.append(sum(Fraction(weight) for weight, day in firsts if day <= on) / whole)
        if item.state not in ENDS:
            unverified = [one.planned_on for one in milestones if one.state is not MilestoneState.VERIFIED]
            late += [day for day in (item.due_on, *unverified) if day < on]
    days = max(((on - day).days for day in late), default=0)
    return _share(now), _share(first), {"count": len(late), "days": days}


def _share(shares: list[Fraction]) -> str | None:
    return f"{float(sum(shares) / len(shares)):.6f}" if shares else None


async def shown(views: Door, **asked: str) -> dict[str, Any]:
    """The whole plan as asked."""
    async with views.client() as reader:
        plan: dict[str, Any] = (await reader.get("/api/v1/progress/plans/PLAN-1", params=asked)).json()["plan"]
    return plan


async def agrees(views: Door, items: Sequence[Item]) -> None:
    for on in ASKED:
        measure = (await shown(views, as_of=on.isoformat()))["aspects"][0]["measures"][0]
        now, first, late = reckoned(items, on)
        assert (measure["expected"]["now"], measure["expected"]["by_baseline"], measure["overdue"]) == (
            now,
            first,
            late,
        )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(sorted(STEPS))), max_size=45),
    batch=st.integers(1, 9),
)
async def test_taken_in_bit_by_bit_or_from_zero_it_is_what_is_reckoned(
    views: Door, steps: list[Step], batch: int
) -> None:
    await empty(views)
    told, items = lived(steps)
    await taken_in(views, told.records, batch)
    await agrees(views, items)
    bit_by_bit = [await shown(views), *[await shown(views, as_of=day.isoformat()) for day in ASKED]]
    await empty(views)
    await taken_in(views, told.records, len(told.records))
    assert [await shown(views), *[await shown(views, as_of=day.isoformat()) for day in ASKED]] == bit_by_bit


async def taken_in(views: Door, records: Sequence[Recorded], batch: int) -> None:
    for start in range(0, len(records), batch):
        await learn(views.pool, records[start : start + batch])


MOVED: list[Step] = [(0, 1, "move"), (1, 2, "move"), (2, 3, "report"), (2, 3, "verify"), (0, 2, "put-off")]


async def test_this_reckoning_agrees_with_what_happened(views: Door) -> None:
    told, items = lived(MOVED)
    assert [len(one.baselines) for one in items[0].milestones] == [1, 0, 0]
    await learn(views.pool, told.records)
    await agrees(views, items)


async def test_moves_that_were_lost_are_noticed(views: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    told, items = lived(MOVED)
    follow = {kind: rows for kind, rows in facts.FACTS.items() if kind.__name__ != "MilestoneRescheduled"}
    monkeypatch.setattr(facts, "FACTS", follow)
    await learn(views.pool, told.records)
    assert not await views.pool.fetchval(f"SELECT count(*) FROM {facts.COLUMNS[MilestoneMove][0]}")
    with pytest.raises(AssertionError):
        await agrees(views, items)
