"""What a sheet may change of an item that is there, by which decisions, and what it may not."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from builders import CO_UNIT, OWNER, a_closed_item, a_draft_item, a_milestone, an_item_with_a_report, item_words
from common.contracts.measures import Focus
from measures.item.extension import reschedule_item
from measures.item.milestone import PlannedMilestone
from measures.item_sheet.comparing import SETTLED, Wanted, against, bring_up, steps_to
from refusals import refused

ON = date(2022, 3, 1)
SAID = frozenset(PlannedMilestone.__slots__)


def wanted(*milestones: PlannedMilestone, reason: str | None = "纪要", **changed: Any) -> Wanted:
    """What a sheet says that has the item of ``a_draft_item`` as it is, but for what was changed."""
    told = item_words()
    words = {name: told[name] for name in (*SETTLED, "due_on") if name in told} | changed
    planned = milestones or (a_milestone(),)
    return Wanted(words, planned, (SAID,) * len(planned), reason, {OWNER.id: "ORG"})


def events(change: Any) -> list[str]:
    return [type(event).__name__ for event in change.events]


def test_a_sheet_that_says_what_is_there_changes_nothing() -> None:
    item = a_draft_item()
    assert against(item, wanted()) == []
    assert steps_to(item, wanted(), by=None, on=ON) == []
    assert bring_up(item, wanted(), by=None, on=ON).events == ()


def test_all_that_is_moved_and_added_is_one_change_in_order() -> None:
    item = a_draft_item()
    told = wanted(a_milestone(1, planned_on=date(2022, 9, 30)), a_milestone(2), due_on=date(2023, 6, 30))
    permissions = [step.permission for step in steps_to(item, told, by=None, on=ON)]
    assert permissions == ["item.reschedule", "milestone.reschedule", "milestone.plan"]
    change = bring_up(item, told, by=None, on=ON)
    assert events(change) == ["ReformItemRescheduled", "MilestoneRescheduled", "MilestonePlanned"]
    assert change.state.version == item.version + 3
    assert change.state.due_on == date(2023, 6, 30)
    assert [milestone.planned_on for milestone in change.state.milestones] == [date(2022, 9, 30), date(2022, 6, 30)]
    assert bring_up(change.state, told, by=None, on=ON).events == ()


def test_a_date_is_moved_for_a_reason() -> None:
    with refused("sheet.reason-needed", at="/reason"):
        bring_up(a_draft_item(), wanted(reason=None, due_on=date(2023, 6, 30)), by=None, on=ON)
    with refused("sheet.reason-needed", at="/reason"):
        steps_to(a_draft_item(), wanted(a_milestone(planned_on=ON), reason=None), by=None, on=ON)


@pytest.mark.parametrize(
    "changed",
    [{"title_zh": "另"}, {"owner": CO_UNIT.id}, {"co_units": ()}, {"measure": "B1"}, {"focus": Focus.SHORTCOMING},
     {"planned_start_on": ON}, {"responsible_post": "另"}, {"local_plan": "YB-1"}],
)  # fmt: skip
def test_what_was_settled_when_it_was_listed_no_sheet_changes(changed: dict[str, Any]) -> None:
    (refusal,) = against(a_draft_item(), wanted(**changed))
    assert (refusal.refusal.code, refusal.pointer) == ("sheet.differs", f"/{next(iter(changed))}")
    with refused("sheet.differs"):
        bring_up(a_draft_item(), wanted(**changed), by=None, on=ON)


def test_a_unit_is_told_by_its_code() -> None:
    (refusal,) = against(a_draft_item(), wanted(owner=CO_UNIT.id))
    assert refusal.say("en") == "The item says “ORG”, and no sheet changes that"


def test_the_order_of_co_units_says_nothing() -> None:
    item = a_draft_item(owner=CO_UNIT.id, co_units=(OWNER.id, item_words()["id"]))
    told = wanted(owner=CO_UNIT.id, co_units=tuple(reversed(item.co_units)))
    assert against(item, told) == []


def test_what_a_milestone_is_no_sheet_changes_and_what_is_not_said_is_not_compared() -> None:
    item = a_draft_item(milestones=(a_milestone(required=False),))
    (refusal,) = against(item, wanted(a_milestone()))
    assert (refusal.refusal.code, refusal.pointer) == ("sheet.differs", "/milestones/0/required")
    silent = wanted(a_milestone())._replace(said_of_milestones=(SAID - {"required"},))
    assert against(item, silent) == []


def test_a_sheet_from_before_a_date_was_moved_does_not_move_it_back() -> None:
    item = reschedule_item(a_draft_item(), due_on=date(2023, 6, 30), reason="纪要", by=None, on=ON).state
    item = item.reschedule_milestone(1, planned_on=date(2022, 9, 30), reason="纪要", on=ON).state
    old = against(item, wanted())
    assert [(one.refusal.code, one.pointer) for one in old] == [
        ("sheet.moved-on", "/due_on"),
        ("sheet.moved-on", "/milestones/0/planned_on"),
    ]


def test_what_the_items_state_does_not_allow_is_refused_by_the_items_own_rule() -> None:
    with refused("item.wrong-state"):
        bring_up(a_closed_item(), wanted(due_on=date(2023, 6, 30)), by=None, on=date(2023, 1, 1))
    with refused("milestone.wrong-state"):
        bring_up(an_item_with_a_report(), wanted(a_milestone(planned_on=ON)), by=None, on=date(2022, 6, 20))


def test_nothing_is_moved_before_the_step_before_it() -> None:
    with refused("effective.before-predecessor"):
        bring_up(a_draft_item(), wanted(due_on=date(2023, 6, 30)), by=None, on=date(2022, 1, 4))


def test_a_milestone_that_was_cancelled_is_not_planned_anew() -> None:
    item = a_draft_item(milestones=(a_milestone(1), a_milestone(2)))
    item = item.cancel_milestone(2, reason="撤并", authority="纪要", on=ON).state
    assert bring_up(item, wanted(a_milestone(1), a_milestone(2)), by=None, on=ON).events == ()
    assert replace(item, version=item.version).milestones[1].state == "cancelled"
