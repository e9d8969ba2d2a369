"""What the units that take part say of their work: done, problems, what comes next, what help they need."""

from dataclasses import replace
from datetime import date

from common.contracts.measures import ProgressNoted
from common.decision import Change, Unit, must_follow
from measures.item.domain import Item
from measures.item.particulars import ProgressNote


def note_progress(
    item: Item,
    *,
    done: str,
    problems: str | None,
    next: str | None,  # noqa: A002 - the trade's word
    help: str | None,  # noqa: A002 - the trade's word
    by: Unit,
    on: date,
) -> Change[Item]:
    """The owner or a co-unit says how the work goes; no figure changes by it.

    :raises Refused: ``item.wrong-state``, ``item.not-partaker``, ``effective.before-predecessor``.
    """
    if refused := item.why_not("note", by):
        raise refused
    note = ProgressNote(done=done, problems=problems, next=next, help=help, by=by.id, noted_on=on)
    if item.note == note:
        return Change(item, (), on)
    must_follow(on, max(item.since, item.note.noted_on) if item.note else item.since)
    event = ProgressNoted(item=item.id, done=done, problems=problems, next=next, help=help, by=by.id, noted_on=on)
    return Change(replace(item, version=item.version + 1, note=note), (event,), on)
