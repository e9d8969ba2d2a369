"""Who asks, for which unit, when and by which request: what a command is given beside its own words."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import cast

import asyncpg

from common.clock import business_date
from common.database import Connection
from common.decision import EFFECTIVE_IN_FUTURE, NO_UNIT, Unit
from common.grouping import Alone, Grouping
from common.roles import Concerned, Permissions, relation


@dataclass(frozen=True, slots=True)
class Service:
    """One service as its stores see it: its name, its database and how it names things in public."""

    name: str
    pool: asyncpg.Pool
    public_url: str
    relay_slices: int = 1
    grouping: Grouping = field(init=False)
    """How its commands reach the database."""
    turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    """Who has a turn in this process; the others wait for it without a connection in their hands."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "grouping", Grouping(self.pool))

    def over(self, connection: Connection) -> "Service":
        """The same service with one connection for all that it asks, which so belongs to the transaction there."""
        alone = replace(self, pool=cast("asyncpg.Pool", connection))  # it is asked as a pool is
        object.__setattr__(alone, "grouping", Alone(connection))
        return alone


@dataclass(frozen=True, slots=True)
class Call:
    """One request by one principal; the time is taken once, so that all that it causes has the same."""

    service: Service
    principal: str
    permission: str
    """What the route needs by which the call came."""
    permissions: Permissions
    caller_unit: Unit | None
    now: datetime
    route: str
    body_hash: bytes
    key: str | None = None
    """The Idempotency-Key, if the client sent one."""
    expected_version: int | None = None
    """The version that the client has seen (If-Match), if it said so."""
    correlation: str | None = None
    causation: str | None = None
    """What made the service do it of itself; a person's request causes itself."""
    traceparent: str | None = None

    @property
    def unit(self) -> Unit:
        """The unit in whose name the caller acts.

        :raises Refused: ``caller.no-unit``.
        """
        if self.caller_unit is None:
            raise NO_UNIT()
        return self.caller_unit

    def permitted(self, concerned: Concerned) -> frozenset[str]:
        """All that the caller's roles permit over a thing of these units."""
        return self.permissions.over[relation(self.caller_unit, concerned)]

    def effective(self, on: date | None) -> date:
        """The day on which the command takes effect: as given, else today in Shanghai.

        :raises Refused: ``effective.in-future``.
        """
        today = business_date(self.now)
        if on is not None and on > today:
            raise EFFECTIVE_IN_FUTURE(pointer="/effective_on", on=on, today=today)
        return on or today
