"""How else an item ends than verified: cancelled, merged or carried over; and how a closed one is reopened."""

from dataclasses import replace
from datetime import date

from common.contracts import Event
from common.contracts.measures import (
    ReformItemCancelled,
    ReformItemCarriedOver,
    ReformItemMerged,
    ReformItemReopened,
)
from common.decision import Change, Unit, must_follow
from measures.item.domain import Item
from measures.item.particulars import Ending
from measures.item.rules import (
    CARRIED_NOWHERE,
    CONTINUED_ALREADY,
    ENDED_OTHERWISE,
    LIVE,
    MERGED_ELSEWHERE,
    MERGED_INTO_ENDED,
    MERGED_INTO_ITSELF,
    SUCCESSOR_UNFIT,
    TERMINAL,
    WRONG_STATE,
    ItemState,
)


def cancel_item(
    item: Item, *, reason: str, authority: str, by: Unit | None, on: date, joined_on: date | None = None
) -> Change[Item]:
    """The item is given up, by an authority: it leaves the denominators and stays listed.

    :param joined_on: the day on which another item was merged into it last, here and below.
    :raises Refused: ``item.wrong-state``, ``item.ended-otherwise``, ``effective.before-predecessor``.
    """
    event = ReformItemCancelled(item=item.id, reason=reason, authority=authority, cancelled_on=on)
    return _end(
        item, "cancel", ItemState.CANCELLED, Ending(reason, authority), event, by=by, on=on, joined_on=joined_on
    )


def merge_item(
    item: Item, *, into: Item, reason: str, authority: str, by: Unit | None, on: date, joined_on: date | None = None
) -> Change[Item]:
    """What the item promised is done by another of the same plan: it leaves the denominators and stays listed.

    :raises Refused: ``item.wrong-state``, ``item.merged-into-itself``, ``item.merged-elsewhere``,
        ``item.merged-into-ended``, ``item.ended-otherwise``, ``effective.before-predecessor``.
    """
    ending = Ending(reason, authority, into=into.id)
    if item.ending != ending:  # what the other became afterwards does not matter to a merger that happened
        if into.id == item.id:
            raise MERGED_INTO_ITSELF(pointer="/into")
        if (into.plan, into.local_plan) != (item.plan, item.local_plan):
            raise MERGED_ELSEWHERE(pointer="/into")
        if into.state in TERMINAL:
            raise MERGED_INTO_ENDED(pointer="/into", state=into.state)
        must_follow(on, into.added_on)
    event = ReformItemMerged(item=item.id, into=into.id, reason=reason, authority=authority, merged_on=on)
    return _end(item, "merge", ItemState.MERGED, ending, event, by=by, on=on, joined_on=joined_on)


def carry_over_item(
    item: Item,
    *,
    successor: str,
    reason: str,
    authority: str,
    by: Unit | None,
    on: date,
    plan_since: date = date.min,
    fit: bool = True,
    continued: bool = False,
    joined_on: date | None = None,
) -> Change[Item]:
    """A successor plan goes on with the item; in its own plan it stays listed, unfinished and in the denominators.

    As long as its plan is not closed and nobody goes on with it, it may be carried over into another one instead.

    :param plan_since: the day on which the last step of its own plan took effect: the beginning of the evaluation.
    :param fit: whether the successor ends later than its own plan and still takes items.
    :param continued: whether the successor has it on its list.
    :raises Refused: ``item.wrong-state``, ``item.plan-goes-on``, ``item.plan-over``, ``item.carried-into-own-plan``,
        ``item.successor-unfit``, ``item.continued-already``, ``item.ended-otherwise``,
        ``effective.before-predecessor``.
    """
    if successor == item.plan:
        raise CARRIED_NOWHERE(pointer="/successor")
    before = item.ending.successor if item.ending else None
    if not fit and successor != before:
        raise SUCCESSOR_UNFIT(pointer="/successor", successor=successor)
    if item.state in LIVE and item.above.plan_in_final_evaluation:
        must_follow(on, plan_since)
    event = ReformItemCarriedOver(
        item=item.id, successor=successor, reason=reason, authority=authority, carried_over_on=on
    )
    ending = Ending(reason, authority, successor=successor)
    if before is None or successor == before:
        return _end(item, "carry-over", ItemState.CARRIED_OVER, ending, event, by=by, on=on, joined_on=joined_on)
    if refused := item.why_not("carry-over", by, on):
        raise refused
    if continued:
        raise CONTINUED_ALREADY(pointer="/successor")
    must_follow(on, item.since)
    return Change(replace(item, version=item.version + 1, since=on, ending=ending), (event,), on)


def reopen_item(item: Item, *, reason: str, authority: str, by: Unit | None, on: date) -> Change[Item]:
    """The item was wrongly closed: work goes on, and no doubt about the closing is left.

    :raises Refused: ``item.wrong-state``, ``item.plan-over``, ``item.local-plan-over``,
        ``effective.before-predecessor``.
    """
    if item.state is not ItemState.VERIFIED_CLOSED:
        raise WRONG_STATE(state=item.state)
    item.must_follow_all(on)
    event = ReformItemReopened(item=item.id, reason=reason, authority=authority, reopened_on=on)
    change = item.step("reopen", ItemState.IN_PROGRESS, event, by=by, on=on)
    return replace(change, state=replace(change.state, claim=None, doubts=()))


def _end(
    item: Item,
    action: str,
    to: ItemState,
    ending: Ending,
    event: Event,
    *,
    by: Unit | None,
    on: date,
    joined_on: date | None,
) -> Change[Item]:
    if item.state is to:
        if item.ending != ending:
            raise ENDED_OTHERWISE()
        return Change(item, (), on)
    if refused := item.why_not(action, by, on):
        raise refused
    item.must_follow_all(on, joined_on)
    change = item.step(action, to, event, by=by, on=on)
    schedule = replace(item.schedule, extension=None)  # what was asked for is moot
    return replace(change, state=replace(change.state, ending=ending, schedule=schedule))
