"""Who is offered what, asked of every state of a noun, every role and every unit: exactly what would not be refused."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import Any, Final, Generic, TypeVar
from unittest.mock import Mock

import orjson

from builders import UNITS, call_of
from common.call import Call
from common.decision import Change, Refused, Unit
from common.roles import NOT_PERMITTED, ROLES, Permissions
from common.showing import Aggregate
from common.store import Aggregates
from routes import app_of, commands

State = TypeVar("State", bound=Aggregate)
OPEN, NOTHING_NEW = "open", "nothing new"


@dataclass(frozen=True)
class Noun(Generic[State]):
    """What the walk needs to know of a noun."""

    store: Aggregates[State]
    commands: Mapping[str, str]
    """Every command by its path below a thing's address, with the permission that its route needs."""
    states: Mapping[str, State]
    """Things in all states in which other steps begin, by what tells them apart."""
    take: Callable[[State, str, Unit], Change[State]]
    """The decision behind a path, by a unit, with words and on a day that are lawful."""


@dataclass(frozen=True)
class Wrong:
    """A command of which more or less is offered than the decision bears out."""

    state: str
    role: str
    unit: str
    path: str
    offered: str | None
    decided: str


Steps = Mapping[str, Callable[..., Change[Any]]]
"""The decision behind each path: it is given the thing, ``by`` and ``on``."""
ON: Final = date(2026, 7, 1)
"""The day on which all steps are taken: after all that was done to a thing before."""


def noun_of(
    service: str, store: Aggregates[Any], states: Mapping[str, Any], steps: Steps, **values: tuple[str, ...]
) -> Noun[Any]:
    """A noun whose decisions are told by their paths; ``values`` is what stands for a parameter in a path."""

    def take(thing: Any, path: str, by: Unit) -> Change[Any]:
        return steps[path](thing, by=by, on=ON)

    return Noun(store, commands(app_of(service), store.at, values), states, take)


def wrongs(noun: Noun[Any], *, roles: Iterable[str] = ROLES, offered_by: Permissions | None = None) -> Iterator[Wrong]:
    """All that is wrong with what a noun offers to these roles.

    :param offered_by: permissions by which it is offered, if not by those that decide.
    """
    for (name, state), role, unit in product(noun.states.items(), roles, UNITS):
        call = call_of(Mock(), role=role, unit=unit)
        offers = _offers(noun, state, replace(call, permissions=offered_by or call.permissions))
        begun = {path for _, path, _ in state.steps(UNITS[unit])} if _sees(noun, state, call) else set()
        for path in {*noun.commands, *offers}:
            offered, decided = offers.get(path), _decided(noun, state, path, call)
            if decided != offered if path in offers or path in begun else decided == OPEN:
                yield Wrong(name, role, unit, path, offered, decided)


def _offers(noun: Noun[Any], state: Any, call: Call) -> dict[str, str]:
    """The steps that a read shows: those that are allowed as ``OPEN``, the others with the code against them."""
    if not _sees(noun, state, call):
        return {}
    seen: Any = orjson.loads(noun.store.seen(call, state))
    return dict.fromkeys(seen["allowed_actions"], OPEN) | {step["action"]: step["code"] for step in seen["blocked"]}


def _sees(noun: Noun[Any], state: Any, call: Call) -> bool:
    return noun.store.to_see in noun.store.permitted(call, state)


def _decided(noun: Noun[Any], state: Any, path: str, call: Call) -> str:
    """What becomes of a command: the code that it is refused with, ``OPEN`` if it changes something."""
    if not _sees(noun, state, call):
        return noun.store.absent.code
    if path not in noun.commands:
        return "no such command"
    if noun.commands[path] not in noun.store.permitted(call, state):
        return NOT_PERMITTED.code
    try:
        return OPEN if noun.take(state, path, call.unit).events else NOTHING_NEW
    except Refused as refused:
        return refused.refusal.code
