"""What must hold of the evidence whatever befell the stack: each invariant names all that is wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias
from uuid import UUID

from common.cloudevents import first_break
from faults.evidence import Committed, Evidence, Told
from faults.history import Accepted, Kind, Operation, Refused, Seen, Streamed

Invariant: TypeAlias = Callable[[Evidence], Iterator[str]]


def accepted_is_published_and_shown(evidence: Evidence) -> Iterator[str]:
    """I1: what a client was told is done is stored, stands in the topic and is in the views; poison alone is parked."""
    stored = {(event.aggregate, event.version) for event in evidence.events}
    for version in sorted({_place(reply) for _, reply in evidence.history.accepted()} - stored):
        yield f"{_name(*version)} was accepted and is stored nowhere"
    told = {(aggregate, version) for aggregate, records in evidence.told_of.items() for version, _ in records}
    for aggregate, number in sorted(stored):
        if (aggregate, number) not in told:
            yield f"{_name(aggregate, number)} is committed and not in the topic"
        if evidence.applied.get(aggregate, 0) < number:
            yield f"{_name(aggregate, number)} is committed and not in the views"
    if evidence.waiting:
        yield f"{len(evidence.waiting)} events still wait in the outbox, the first at position {min(evidence.waiting)}"
    poison = {record.place for record in evidence.records if record.injected == "poison"}
    for place in sorted(set(evidence.parked) - poison):
        yield f"{_at(place)} is parked and no poison"
    for place in sorted(poison - set(evidence.parked)):
        yield f"{_at(place)} is poison and not parked"


def published_is_committed(evidence: Evidence) -> Iterator[str]:
    """I2: a record is a committed event, byte for byte; a command of unknown outcome took effect once or not at all."""
    committed = {str(event.id): event for event in evidence.events}
    for record in evidence.records:
        if record.injected == "poison":
            continue
        event = committed.get(record.id or "")
        if event is None:
            yield f"{_at(record.place)} belongs to no committed event"
        elif not _same(record, event):
            yield f"{_at(record.place)} is not what was committed as {_name(event.aggregate, event.version)}"
    for operation in evidence.history.undecided():
        if len(effects := evidence.of_key.get(operation.key or "", [])) > 1:
            yield f"{operation.action} of {operation.client}, its outcome unknown, took effect {len(effects)} times"


def _same(record: Told, event: Committed) -> bool:
    headers = {name: text for name, text in record.headers.items() if not name.startswith("kegai-")}
    return headers == event.headers and record.payload == event.payload


def versions_have_no_gap(evidence: Evidence) -> Iterator[str]:
    """I3: an aggregate has the versions 1 to n, each one event; in the topic they come for the first time in order.

    Where a topic was refilled, they come in order to a reader who waits for each version's turn.
    """
    stored: dict[UUID, list[int]] = {}
    for event in evidence.events:
        stored.setdefault(event.aggregate, []).append(event.version)
    for aggregate, versions in stored.items():
        if sorted(versions) != list(range(1, evidence.versions.get(aggregate, 0) + 1)):
            yield f"{aggregate} is at version {evidence.versions.get(aggregate, 0)} and has {_counted(versions)}"
    for aggregate, told in evidence.told_of.items():
        first = list(dict.fromkeys(version for version, _ in told))
        if evidence.refilled:
            first = _in_turn([version for version, _ in told])
        if first != list(range(1, len(first) + 1)):
            yield f"{aggregate} comes in the topic as {_counted(first)}"
        ids = {(version, record.id) for version, record in told}
        if len(ids) > len(first):
            yield f"{aggregate} has versions in the topic of which each is several events"


def _in_turn(versions: Sequence[int]) -> list[int]:
    """All versions, in the order in which a reader can take them who lets those wait whose turn has not come."""
    taken, waiting = list[int](), set[int]()
    for version in versions:
        waiting.add(version)
        while len(taken) + 1 in waiting:
            taken.append(len(taken) + 1)
    return taken + sorted(waiting - set(taken))


def versions_follow_time(evidence: Evidence) -> Iterator[str]:
    """I4: what was answered before something else was asked has the lower version, and nothing old stands behind new.

    A relay that begins again repeats all that it may have published, so that repeats end with the newest version like
    the first occurrences. One that was thought dead and woke up repeats something old, and the newest does not follow.
    """
    for aggregate, commands in _commands(evidence).items():
        yield from _overtaken(aggregate, commands)
    for aggregate, told in evidence.told_of.items():
        versions = [version for version, record in told if record.injected is None]
        last = list(dict.fromkeys(reversed(versions)))
        if last != sorted(last, reverse=True):
            stale = next(later for later, newer in pairwise(last) if later < newer)
            yield f"{aggregate} has its version {stale} in the topic behind a newer one, which does not follow again"


_Timed: TypeAlias = tuple[float, float, int, bool]
"""When a command was first sent and first answered, its version, and whether it had an effect."""


def _commands(evidence: Evidence) -> Mapping[UUID, list[_Timed]]:
    found: dict[UUID, list[_Timed]] = {}
    for key, attempts in evidence.history.by_key().items():
        replies = [(one, one.outcome) for one in attempts if isinstance(one.outcome, Accepted)]
        if replies:
            operation, reply = replies[0]
            effect = any(event.version == reply.version for event in evidence.of_key.get(key, ()))
            sent_at = min(one.sent_at for one in attempts)
            found.setdefault(reply.aggregate, []).append((sent_at, operation.done_at, reply.version, effect))
    return found


def _overtaken(aggregate: UUID, commands: Sequence[_Timed]) -> Iterator[str]:
    answered, highest = sorted(commands, key=lambda one: one[1], reverse=True), 0
    for sent_at, _, version, effect in sorted(commands):
        while answered and answered[-1][1] < sent_at:
            highest = max(highest, answered.pop()[2])
        if version < highest or (effect and version == highest):
            yield f"{_name(aggregate, version)} was asked for after version {highest} had been answered"


def sums_agree(evidence: Evidence) -> Iterator[str]:
    """I5: items and milestones add up to the same, by measure, in the views and in the state that commands left."""
    for key in sorted(evidence.decided.keys() | evidence.shown.keys()):
        decided, shown = evidence.decided.get(key), evidence.shown.get(key)
        if decided != shown:
            yield f"{'/'.join(key)} is {decided} and the views show {shown}"


def rebuilt_views_are_the_same(evidence: Evidence) -> Iterator[str]:
    """I6: the topics, replayed into an empty database by the same code, make the same tables."""
    for table in sorted(evidence.live.keys() | evidence.rebuilt.keys()):
        live, rebuilt = set(evidence.live.get(table, ())), set(evidence.rebuilt.get(table, ()))
        if live != rebuilt or len(evidence.live[table]) != len(evidence.rebuilt[table]):
            yield (
                f"{table} has {len(evidence.live.get(table, ()))} rows and a rebuilt one "
                f"{len(evidence.rebuilt.get(table, ()))}; they differ in {_some(live ^ rebuilt)}"
            )


def keys_take_effect_once(evidence: Evidence) -> Iterator[str]:
    """I7: a command that is repeated with its key has one effect and is told the same every time.

    Each command of the load makes one event at most. None is refused that took effect.
    """
    for key, attempts in evidence.history.by_key().items():
        about = f"{attempts[0].action} of {attempts[0].client}"
        effects = [event.version for event in evidence.of_key.get(key, ())]
        replies = [one.outcome for one in attempts if isinstance(one.outcome, Accepted)]
        if len(effects) > 1:
            yield f"{about} took effect {len(effects)} times, as versions {effects}"
        if len({(reply.status, reply.reply) for reply in replies}) > 1:
            yield f"{about} was told versions {[reply.version for reply in replies]}, and not the same each time"
        if effects and replies and effects[0] != replies[0].version:
            yield f"{about} took effect as version {effects[0]} and was told version {replies[0].version}"
        refusals = [one.outcome for one in attempts if isinstance(one.outcome, Refused)]
        if effects and refusals:
            yield f"{about} took effect as version {effects[0]} and was refused: {refusals[0].code}"


def reads_never_go_back(evidence: Evidence) -> Iterator[str]:
    """I9: a read with ``min_position`` shows at least that version, and no client sees less than it saw before.

    No command of the load takes a milestone out of the denominators. Where a fault has set the projection's own
    offsets back, what the readers are told of them is not held against it.
    """
    offsets: dict[tuple[UUID, int], tuple[str, int]] = {}
    for aggregate, told in evidence.told_of.items():
        for version, record in told:
            offsets.setdefault((aggregate, version), (f"{record.place[0]}-{record.place[1]}", record.place[2]))
    before: dict[tuple[str, str], Seen] = {}
    for operation in evidence.history.of(Kind.READ):
        if not isinstance(seen := operation.outcome, Seen):
            continue
        last = before.get((operation.client, operation.action))
        before[operation.client, operation.action] = seen
        if last and seen.milestones < last.milestones:
            yield f"{operation.client} saw {last.milestones} milestones and then {seen.milestones}"
        if not evidence.moved_back and seen.position:
            yield from _too_old(operation, seen, last, offsets)


def _too_old(
    operation: Operation, seen: Seen, last: Seen | None, offsets: Mapping[tuple[UUID, int], tuple[str, int]]
) -> Iterator[str]:
    for partition, offset in last.position.items() if last else ():
        if seen.position.get(partition, 0) < offset:
            yield f"{operation.client} read {partition} up to {offset} and then {seen.position.get(partition, 0)}"
    if operation.min_position:
        aggregate, _, version = operation.min_position.partition("@")
        partition, offset = offsets.get((UUID(aggregate), int(version)), ("", -1))
        if partition and seen.position.get(partition, 0) <= offset:
            yield f"{operation.client} asked for {operation.min_position} and got a view without it"


def streams_have_no_gap(evidence: Evidence) -> Iterator[str]:
    """I10: a reader of the stream is told of every change between the first and the last that it hears of.

    However often it was cut off in between; a ``reset`` is a word for a gap, after which it begins anew.
    """
    readers = {one.client for one in evidence.history.of(Kind.STREAM) if isinstance(one.outcome, Streamed)}
    for reader in sorted(readers):
        heard, began, newest = set[str](), None, 0
        for frame in evidence.history.frames(reader):
            number = int(frame.id.partition(".")[2] or 0)
            if frame.event in {"hello", "reset"} and (began is None or frame.event == "reset"):
                began, newest = number, number
                heard.clear()
            heard.update(frame.positions)
            newest = max(newest, number)
        if began is None:
            yield f"{reader} was never greeted"
            continue
        for number, positions in evidence.feed:
            if began < number <= newest and (missing := set(positions) - heard):
                yield f"{reader} was never told of change {number}: {_some(missing)}"


def chains_hold(evidence: Evidence) -> Iterator[str]:
    """I11: the hash chain of every aggregate verifies, as it is stored and as a reader of the topic alone finds it."""
    stored: dict[UUID, list[Committed]] = {}
    for event in evidence.events:
        stored.setdefault(event.aggregate, []).append(event)
    for aggregate, events in stored.items():
        in_order = sorted(events, key=lambda event: event.version)
        if broken := first_break((event.headers, event.payload) for event in in_order):
            yield f"{aggregate} as it is stored: {broken}"
    for aggregate, told in evidence.told_of.items():
        first: dict[int, Told] = {}
        for version, record in told:
            first.setdefault(version, record)
        if broken := first_break((record.headers, record.payload or b"") for _, record in sorted(first.items())):
            yield f"{aggregate} in the topic: {broken}"


INVARIANTS: Final[dict[str, Invariant]] = {
    "I1": accepted_is_published_and_shown,
    "I2": published_is_committed,
    "I3": versions_have_no_gap,
    "I4": versions_follow_time,
    "I5": sums_agree,
    "I6": rebuilt_views_are_the_same,
    "I7": keys_take_effect_once,
    "I9": reads_never_go_back,
    "I10": streams_have_no_gap,
    "I11": chains_hold,
}
"""I8 comes with seats. I12, healthy again without a hand and in time, is for whoever holds the watch: the runner."""


def check(evidence: Evidence) -> dict[str, list[str]]:
    """All that is wrong, by invariant; an empty list where one holds."""
    return {name: list(invariant(evidence)) for name, invariant in INVARIANTS.items()}


# ── how things are named ─────────────────────────────────────────────────────────────────────────────────────────────


def _place(reply: Accepted) -> tuple[UUID, int]:
    return reply.aggregate, reply.version


def _name(aggregate: UUID, version: int) -> str:
    return f"{aggregate}@{version}"


def _at(place: tuple[str, int, int]) -> str:
    return f"{place[0]}[{place[1]}]@{place[2]}"


def _counted(versions: Sequence[int]) -> str:
    shown = ", ".join(map(str, versions[:12]))
    return f"versions {shown}{', …' if len(versions) > 12 else ''}"


def _some(found: set[str] | set[tuple[str, ...]]) -> str:
    return "; ".join(map(str, sorted(found)[:2])) + ("; …" if len(found) > 2 else "")
