"""What is decided about a reform item: done by its owner, judged by others, struck off when all of it is verified."""

from dataclasses import replace
from datetime import date

from common.contracts import Event
from common.contracts.measures import (
    MilestoneCancelled,
    MilestoneReported,
    MilestoneRescheduled,
    MilestoneReturned,
    MilestoneVerificationRevoked,
    MilestoneVerified,
    ReformItemAcknowledged,
    ReformItemAssigned,
    ReformItemReportedDone,
    ReformItemReturned,
    ReformItemStarted,
    ReformItemVerifiedClosed,
)
from common.decision import Change, Unit, must_follow, unchanging
from measures.item.milestone import Milestone, MilestoneState, PlannedMilestone
from measures.item.particulars import Doubt
from measures.item.rules import (
    CLAIMED_OTHERWISE,
    MILESTONE_NUMBER_TAKEN,
    PLANNING,
    REPORTED_OTHERWISE,
    WRONG_STATE,
    ItemState,
)
from measures.item.standing import Standing

S, M = ItemState, MilestoneState


@unchanging
class Item(Standing):
    """A reform item and the steps that it takes: each is refused with a reason, or told as an event."""

    # ── the item's own steps ─────────────────────────────────────────────────────────────────────────────────────

    def assign(self, *, by: Unit | None, on: date) -> Change["Item"]:
        """Hand the item to its owner; it has at least one required milestone by then.

        :raises Refused: ``item.wrong-state``, ``item.no-required-milestone``, ``effective.before-predecessor``.
        """
        event = ReformItemAssigned(item=self.id, owner=self.owner, assigned_on=on)
        return self.step("assign", S.ASSIGNED, event, by=by, on=on)

    def acknowledge(self, *, by: Unit, on: date) -> Change["Item"]:
        """The owner has received it (签收).

        :raises Refused: ``item.wrong-state``, ``item.not-owner``, ``effective.before-predecessor``.
        """
        event = ReformItemAcknowledged(item=self.id, acknowledged_on=on)
        return self.step("acknowledge", S.ACKNOWLEDGED, event, by=by, on=on)

    def start(self, *, by: Unit, on: date) -> Change["Item"]:
        """Work has begun.

        :raises Refused: ``item.wrong-state``, ``item.not-owner``, ``effective.before-predecessor``.
        """
        return self.step("start", S.IN_PROGRESS, ReformItemStarted(item=self.id, started_on=on), by=by, on=on)

    def report_done(self, *, claim: str, by: Unit, on: date) -> Change["Item"]:
        """The owner says that it is done.

        :raises Refused: ``item.wrong-state``, ``item.not-owner``, ``item.claimed-otherwise``,
            ``effective.before-predecessor``.
        """
        if self.state is S.REPORTED_DONE and claim != self.claim:
            raise CLAIMED_OTHERWISE()
        event = ReformItemReportedDone(item=self.id, claim=claim, evidence=self.grounds.standing, reported_on=on)
        change = self.step("report-done", S.REPORTED_DONE, event, by=by, on=on)
        return replace(change, state=replace(change.state, claim=claim))

    def return_to_owner(self, *, reason: str, by: Unit, on: date) -> Change["Item"]:
        """The claim that it is done is sent back with a reason; work goes on.

        :raises Refused: ``item.wrong-state``, ``judge.not-independent``, ``effective.before-predecessor``.
        """
        if self.state is S.IN_PROGRESS:
            raise WRONG_STATE(state=self.state)
        event = ReformItemReturned(item=self.id, reason=reason, by=by.id, returned_on=on)
        change = self.step("return", S.IN_PROGRESS, event, by=by, on=on)
        return replace(change, state=replace(change.state, claim=None))

    def close(self, *, by: Unit, on: date, joined_on: date | None = None) -> Change["Item"]:
        """Judge it done and strike it off (销号); every required milestone is verified by then.

        :param joined_on: the day on which another item was merged into it last.
        :raises Refused: ``item.wrong-state``, ``item.open-milestones``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        if self.state is S.REPORTED_DONE:
            self.must_follow_all(on, joined_on)
        event = ReformItemVerifiedClosed(item=self.id, verifier=by.id, closed_on=on)
        return self.step("close", S.VERIFIED_CLOSED, event, by=by, on=on)

    def step(self, action: str, to: ItemState, event: Event, *, by: Unit | None, on: date) -> Change["Item"]:
        """A step that the table has; in the state that it leads to, nothing happens.

        :raises Refused: what ``why_not`` says, ``effective.before-predecessor``.
        """
        if self.state is to:
            return Change(self, (), on)  # said before: nothing happens twice
        if refused := self.why_not(action, by, on):
            raise refused
        must_follow(on, self.since)
        return Change(replace(self, state=to, since=on, version=self.version + 1), (event,), on)

    def must_follow_all(self, on: date, joined_on: date | None = None) -> None:
        """Refuse a last step that would take effect before anything that was said of the item or its milestones.

        :param joined_on: the day on which another item was merged into it last.
        :raises Refused: ``effective.before-predecessor``.
        """
        noted = self.note.noted_on if self.note else self.since
        last = max(self.since, self.schedule.since, noted, joined_on or self.since)
        must_follow(on, max((last, *(one.since for one in self.milestones))))

    # ── its milestones ───────────────────────────────────────────────────────────────────────────────────────────

    def plan_milestone(self, planned: PlannedMilestone, *, on: date) -> Change["Item"]:
        """Put a milestone into the item; it counts in the denominators from that day on.

        :raises Refused: ``item.wrong-state``, ``milestone.number-taken``, ``effective.before-predecessor``.
        """
        known = next((m for m in self.milestones if m.number == planned.number), None)
        if known is not None:
            if known.words() == planned.words():
                return Change(self, (), on)
            raise MILESTONE_NUMBER_TAKEN(pointer="/number", number=planned.number)
        if self.state not in PLANNING:
            raise WRONG_STATE(state=self.state)
        must_follow(on, self.since)
        return Change(
            replace(self, version=self.version + 1, milestones=(*self.milestones, planned.on_the_list(on))),
            (planned.told(self.id, on),),
            on,
        )

    def report_milestone(
        self, number: int, *, attained_on: date, note: str | None, by: Unit, on: date
    ) -> Change["Item"]:
        """The owner says on which day a milestone was attained.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``item.not-owner``,
            ``milestone.reported-otherwise``, ``milestone.attained-after-report``, ``effective.before-plan``,
            ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        if milestone.state is M.REPORTED:
            if milestone.attained_on != attained_on:
                raise REPORTED_OTHERWISE()
            return Change(self, (), on)
        self._require("report", milestone, by, on)
        must_follow(on, self.since)
        event = MilestoneReported(
            item=self.id, number=number, attained_on=attained_on, note=note,
            replaces=milestone.claim_version, reported_on=on,
        )  # fmt: skip
        after = milestone.reported(
            attained_on=attained_on, on=on, version=self.version + 1, plan_starts_on=self.plan_starts_on
        )
        return self._with(after, event, on)

    def verify_milestone(self, number: int, *, by: Unit, on: date) -> Change["Item"]:
        """A reported milestone counts, from the day it was attained; nobody judges their own work.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``milestone.no-verified-evidence``,
            ``judge.not-independent``, ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        if milestone.state is M.VERIFIED:
            return Change(self, (), on)
        self._require("verify", milestone, by, on)
        assert milestone.attained_on is not None
        event = MilestoneVerified(
            item=self.id, number=number, attained_on=milestone.attained_on, verifier=by.id,
            replaces=milestone.claim_version, verified_on=on,
        )  # fmt: skip
        return self._with(milestone.judged(M.VERIFIED, on=on, version=self.version + 1), event, on)

    def return_milestone(self, number: int, *, reason: str, by: Unit, on: date) -> Change["Item"]:
        """A report about a milestone is sent back with a reason; it must be reported anew.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        self._require("return", milestone, by, on)
        event = MilestoneReturned(
            item=self.id, number=number, reason=reason, by=by.id, replaces=milestone.claim_version, returned_on=on
        )
        return self._with(milestone.judged(M.PLANNED, on=on, version=self.version + 1), event, on)

    def revoke_verification(self, number: int, *, reason: str, authority: str, by: Unit, on: date) -> Change["Item"]:
        """A milestone was wrongly judged attained; it must be reported anew, and an item closed on it is in doubt.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``item.plan-over``,
            ``judge.not-independent``, ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        self._require("revoke", milestone, by, on)
        event = MilestoneVerificationRevoked(
            item=self.id, number=number, reason=reason, authority=authority, by=by.id,
            replaces=milestone.claim_version, revoked_on=on,
        )  # fmt: skip
        change = self._with(milestone.judged(M.PLANNED, on=on, version=self.version + 1), event, on)
        if self.state is not S.VERIFIED_CLOSED:
            return change
        must_follow(on, self.since)
        if not milestone.required:
            return change  # it was not closed on this one
        doubt = Doubt(milestone=number, reason=reason, authority=authority, since=on)
        return replace(change, state=replace(change.state, doubts=(*self.doubts, doubt)))

    def reschedule_milestone(self, number: int, *, planned_on: date, reason: str, on: date) -> Change["Item"]:
        """A milestone is planned for another day, for a reason; the baseline is kept.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``measure.suspended``,
            ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        if milestone.planned_on == planned_on:
            return Change(self, (), on)
        self._require("reschedule", milestone, None, on)
        after = milestone.rescheduled(planned_on, on=on)
        event = MilestoneRescheduled(
            item=self.id, number=number, moved_from=milestone.planned_on, moved_to=planned_on, reason=reason,
            baseline_number=len(after.baselines), rescheduled_on=on,
        )  # fmt: skip
        return self._with(after, event, on)

    def cancel_milestone(self, number: int, *, reason: str, authority: str, on: date) -> Change["Item"]:
        """A milestone leaves the denominators, by an authority; an assigned item keeps a required one.

        :raises Refused: ``milestone.wrong-state``, ``item.wrong-state``, ``item.no-required-milestone``,
            ``effective.before-predecessor``.
        """
        milestone = self.milestone(number)
        if milestone.state is M.CANCELLED:
            return Change(self, (), on)
        self._require("cancel", milestone, None, on)
        event = MilestoneCancelled(item=self.id, number=number, reason=reason, authority=authority, cancelled_on=on)
        return self._with(milestone.cancelled(on=on), event, on)

    def _require(self, action: str, milestone: Milestone, by: Unit | None, on: date) -> None:
        if refused := self.why_not_milestone(action, milestone, by, on):
            raise refused

    def _with(self, after: Milestone, event: Event, on: date) -> Change["Item"]:
        milestones = tuple(after if m.number == after.number else m for m in self.milestones)
        return Change(replace(self, version=self.version + 1, milestones=milestones), (event,), on)
