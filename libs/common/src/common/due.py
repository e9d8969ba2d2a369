"""The worker's clock: what must happen on a day happens once, in order of days, effective then and recorded now.

Nothing is scheduled. Each kind of thing that comes due asks the database what must have happened by today and has not,
so that there is nothing to keep in step, and what an outage has left is found like anything else. Two workers may do
so at once: the second finds a thing done, or its key taken, or decides on a state in which there is nothing left to do.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from common.call import Call, Service
from common.clock import business_date, now, seconds_until_midnight
from common.database import AWAY
from common.decision import Change
from common.roles import Over, Permissions
from common.showing import Aggregate
from common.store import Aggregates
from common.telemetry import CLOCK_DONE, CLOCK_FAILURES, CLOCK_LOOKED, log

ACTOR: Final = "clock"
"""Who has done it, as its events say."""
LOOK_SECONDS: Final = 20
"""What is recorded late may be due at once: so the clock looks again within a day, too."""

State = TypeVar("State", bound=Aggregate)


@dataclass(frozen=True, slots=True)
class Due(Generic[State]):
    """One thing that must happen: on which day, to which aggregate, by which decision.

    The decision is asked about the state as it is then, and changes nothing where nothing is to be done any more.
    """

    on: date
    key: str
    """Its own idempotency key, and what its events name as their cause: the same whoever finds it, however often."""
    store: Aggregates[State]
    id: UUID
    decide: Callable[[State], Change[State]]


WhatIsDue: TypeAlias = Callable[[asyncpg.Pool, date], Awaitable[Sequence[Due[Any]]]]
"""All of one kind that must have happened by a day and has not."""


class Clock:
    """Does what has come due, for as long as it runs.

    :param kinds: what may come due, by the name under which it is counted.
    :param now: the present instant.
    """

    def __init__(self, service: Service, kinds: Mapping[str, WhatIsDue], *, now: Callable[[], datetime] = now) -> None:
        self._service = service
        self._kinds = kinds
        self._now = now
        self.beat = time.monotonic()
        """When the loop last came round: liveness looks at it."""

    async def run(self) -> NoReturn:
        """Look now, every twenty seconds and when a day begins in Shanghai."""
        while True:
            try:
                await self.catch_up()
            except Exception as error:  # noqa: BLE001 - whatever the clock meets, publication beside it goes on
                log.warning("clock.interrupted", error=repr(error))
            self.beat = time.monotonic()
            await asyncio.sleep(min(LOOK_SECONDS, seconds_until_midnight(self._now())))

    async def catch_up(self) -> None:
        """Do all that is due by today, of all kinds in one order: the earliest day first.

        Of what was found together, each is begun when the one before it is durable, so that several workers keep the
        order too. What cannot be done, or asked for, is logged, counted, and tried again at the next look.

        :raises Exception: that the database is away: all that is left waits for the next look.
        """
        today = business_date(self._now())
        found, all_done = list[tuple[Due[Any], str]](), True
        for kind, ask in self._kinds.items():
            try:
                found += [(due, kind) for due in await ask(self._service.pool, today)]
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001 - what cannot be asked for one kind does not silence the others
                CLOCK_FAILURES.labels(kind).inc()
                log.error("clock.not-asked", kind=kind, error=repr(error))
                all_done = False
        for due, kind in sorted(found, key=lambda one: (one[0].on, one[0].key)):
            self.beat = time.monotonic()
            all_done &= await self._do(due, kind)
        if all_done:
            CLOCK_LOOKED.set(self._now().timestamp())

    async def _do(self, due: Due[Any], kind: str) -> bool:
        changes: list[Change[Any]] = []

        def decide(state: Any) -> Change[Any]:
            changes.append(due.decide(state))
            return changes[-1]

        try:
            await due.store.change(self._call(due), due.id, decide)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be done stops neither the others nor the relay
            CLOCK_FAILURES.labels(kind).inc()
            log.error("clock.failed", kind=kind, key=due.key, on=due.on.isoformat(), error=repr(error))
            return False
        if changes and changes[-1].events:  # else another worker was faster, or nothing was left to do
            CLOCK_DONE.labels(kind).inc()
        return True

    def _call(self, due: Due[Any]) -> Call:
        """The service's own call: it may do this to this kind of aggregate, whosever it is, and nothing else."""
        permission = f"{due.store.of}.read"
        return Call(
            service=self._service,
            principal=ACTOR,
            permission=permission,
            permissions=Permissions.of({permission: frozenset({Over.ALL})}),
            caller_unit=None,
            now=self._now(),
            route=ACTOR,
            body_hash=hashlib.sha256(due.key.encode()).digest(),
            key=due.key,
            causation=due.key,
        )
