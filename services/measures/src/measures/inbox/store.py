"""What waits for a caller, oldest due first: looked for along indexes, shown where its own rules offer a step."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from common.call import Call
from common.roles import Scope
from common.showing import allowed
from measures.asking import Asking
from measures.inbox import waiting
from measures.inbox.waiting import Candidates, Noun, Waiting

LOOKED_AT_MAX: Final = 100
"""How many candidates of each kind are looked at for a page."""


class Place(NamedTuple):
    """Where an entry stands in the list: by the day on which it is due, or else began to wait; then by age."""

    day: date
    id: UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that waits for the caller."""

    place: Place
    noun: Noun
    id: UUID
    code: str | None
    title_zh: str
    title_en: str
    waits: tuple[str, ...]
    since: date
    due_on: date | None
    link: str


async def waiting_for(call: Call, *, after: Place | None, limit: int) -> tuple[list[Entry], Place | None]:
    """At most ``limit`` entries in order, and where the next page begins, None at the end.

    Of each kind a bounded number of candidates is looked at: so there may be fewer entries, and others after them.
    """
    found: dict[UUID, Entry] = {}
    looked_to: list[Place] = []
    for kind in waiting.WAITING:
        for candidates in kind.candidates:
            states = await _candidates(call, kind, candidates, after)
            if len(states) == LOOKED_AT_MAX:
                looked_to.append(_place(kind, states[-1]))
            found |= {entry.id: entry for entry in _entries(call, kind, states)}
    until = min(looked_to, default=None)
    shown = sorted(
        (entry for entry in found.values() if until is None or entry.place <= until), key=lambda entry: entry.place
    )
    return shown[:limit], shown[limit - 1].place if len(shown) > limit else until


async def _candidates(call: Call, kind: Waiting, candidates: Candidates, after: Place | None) -> list[Any]:
    if call.permissions.reach.keys().isdisjoint(candidates.permissions):
        return []
    scope = _scope(call, candidates)
    asking = Asking()
    asking.where(candidates.condition)
    if not scope.everything:
        if not (scope.units or scope.leads):
            return []
        asking.where(*candidates.whose(scope))
    if after is not None:
        asking.where(f"({kind.day}, id) > ({{}}, {{}})", after.day, after.id)
    rows = await call.service.pool.fetch(
        f"SELECT {kind.store.selection} FROM {kind.store.codec.table.name} found "  # noqa: S608 - our own words
        f"WHERE {asking} ORDER BY {kind.day}, id LIMIT {LOOKED_AT_MAX:d}",
        *asking.parameters,
    )
    return [kind.store.codec.state_of(row) for row in rows]


def _scope(call: Call, candidates: Candidates) -> Scope:
    """Over whose things one of the permissions is held."""
    scopes = [call.permissions.scope(one, call.caller_unit) for one in candidates.permissions]
    own = {call.caller_unit.id} if call.caller_unit and candidates.judged else set[UUID]()
    return Scope(
        everything=any(scope.everything for scope in scopes),
        units=tuple({unit for scope in scopes for unit in scope.units} - own),
        leads=tuple({unit for scope in scopes for unit in scope.leads}),
    )


def _place(kind: Waiting, state: Any) -> Place:
    return Place(getattr(state, kind.day), state.id)


def _entries(call: Call, kind: Waiting, states: list[Any]) -> Iterator[Entry]:
    """Of these only what the caller may know of and take one of the expected steps with, by the rules that decide."""
    for state in states:
        permitted = kind.store.permitted(call, state)
        if kind.store.to_see not in permitted:
            continue
        if waits := allowed(state, call.caller_unit, permitted & kind.steps):
            yield Entry(
                place=_place(kind, state),
                noun=kind.noun,
                id=state.id,
                **asdict(kind.told(state, waits)),
                waits=waits,
                link=f"{kind.store.at}/{state.id}",
            )
