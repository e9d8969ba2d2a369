"""How a state is shown to a caller: its own fields, what may be done next, and what stands in the way of the rest.

Both lists come from the steps that the state itself names, by the rules that decide: what is offered is not refused
for the state that it is in, for a want of permission or of independence.
"""

from collections.abc import Callable, Collection, Hashable
from datetime import date
from typing import Any, Final, Protocol, get_type_hints
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from common.decision import Steps, Unit
from common.roles import NOT_PERMITTED


class Aggregate(Protocol):
    """What is asked of a state: its id, the name of its state, and which commands begin in it."""

    @property
    def id(self) -> UUID:
        """UUIDv7, the Kafka key of the aggregate's events."""

    @property
    def version(self) -> int:
        """How many events it has had; 0 before the first."""

    @property
    def state(self) -> str:
        """The name of the state it is in."""

    def steps(self, by: Unit | None) -> Steps:
        """The steps that begin in this state, each with what speaks against it if this unit takes it."""


class Blocked(BaseModel):
    """A step that begins in this state and is not open to this caller, with the code that it would be refused with."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    action: str = Field(examples=["close"])
    """Its path, relative to the aggregate's address."""
    code: str = Field(examples=["item.open-milestones"])
    """The first reason against it, as a refusal of it would name it."""


def allowed(state: Aggregate, by: Unit | None, permitted: frozenset[str]) -> tuple[str, ...]:
    """The paths of the steps that may be taken now by who acts for this unit and is permitted that much over it."""
    return tuple(path for permission, path, refused in state.steps(by) if refused is None and permission in permitted)


def offers(state: Aggregate, by: Unit | None, permitted: frozenset[str]) -> dict[str, list[Any]]:
    """What ``allowed`` tells, and what is ``Blocked`` of the other steps that begin in this state, both asked at once.

    A want of permission is told before what else speaks against a step.
    """
    opened: list[str] = []
    blocked: list[dict[str, str]] = []  # as ``Blocked`` says
    for permission, path, refused in state.steps(by):
        if permission not in permitted:
            blocked.append({"action": path, "code": NOT_PERMITTED.code})
        elif refused is not None:
            blocked.append({"action": path, "code": refused.refusal.code})
        else:
            opened.append(path)
    return {"allowed_actions": opened, "blocked": blocked}


def read_model(state: type[Any]) -> type[BaseModel]:
    """The model of a state as it is read: its own fields, what the caller may do next, and what is blocked.

    What follows of it from the day on which it is read, such as that it is late, is never stored: a state that has
    such things tells them by a method ``as_of`` of the day, which returns a dataclass of them.
    """
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(state).items()}
    if as_of := getattr(state, "as_of", None):
        following = get_type_hints(get_type_hints(as_of)["return"])
        if twice := fields.keys() & following.keys():
            raise TypeError(f"{state.__name__} stores what follows from the day: {sorted(twice)}")
        fields |= {name: (hint, ...) for name, hint in following.items()}
    offered: dict[str, Any] = {"allowed_actions": (tuple[str, ...], ...), "blocked": (tuple[Blocked, ...], ...)}
    return create_model(f"{state.__name__}Read", **fields, **offered)


class Showing:
    """Makes the JSON that ``read_model`` describes of a state, without making the model.

    :param state: the type of the states; what each field becomes follows from the field's own type.
    """

    def __init__(self, state: type[Any]) -> None:
        self.model = read_model(state)
        self._own = TypeAdapter(state).serializer.to_json
        as_of = getattr(state, "as_of", None)
        self._as_of = TypeAdapter(get_type_hints(as_of)["return"]).serializer.to_json if as_of else None

    def seen(self, state: Any, by: Unit | None, permitted: frozenset[str], today: date) -> bytes:
        """A state as it is shown that day to who acts for this unit and is permitted that much over it."""
        parts = [self._own(state), orjson.dumps(offers(state, by, permitted))]
        if self._as_of:
            parts.insert(1, self._as_of(state.as_of(today)))
        return b"{%b}" % b",".join(part[1:-1] for part in parts)


KEPT: Final = 4096
"""How many shown rows a process remembers of each kind: some 10 MB, and all items of a plan for forty callers."""


class Shown:
    """Remembers what was shown of rows and to whom: a second look at what has not changed costs next to nothing.

    Nothing that is told here is ever out of date: a row's hash changes with each event of its aggregate, and what is
    read beside the row is compared as it was read.

    :param beside: the columns that hold what is read beside the row.
    """

    def __init__(self, beside: Collection[str]) -> None:
        self._told = ("id", "hash", *beside)
        self._kept: dict[Hashable, bytes] = {}

    def of(self, record: asyncpg.Record, viewer: Hashable, show: Callable[[], bytes]) -> bytes:
        """What ``show`` makes of the row.

        :param viewer: all on which that depends beside the row.
        """
        looked_at = (viewer, *[record[name] for name in self._told])
        if (shown := self._kept.get(looked_at)) is None:
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]  # the oldest
            shown = self._kept[looked_at] = show()
        return shown
