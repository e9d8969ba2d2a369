"""Each invariant holds of a sound run and fails on doctored evidence: a checker that cannot fail proves nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders import circumstances, wire
from common.cloudevents import GENESIS
from common.contracts.measures import PlanAdopted
from faults.evidence import Committed, Evidence, Figures, Told
from faults.history import Accepted, Frame, History, Kind, Operation, Outcome, Refused, Seen, Streamed, Unknown
from faults.invariants import INVARIANTS, check

PLAN = UUID("01990000-0000-7000-8000-000000000001")
TOPIC = "told"


def event(version: int, previous: bytes = GENESIS) -> Committed:
    """The event that command ``k<version>`` has brought about."""
    about = circumstances("plan", PLAN, version)
    adopted = PlanAdopted(plan=PLAN, issuer="x", document_number=str(version), adopted_on=date(2021, 2, 1))
    headers, payload = wire(adopted, about, previous)
    told = {name: text.decode() for name, text in headers}
    return Committed(version, about.id, PLAN, version, told, payload, f"k{version}")


def told(events: list[Committed], *order: int) -> list[Told]:
    """The records of these versions in this order."""
    return [
        Told((TOPIC, 0, offset), events[version - 1].headers, events[version - 1].payload)
        for offset, version in enumerate(order)
    ]


def command(key: str, sent_at: float, outcome: Outcome, **about: Any) -> Operation:
    """An attempt that took half a second."""
    return Operation("client-1", Kind.COMMAND, "adopt", sent_at, sent_at + 0.5, outcome, PLAN, key, **about)


def accepted(version: int) -> Accepted:
    """What the command that made a version is told."""
    return Accepted(200, b"version %d" % version, PLAN, version)


def looked(sent_at: float, milestones: int, offset: int, min_position: str | None = None) -> Operation:
    """A read of the view."""
    seen = Seen(b"", milestones, {f"{TOPIC}-0": offset})
    return Operation("client-1", Kind.READ, "/measure", sent_at, sent_at + 0.1, seen, min_position=min_position)


def streamed(*frames: tuple[int, str, tuple[str, ...]]) -> Operation:
    """A reader's one connection."""
    heard = tuple(Frame(f"1.{number}", kind, positions, 0) for number, kind, positions in frames)
    return Operation("reader-1", Kind.STREAM, "/stream", 0, 9, Streamed(None, heard, "closed"))


def sound() -> Evidence:
    """Three commands one after another, the second told only when it was repeated; all is as it should be."""
    events: list[Committed] = []
    for version in (1, 2, 3):
        previous = bytes.fromhex(events[-1].headers["ce_hash"]) if events else GENESIS
        events.append(event(version, previous))
    history = History(1)
    for operation in (
        command("k1", 1, accepted(1)),
        command("k2", 2, Unknown("cut")),
        command("k2", 3, accepted(2), attempt=2),
        looked(4, 1, 2, f"{PLAN}@2"),
        command("k3", 5, Unknown("cut")),
        looked(6, 2, 3),
        streamed((0, "hello", ()), (1, "measure", (f"{PLAN}@1",)), (3, "measure", (f"{PLAN}@2", f"{PLAN}@3"))),
    ):
        history.add(operation)
    figures = {("P", "A1"): Figures(1, 2, 1, 0)}
    return Evidence(
        history=history,
        events=events,
        versions={PLAN: 3},
        records=told(events, 1, 2, 1, 2, 3),
        applied={PLAN: 3},
        decided=figures,
        shown=dict(figures),
        live={"item": [("1", "draft")]},
        rebuilt={"item": [("1", "draft")]},
        feed=[(1, (f"{PLAN}@1",)), (2, (f"{PLAN}@2",)), (3, (f"{PLAN}@3",))],
    )


def violated(evidence: Evidence) -> set[str]:
    """The invariants that do not hold."""
    return {name for name, found in check(evidence).items() if found}


def test_a_sound_run_violates_nothing() -> None:
    assert check(sound()) == {name: [] for name in INVARIANTS}


def also(evidence: Evidence, *operations: Operation) -> Evidence:
    """The same with more in its history."""
    history = History(1, [*evidence.history.operations, *operations])
    return replace(evidence, history=history)


def published(*order: int) -> Callable[[Evidence], Evidence]:
    """The same with these versions in the topic, in this order."""
    return lambda evidence: replace(evidence, records=told(list(evidence.events), *order))


def altered(evidence: Evidence, **changed: Any) -> Evidence:
    """The same with the second committed event changed."""
    events = list(evidence.events)
    events[1] = replace(events[1], **changed)
    return replace(evidence, events=events)


def poisoned(evidence: Evidence, **changed: Any) -> Evidence:
    """The same with a record that a fault put there."""
    poison = Told((TOPIC, 0, 9), {"kegai-injected": "poison"}, b"{")
    return replace(evidence, records=[*evidence.records, poison], **changed)


DOCTORED: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "an accepted command is stored nowhere": ("I1", lambda e: also(e, command("k9", 9, accepted(9)))),
    "a committed event is not in the topic": ("I1", published(1, 2)),
    "a committed event is not in the views": ("I1", lambda e: replace(e, applied={PLAN: 2})),
    "an event waits for ever": ("I1", lambda e: replace(e, waiting=[3])),
    "something is parked that is no poison": ("I1", lambda e: replace(e, parked=[(TOPIC, 0, 4)])),
    "poison was dropped instead of parked": ("I1", poisoned),
    "a record belongs to no event": ("I2", lambda e: replace(e, events=e.events[:2])),
    "a record is not what was committed": ("I2", lambda e: altered(e, payload=b"{}")),
    "a command of unknown outcome took effect twice": ("I2", lambda e: altered(e, key="k3")),
    "a version is missing": ("I3", published(1, 3)),
    "a version is there twice": ("I3", lambda e: altered(e, version=3)),
    "a version comes for the first time behind a later one": ("I3", published(1, 3, 2, 3)),
    "a refilled topic still lacks a version": ("I3", lambda e: replace(published(2, 3)(e), refilled=True)),
    "a version is two events": (
        "I3",
        lambda e: replace(
            e, records=[*e.records, Told((TOPIC, 0, 7), {**e.records[4].headers, "ce_id": "other"}, b"")]
        ),
    ),
    "a later command has the lower version": ("I4", lambda e: also(e, command("k0", 9, accepted(1)))),
    "something old stands behind something new": ("I4", published(1, 2, 3, 1)),
    "a window is half repeated": ("I4", published(1, 2, 3, 1, 2)),
    "the views show other sums": ("I5", lambda e: replace(e, shown={("P", "A1"): Figures(1, 1, 1, 0)})),
    "the views show nothing": ("I5", lambda e: replace(e, shown={})),
    "the rebuilt view has another row": ("I6", lambda e: replace(e, rebuilt={"item": [("1", "assigned")]})),
    "the live view has a row twice": ("I6", lambda e: replace(e, live={"item": [("1", "draft")] * 2})),
    "a repeated command took effect twice": ("I7", lambda e: altered(e, key="k1")),
    "a repeat was told something else": ("I7", lambda e: also(e, command("k1", 9, accepted(3), attempt=2))),
    "what took effect was refused": ("I7", lambda e: also(e, command("k3", 9, Refused(409, "code-taken"), attempt=2))),
    "a client was told another version than it made": (
        "I7",
        lambda e: replace(e, events=[replace(e.events[0], key="k2"), replace(e.events[1], key="k1"), e.events[2]]),
    ),
    "a view without what was asked for": ("I9", lambda e: also(e, looked(9, 2, 2, f"{PLAN}@3"))),
    "a view that goes back": ("I9", lambda e: also(e, looked(9, 2, 2))),
    "milestones that are gone again": ("I9", lambda e: also(e, looked(9, 1, 3))),
    "a reader is never told of a change": (
        "I10",
        lambda e: replace(e, feed=[*e.feed[:2], (3, (f"{PLAN}@3", f"{uuid4()}@1"))]),
    ),
    "a reader was never greeted": ("I10", lambda e: replace(e, history=History(1, [streamed()]))),
    "a stored event was altered": ("I11", lambda e: altered(e, payload=b"{}")),
    "a record names another predecessor": (
        "I11",
        lambda e: replace(e, records=[replace(e.records[0], headers={**e.records[0].headers, "ce_prevhash": "00"})]),
    ),
}


@pytest.mark.parametrize("case", DOCTORED)
def test_doctored_evidence_is_caught(case: str) -> None:
    invariant, doctor = DOCTORED[case]
    assert invariant in violated(doctor(sound()))


def test_every_invariant_was_seen_to_fail() -> None:
    assert {invariant for invariant, _ in DOCTORED.values()} == set(INVARIANTS)


LAWFUL: dict[str, Callable[[Evidence], Evidence]] = {
    "a relay that begins again repeats all that it may have published": published(1, 2, 3, 1, 2, 3),
    "every record three times": published(1, 2, 3, 1, 2, 3, 1, 2, 3),
    "poison is parked": lambda e: poisoned(e, parked=[(TOPIC, 0, 9)]),
    "a reset begins anew": lambda e: replace(
        e, history=History(1, [streamed((0, "hello", ()), (2, "reset", ()), (3, "measure", (f"{PLAN}@3",)))])
    ),
    "a refilled topic gives each version its turn": lambda e: replace(published(2, 3, 1, 2, 3)(e), refilled=True),
    "offsets that a fault set back": lambda e: replace(also(e, looked(9, 2, 0)), moved_back=True),
    "a command that found all done has the version that was there": lambda e: also(e, command("k9", 9, accepted(3))),
}


@pytest.mark.parametrize("case", LAWFUL)
def test_what_is_lawful_violates_nothing(case: str) -> None:
    assert violated(LAWFUL[case](sound())) == set()
