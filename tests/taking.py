"""The decision behind each path that an item offers, with words that are lawful wherever the step begins."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from builders import a_milestone, item_words
from common.decision import Change, Unit
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.ending import cancel_item, carry_over_item, merge_item, reopen_item
from measures.item.extension import grant_extension, refuse_extension, request_extension, reschedule_item
from measures.item.note import note_progress
from measures.item.reminder import remind_owner

WHY: Final[dict[str, Any]] = {"reason": "原因", "authority": "会议纪要"}
NOTHING_ELSE: Final[dict[str, Any]] = {"problems": None, "next": None, "help": None}
OTHER = add_item(**item_words(code="A1-99")).state
"""Into which the item is merged."""


def _later(item: Item) -> date:
    return item.due_on + timedelta(days=30)


ITEM_STEPS: Final[dict[str, Callable[..., Change[Item]]]] = {
    "report-done": partial(Item.report_done, claim="完成"),
    "return": partial(Item.return_to_owner, reason="原因"),
    "reopen": partial(reopen_item, **WHY),
    "cancel": partial(cancel_item, **WHY),
    "merge": partial(merge_item, into=OTHER, **WHY),
    "carry-over": partial(carry_over_item, successor="PLAN-2", **WHY),
    "note": lambda item, **who: note_progress(item, done=f"第{item.version}步", **NOTHING_ELSE, **who),
    "remind": remind_owner,
    "reschedule": lambda item, **who: reschedule_item(item, due_on=_later(item), reason="顺延", **who),
    "extension/request": lambda item, **who: request_extension(item, due_on=_later(item), reason="延期", **who),
    "extension/grant": grant_extension,
    "extension/refuse": partial(refuse_extension, reason="不予延期"),
}
"""The decisions that need words, with lawful ones."""


def take_item(item: Item, path: str, by: Unit, on: date) -> Change[Item]:
    """The decision behind a path that an item offers, with lawful words."""
    match path.split("/"):
        case ["milestones"]:
            return item.plan_milestone(a_milestone(len(item.milestones) + 1), on=on)
        case ["milestones", number, step]:
            return _take_milestone_step(item, int(number), step, by, on)
    take = partial(ITEM_STEPS[path], item) if path in ITEM_STEPS else getattr(item, path)
    taken: Change[Item] = take(by=by, on=on)
    return taken


def _take_milestone_step(item: Item, number: int, step: str, by: Unit, on: date) -> Change[Item]:
    match step:
        case "report":
            return item.report_milestone(number, attained_on=date(2022, 1, 1), note=None, by=by, on=on)
        case "verify":
            return item.verify_milestone(number, by=by, on=on)
        case "return":
            return item.return_milestone(number, reason="原因", by=by, on=on)
        case "revoke":
            return item.revoke_verification(number, **WHY, by=by, on=on)
        case "reschedule":
            elsewhere = date(2024, 1, 1) + timedelta(days=item.version)
            return item.reschedule_milestone(number, planned_on=elsewhere, reason="延期", on=on)
        case "cancel":
            return item.cancel_milestone(number, **WHY, on=on)
    raise AssertionError(step)
