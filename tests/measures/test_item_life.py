"""Whatever is asked of an item, by whomever, in whatever order: it goes only where the tables go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from builders import CO_UNIT, JUDGE, OWNER, UNITS, a_milestone, item_words
from common.contracts import Event
from common.decision import Refused, Unit
from folds import fold_item
from measures.item import rules
from measures.item.addition import add_item
from measures.item.milestone import Milestone, MilestoneState
from measures.item.rules import ItemState, Who
from measures.measure.lead import MeasureAbove
from taking import take_item

OFFICE, OWNERS, PARTAKERS, JUDGES = "office", "owners", "partakers", "judges"
PLANNING = {"draft", "assigned", "acknowledged", "in-progress"}
JUDGING = {"in-progress", "reported-done"}

LIVE = {"draft", "assigned", "acknowledged", "in-progress", "reported-done"}
HANDED_OUT = {"assigned", "acknowledged", "in-progress", "reported-done"}
STAYS = ""
"""Where a step leads that leaves the item in its state."""

ITEM_STEPS = {
    "assign": ({"draft"}, "assigned", OFFICE),
    "acknowledge": ({"assigned"}, "acknowledged", OWNERS),
    "start": ({"acknowledged"}, "in-progress", OWNERS),
    "report-done": ({"in-progress"}, "reported-done", OWNERS),
    "return": ({"reported-done"}, "in-progress", JUDGES),
    "close": ({"reported-done"}, "verified-closed", JUDGES),
    "reopen": ({"verified-closed"}, "in-progress", OFFICE),
    "note": (HANDED_OUT, STAYS, PARTAKERS),
    "reschedule": (PLANNING, STAYS, OFFICE),
    "remind": ({"assigned", "acknowledged", "in-progress"}, STAYS, OFFICE),
    "cancel": (LIVE, "cancelled", OFFICE),
    "merge": (LIVE, "merged", OFFICE),
    "carry-over": (LIVE | {"carried-over"}, "carried-over", OFFICE),
}
"""A step of an item: from where, to where, by whom."""

ENDS = {"cancel", "merge", "carry-over"}

EXTENSION_STEPS = {
    "request": (False, True, {"assigned", "acknowledged", "in-progress"}, OWNERS),
    "grant": (True, False, HANDED_OUT, OFFICE),
    "refuse": (True, False, HANDED_OUT, OFFICE),
}
"""A step of an extension: whether one waits before it and after it, while its item stands in which states, by whom."""

MILESTONE_STEPS = {
    "report": ("planned", "reported", {"in-progress"}, OWNERS),
    "verify": ("reported", "verified", JUDGING, JUDGES),
    "return": ("reported", "planned", JUDGING, JUDGES),
    "revoke": ("verified", "planned", JUDGING | {"verified-closed"}, JUDGES),
    "reschedule": ("planned", "planned", PLANNING, OFFICE),
    "cancel": ("planned", "cancelled", PLANNING, OFFICE),
}
"""A step of a milestone: from where, to where, while its item stands in which states, by whom."""

SAID_AGAIN = {"assign", "acknowledge", "start", "report-done", "close", "cancel", "merge", "carry-over"}
MILESTONES_SAID_AGAIN = {"report", "verify", "cancel"}
"""Steps that change nothing when they are repeated."""

LEADING_ON = {"assign", "acknowledge", "start", "report-done", "close", "report", "verify"}
"""Steps on the way from the list to the day on which an item is struck off."""

MAY = {
    OFFICE: set(UNITS),
    OWNERS: {"ORG"},
    PARTAKERS: {"ORG", "FIN"},
    JUDGES: {"CQ", "SOC", "SOC-1", "YB"},
}
"""The item belongs to ORG, and FIN takes part in it."""


class ItemLife(RuleBasedStateMachine):
    """One item, asked for steps by all kinds of units; beside it stands what the tables know of it."""

    @initialize(required=st.lists(st.booleans(), max_size=2), plan_ends=st.booleans())
    def put_on_the_list(self, required: list[bool], plan_ends: bool) -> None:
        self.on = date(2022, 1, 5)
        milestones = tuple(a_milestone(number, required=must) for number, must in enumerate(required, 1))
        above = MeasureAbove(plan_in_final_evaluation=plan_ends)
        change = add_item(**item_words(milestones=milestones, on=self.on, above=above))
        self.item, self.told = change.state, list[Event](change.events)
        self.state, self.extension_waits, self.doubted = "draft", False, set[int]()
        self.milestones = {number: ("planned", must) for number, must in enumerate(required, 1)}

    @rule(
        step=st.sampled_from(sorted(set(ITEM_STEPS) - ENDS)), by=st.sampled_from(sorted(UNITS)), days=st.integers(0, 3)
    )
    def take_a_step(self, step: str, by: str, days: int) -> None:
        if self._try(step, by, days):
            self.state = ITEM_STEPS[step][1] or self.state
            self.extension_waits &= step not in ENDS
            self.doubted -= self.doubted if step == "reopen" else set()

    @rule(step=st.sampled_from(sorted(ENDS)), by=st.sampled_from(sorted(UNITS)), luck=st.integers(0, 9))
    def end_it(self, step: str, by: str, luck: int) -> None:
        """Seldom: of a life that ends at once little is learnt."""
        if luck == 0 or self.state not in LIVE:
            self.take_a_step(step, by, 1)

    @rule(step=st.sampled_from(sorted(EXTENSION_STEPS)), by=st.sampled_from(sorted(UNITS)), days=st.integers(0, 3))
    def take_a_step_of_an_extension(self, step: str, by: str, days: int) -> None:
        if self._try(f"extension/{step}", by, days):
            self.extension_waits = EXTENSION_STEPS[step][1]

    @rule(
        step=st.sampled_from(sorted(MILESTONE_STEPS)),
        number=st.integers(1, 3),
        by=st.sampled_from(sorted(UNITS)),
        days=st.integers(0, 3),
    )
    def take_a_step_of_a_milestone(self, step: str, number: int, by: str, days: int) -> None:
        if self._try(f"milestones/{number}/{step}", by, days):
            required = self.milestones[number][1]
            self.milestones[number] = (MILESTONE_STEPS[step][1], required)
            if step == "revoke" and self.state == "verified-closed" and required:
                self.doubted.add(number)

    @rule(days=st.integers(0, 3))
    def plan_a_milestone(self, days: int) -> None:
        if len(self.milestones) < 3 and self._try("milestones", "CQ", days):
            self.milestones[len(self.milestones) + 1] = ("planned", True)

    @rule(data=st.data())
    def take_one_of_the_steps_that_lead_on(self, data: st.DataObject) -> None:
        """Chance alone seldom finds the way to the end."""
        offered = sorted((path, by) for by in ("ORG", "SOC") for path in self._expected(by))
        leading = [(path, by) for path, by in offered if path.rpartition("/")[2] in LEADING_ON]
        path, by = data.draw(st.sampled_from(leading)) if leading else ("", "")
        match path.split("/"):
            case ["milestones", number, step]:
                self.take_a_step_of_a_milestone(step, int(number), by, 1)
            case [step] if step:
                self.take_a_step(step, by, 1)

    @rule(data=st.data())
    def take_a_judgement_back(self, data: st.DataObject) -> None:
        """Seldom does chance hit on a milestone of which something was said."""
        said = sorted(path for path in self._expected("SOC") if path.endswith(("/return", "/revoke")))
        if said:
            _, number, step = data.draw(st.sampled_from(said)).split("/")
            self.take_a_step_of_a_milestone(step, int(number), "SOC", 1)

    def _try(self, path: str, by: str, days: int) -> bool:
        """Whether the step changed the item, which it does exactly where the tables say so."""
        self.on += timedelta(days=days)
        try:
            change = take_item(self.item, path, UNITS[by], self.on)
        except Refused as refused:
            if refused.refusal.code == "item.reminded-recently":
                assert self.item.reminded_on is not None
                assert 0 < (self.on - self.item.reminded_on).days < 7
            else:
                assert path not in self._expected(by) | self._repeats()
            return False
        assert path in (self._expected(by) if change.events else self._repeats())
        self.item = change.state
        self.told += change.events
        return bool(change.events)

    def _expected(self, by: str) -> set[str]:
        return {*self._expected_of_item(by), *self._expected_of_extension(by), *self._expected_of_milestones(by)}

    def _expected_of_item(self, by: str) -> Iterator[str]:
        counting = [state for state, required in self.milestones.values() if required and state != "cancelled"]
        missing = {
            "assign": not counting,
            "close": bool({*counting} - {"verified"}),
            "reschedule": self.extension_waits,
            "carry-over": not self.item.above.plan_in_final_evaluation,
        }
        for step, (states, _, who) in ITEM_STEPS.items():
            if self.state in states and by in MAY[who] and not missing.get(step):
                yield step
        if self.state in PLANNING:
            yield "milestones"

    def _expected_of_extension(self, by: str) -> Iterator[str]:
        for step, (waits, _, while_item, who) in EXTENSION_STEPS.items():
            if self.extension_waits is waits and self.state in while_item and by in MAY[who]:
                yield f"extension/{step}"

    def _expected_of_milestones(self, by: str) -> Iterator[str]:
        counting = [n for n, (state, required) in self.milestones.items() if required and state != "cancelled"]
        for number, (state, _) in self.milestones.items():
            for step, (wanted, _, while_item, who) in MILESTONE_STEPS.items():
                last = step == "cancel" and self.state != "draft" and counting == [number]
                if state == wanted and self.state in while_item and by in MAY[who] and not last:
                    yield f"milestones/{number}/{step}"

    def _repeats(self) -> set[str]:
        own = {step for step in SAID_AGAIN if self.state == ITEM_STEPS[step][1]}
        own |= {"remind"} if self.item.reminded_on == self.on else set()
        return own | {
            f"milestones/{number}/{step}"
            for number, (state, _) in self.milestones.items()
            for step in MILESTONES_SAID_AGAIN
            if state == MILESTONE_STEPS[step][1]
        }

    @invariant()
    def it_stands_where_the_tables_say(self) -> None:
        assert self.item.state == self.state
        assert {m.number: (m.state, m.required) for m in self.item.milestones} == self.milestones
        assert (self.item.schedule.extension is not None) is self.extension_waits
        assert {doubt.milestone for doubt in self.item.doubts} == self.doubted

    @invariant()
    def its_events_tell_all_of_it(self) -> None:
        told = fold_item(self.told, plan_starts_on=self.item.plan_starts_on)
        assert replace(told, above=self.item.above) == self.item  # what stands beside it, its events do not tell

    @invariant()
    def it_offers_each_unit_exactly_what_it_may_do(self) -> None:
        for code, unit in UNITS.items():
            assert {path for _, path, refused in self.item.steps(unit) if refused is None} == self._expected(code)


TestItemLife = ItemLife.TestCase
TestItemLife.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def test_the_units_of_the_tables_are_those_of_the_item() -> None:
    assert (OWNER.code, CO_UNIT.code, JUDGE.code) == ("ORG", "FIN", "SOC")


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (rules.STEPS, "close", (frozenset({ItemState.IN_PROGRESS}), Who.JUDGE)),
        (rules.STEPS, "return", (frozenset({ItemState.REPORTED_DONE}), Who.OFFICE)),
        (rules.STEPS, "note", (rules.HANDED_OUT, Who.OWNER)),
        (rules.EXTENSION_STEPS, "grant", (False, rules.HANDED_OUT, Who.OFFICE)),
        (rules.MILESTONE_STEPS, "verify", (MilestoneState.REPORTED, frozenset({ItemState.IN_PROGRESS}), Who.JUDGE)),
        (rules.MILESTONE_STEPS, "cancel", (MilestoneState.REPORTED, frozenset(ItemState), Who.OFFICE)),
    ],
)
def test_an_item_that_breaks_the_tables_is_caught(
    monkeypatch: pytest.MonkeyPatch, where: dict[str, Any], name: str, broken: Any
) -> None:
    monkeypatch.setitem(where, name, broken)
    _assert_caught()


def test_a_state_that_its_events_do_not_tell_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Milestone.judged
    monkeypatch.setattr(
        Milestone, "judged", lambda m, state, **about: replace(judged(m, state, **about), attained_on=m.attained_on)
    )
    _assert_caught()


def test_an_item_that_forgets_who_may_judge_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unit, "belongs_to", lambda unit, *units: unit.id in units)
    _assert_caught()


def _assert_caught() -> None:
    once = settings(
        max_examples=1000, stateful_step_count=50, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(ItemLife, settings=once)
