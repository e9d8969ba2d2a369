"""What is said of a milestone: planned, reported, judged, moved, cancelled; nothing that was said is erased."""

from collections.abc import Callable
from datetime import date

import pytest

from builders import (
    JUDGE,
    OWNER,
    UNITS,
    a_closed_item,
    a_draft_item,
    a_milestone,
    an_assigned_item,
    an_item_in_progress,
    an_item_reported_done,
    an_item_with_a_report,
    an_item_with_a_verified_milestone,
)
from common.contracts.measures import (
    MilestoneCancelled,
    MilestonePlanned,
    MilestoneReported,
    MilestoneRescheduled,
    MilestoneReturned,
    MilestoneVerificationRevoked,
    MilestoneVerified,
)
from measures.item.domain import Item
from measures.item.milestone import Milestone, MilestoneState
from measures.item.particulars import Doubt
from measures.item.rules import ItemState
from refusals import refused

LATER = date(2022, 9, 1)
WHY = {"reason": "原因", "authority": "会议纪要"}


def _first(item: Item) -> Milestone:
    return item.milestones[0]


# ── planning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("item", [a_draft_item, an_assigned_item, an_item_in_progress])
def test_an_item_takes_further_milestones_until_it_is_reported_done(item: Callable[[], Item]) -> None:
    change = item().plan_milestone(a_milestone(2), on=LATER)
    (event,) = change.events
    assert isinstance(event, MilestonePlanned)
    assert (event.number, event.effective_on) == (2, LATER)
    assert [m.number for m in change.state.milestones] == [1, 2]


@pytest.mark.parametrize("item", [an_item_reported_done, a_closed_item])
def test_a_closed_item_takes_no_milestone(item: Callable[[], Item]) -> None:
    with refused("item.wrong-state"):
        item().plan_milestone(a_milestone(2), on=LATER)


def test_planning_the_same_milestone_again_changes_nothing() -> None:
    assert a_draft_item().plan_milestone(a_milestone(1), on=LATER).events == ()


def test_a_number_is_not_given_to_another_milestone() -> None:
    with refused("milestone.number-taken", at="/number"):
        a_draft_item().plan_milestone(a_milestone(1, title_en="Another"), on=LATER)


# ── reporting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_owner_reports_a_milestone_with_the_day_it_was_attained() -> None:
    change = an_item_in_progress().report_milestone(1, attained_on=date(2022, 6, 1), note="注", by=OWNER, on=LATER)
    told = MilestoneReported(
        item=change.state.id, number=1, attained_on=date(2022, 6, 1), note="注", replaces=None, reported_on=LATER
    )
    assert change.events == (told,)
    assert (_first(change.state).state, _first(change.state).attained_on) == (
        MilestoneState.REPORTED,
        date(2022, 6, 1),
    )


def test_reporting_the_same_day_again_changes_nothing() -> None:
    item = an_item_with_a_report()
    assert item.report_milestone(1, attained_on=date(2022, 6, 1), note=None, by=OWNER, on=LATER).events == ()


def test_a_reported_milestone_is_not_reported_with_another_day() -> None:
    with refused("milestone.reported-otherwise"):
        an_item_with_a_report().report_milestone(1, attained_on=date(2022, 6, 2), note=None, by=OWNER, on=LATER)


def test_a_milestone_is_not_reported_before_it_is_attained() -> None:
    with refused("milestone.attained-after-report", at="/attained_on"):
        an_item_in_progress().report_milestone(1, attained_on=date(2022, 9, 2), note=None, by=OWNER, on=LATER)


def test_nothing_was_attained_before_the_plan_began() -> None:
    with refused("effective.before-plan", at="/attained_on"):
        an_item_in_progress().report_milestone(1, attained_on=date(2020, 12, 31), note=None, by=OWNER, on=LATER)


def test_a_milestone_may_have_been_attained_before_the_item_was_listed() -> None:
    item = an_item_in_progress(on=date(2022, 1, 5))
    assert item.report_milestone(1, attained_on=date(2021, 1, 1), note=None, by=OWNER, on=LATER).events


def test_only_the_owner_reports() -> None:
    with refused("item.not-owner"):
        an_item_in_progress().report_milestone(1, attained_on=LATER, note=None, by=JUDGE, on=LATER)


@pytest.mark.parametrize("item", [a_draft_item, an_assigned_item, an_item_reported_done])
def test_milestones_are_reported_only_while_work_goes_on(item: Callable[..., Item]) -> None:
    listed = item(milestones=(a_milestone(1), a_milestone(2, required=False)))
    with refused("item.wrong-state"):
        listed.report_milestone(2, attained_on=LATER, note=None, by=OWNER, on=LATER)


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_verified_milestone_counts_from_the_day_it_was_attained() -> None:
    item = an_item_with_a_report()
    change = item.verify_milestone(1, by=JUDGE, on=LATER)
    told = MilestoneVerified(
        item=item.id, number=1, attained_on=date(2022, 6, 1), verifier=JUDGE.id, replaces=item.version,
        verified_on=LATER,
    )  # fmt: skip
    assert change.events == (told,)
    assert _first(change.state).attained_on == date(2022, 6, 1)


def test_verifying_it_again_changes_nothing() -> None:
    item = an_item_with_a_verified_milestone()
    assert item.verify_milestone(1, by=UNITS["YB"], on=LATER).events == ()


def test_a_returned_report_no_longer_counts_and_may_be_made_anew() -> None:
    item = an_item_with_a_report()
    returned = item.return_milestone(1, reason="不符", by=JUDGE, on=LATER)
    told = MilestoneReturned(
        item=item.id, number=1, reason="不符", by=JUDGE.id, replaces=item.version, returned_on=LATER
    )
    assert returned.events == (told,)
    assert (_first(returned.state).state, _first(returned.state).attained_on) == (MilestoneState.PLANNED, None)
    anew = returned.state.report_milestone(1, attained_on=date(2022, 8, 1), note=None, by=OWNER, on=LATER)
    assert anew.events[0].replaces == returned.state.version  # type: ignore[attr-defined]


def test_a_revoked_verification_no_longer_counts_and_names_what_it_replaces() -> None:
    item = an_item_with_a_verified_milestone()
    change = item.revoke_verification(1, **WHY, by=JUDGE, on=LATER)
    told = MilestoneVerificationRevoked(
        item=item.id, number=1, by=JUDGE.id, replaces=item.version, revoked_on=LATER, **WHY
    )
    assert change.events == (told,)
    assert (_first(change.state).state, _first(change.state).attained_on) == (MilestoneState.PLANNED, None)


@pytest.mark.parametrize("partial", ["ORG", "ORG-1", "FIN"])
def test_nobody_judges_their_own_work(partial: str) -> None:
    by = UNITS[partial]
    with refused("judge.not-independent"):
        an_item_with_a_report().verify_milestone(1, by=by, on=LATER)
    with refused("judge.not-independent"):
        an_item_with_a_report().return_milestone(1, reason="不符", by=by, on=LATER)
    with refused("judge.not-independent"):
        an_item_with_a_verified_milestone().revoke_verification(1, **WHY, by=by, on=LATER)


def test_only_a_report_is_verified_or_returned_and_only_a_verification_revoked() -> None:
    planned, reported = an_item_in_progress(), an_item_with_a_report()
    with refused("milestone.wrong-state"):
        planned.verify_milestone(1, by=JUDGE, on=LATER)
    with refused("milestone.wrong-state"):
        planned.return_milestone(1, reason="不符", by=JUDGE, on=LATER)
    with refused("milestone.wrong-state"):
        reported.revoke_verification(1, **WHY, by=JUDGE, on=LATER)


def test_milestones_are_still_judged_once_the_item_is_reported_done() -> None:
    item = an_item_with_a_report().report_done(claim="完成", by=OWNER, on=date(2022, 7, 1)).state
    assert item.verify_milestone(1, by=JUDGE, on=LATER).events


def test_a_verification_that_is_revoked_later_leaves_its_item_closed_and_in_doubt() -> None:
    change = a_closed_item().revoke_verification(1, **WHY, by=JUDGE, on=LATER)
    assert len(change.events) == 1
    assert change.state.state is ItemState.VERIFIED_CLOSED
    assert change.state.doubts == (Doubt(milestone=1, reason="原因", authority="会议纪要", since=LATER),)
    assert _first(change.state).state is MilestoneState.PLANNED


def test_an_item_is_not_in_doubt_for_a_milestone_that_it_could_be_closed_without() -> None:
    item = an_item_with_a_verified_milestone(milestones=(a_milestone(1), a_milestone(2, required=False)))
    item = item.report_milestone(2, attained_on=LATER, note=None, by=OWNER, on=LATER).state
    item = item.verify_milestone(2, by=JUDGE, on=LATER).state
    item = item.report_done(claim="完成", by=OWNER, on=LATER).state.close(by=JUDGE, on=LATER).state
    assert item.revoke_verification(2, **WHY, by=JUDGE, on=LATER).state.doubts == ()


def test_a_verification_is_not_revoked_as_of_a_day_before_its_item_was_closed() -> None:
    with refused("effective.before-predecessor"):
        a_closed_item().revoke_verification(1, **WHY, by=JUDGE, on=date(2022, 7, 9))


def test_nothing_else_is_judged_once_the_item_is_closed() -> None:
    with refused("item.wrong-state"):
        a_closed_item().return_milestone(1, reason="原因", by=JUDGE, on=LATER)


# ── moving and cancelling ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_milestone_that_is_moved_keeps_the_days_it_was_planned_for() -> None:
    once = a_draft_item().reschedule_milestone(1, planned_on=date(2022, 8, 1), reason="延期", on=LATER)
    twice = once.state.reschedule_milestone(1, planned_on=date(2022, 10, 1), reason="再延", on=LATER)
    assert _first(twice.state).baselines == (date(2022, 6, 30), date(2022, 8, 1))
    told = MilestoneRescheduled(
        item=twice.state.id, number=1, moved_from=date(2022, 8, 1), moved_to=date(2022, 10, 1), reason="再延",
        baseline_number=2, rescheduled_on=LATER,
    )  # fmt: skip
    assert twice.events == (told,)


def test_moving_it_to_where_it_is_changes_nothing() -> None:
    assert a_draft_item().reschedule_milestone(1, planned_on=date(2022, 6, 30), reason="同", on=LATER).events == ()


def test_a_reported_milestone_is_not_moved() -> None:
    with refused("milestone.wrong-state"):
        an_item_with_a_report().reschedule_milestone(1, planned_on=LATER, reason="延期", on=LATER)


def test_a_cancelled_milestone_stays_listed_but_does_not_count() -> None:
    item = an_item_in_progress(milestones=(a_milestone(1), a_milestone(2)))
    change = item.cancel_milestone(2, **WHY, on=LATER)
    assert change.events == (MilestoneCancelled(item=item.id, number=2, cancelled_on=LATER, **WHY),)
    assert [(m.number, m.counts) for m in change.state.milestones] == [(1, True), (2, False)]
    assert change.state.cancel_milestone(2, **WHY, on=LATER).events == ()


def test_an_assigned_item_keeps_a_required_milestone() -> None:
    with refused("item.no-required-milestone"):
        an_assigned_item(milestones=(a_milestone(1), a_milestone(2, required=False))).cancel_milestone(
            1, **WHY, on=LATER
        )


def test_a_draft_may_lose_its_last_required_milestone() -> None:
    assert a_draft_item().cancel_milestone(1, **WHY, on=LATER).events


def test_a_verified_milestone_is_not_cancelled() -> None:
    with refused("milestone.wrong-state"):
        an_item_with_a_verified_milestone(milestones=(a_milestone(1), a_milestone(2))).cancel_milestone(
            1, **WHY, on=LATER
        )


def test_there_is_nothing_to_say_of_a_milestone_that_does_not_exist() -> None:
    with refused("milestone.not-found"):
        an_item_in_progress().verify_milestone(7, by=JUDGE, on=LATER)
