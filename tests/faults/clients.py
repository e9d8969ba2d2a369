"""Clients who share items: they command, retry what they were not told with the same key, read, and keep a record."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from faults.commands import Doing, Intent
from faults.connections import CUT, REQUEST_SECONDS_MAX, Connections, said
from faults.history import Accepted, HarnessError, History, Kind, Operation, Outcome, Refused, Seen, Unknown
from faults.stack import JUDGE, OFFICE, PLAN, REPORTER, FaultStack, ItemUnderTest

PATIENCE_SECONDS = 30.0
"""How long after the load has ended a client still asks what became of its last command."""


@dataclass(frozen=True)
class Rate:
    """How much load there is."""

    clients: int = 8
    per_second: float = 80
    """Commands of all clients together, if the service keeps pace."""
    reads: float = 0.15
    """The share of turns in which a client reads what it has just done instead of doing more."""
    minimum: int = 200
    """With fewer accepted commands the run proves nothing."""


@dataclass
class Load:
    """The clients of one run and the record of all that they did."""

    stack: FaultStack
    seed: int
    rate: Rate
    history: History
    accepted: int = 0
    """How many commands were accepted so far."""
    ended_at: float | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history.minimum = self.rate.minimum
        self._connections = [Connections() for _ in range(self.rate.clients)]
        self._tokens = {who: self.stack.keys.token_for(*who) for who in (OFFICE, REPORTER, JUDGE)}

    @property
    def going(self) -> bool:
        """Whether clients begin anything new."""
        return self.ended_at is None

    async def after(self, more: int, *, seconds: float = 60) -> None:
        """Return when this many more commands were accepted.

        :raises HarnessError: they were not within ``seconds``, or a client failed.
        """
        wanted, deadline = self.accepted + more, time.monotonic() + seconds
        while self.accepted < wanted:
            if broken := [task for task in self.tasks if task.done()]:
                raise HarnessError(f"a client failed: {broken[0].exception()!r}")
            if time.monotonic() > deadline:
                raise HarnessError(
                    f"{seconds:.0f} s went by and {wanted - self.accepted} of {more} commands are missing"
                )
            await asyncio.sleep(0.02)

    def last_accepted(self) -> dict[UUID, int]:
        """The highest version of each aggregate that any client was told so far."""
        told: dict[UUID, int] = {}
        for _, reply in self.history.accepted():
            told[reply.aggregate] = max(told.get(reply.aggregate, 0), reply.version)
        return told

    async def client(self, number: int) -> None:
        """One client until the load ends: its own seed, its own pace, one thing after another."""
        random = Random(f"{self.seed}-{number}")
        doing, last, due = Doing(number, random, self.stack.items), None, time.monotonic()
        while self.going:
            if last and random.random() < self.rate.reads:
                await self._read(number, *last)
            else:
                intent = doing.next()
                outcome = await self._until_answered(number, intent, random)
                if isinstance(outcome, Accepted):
                    doing.accepted(intent)
                    last = (intent.item, outcome.position)
                elif self.going:
                    await self._look_again(number, doing, intent.item)
            # A client that was held up goes on at its pace: what it has not done in time it does not catch up with.
            due = max(due + random.uniform(0.5, 1.5) * self.rate.clients / self.rate.per_second, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def _until_answered(self, number: int, intent: Intent, random: Random) -> Outcome:
        """Give a command, again and again with the same key until an answer comes or patience ends."""
        key, attempt = f"{random.getrandbits(128):032x}", 0
        while True:
            attempt += 1
            door = random.choice(self.stack.all("measures", "api")).url
            sent_at = time.monotonic()
            outcome = await self._post(self._connections[number], door, intent, key)
            self.history.add(
                Operation(
                    client=f"client-{number}",
                    kind=Kind.COMMAND,
                    action=intent.action,
                    sent_at=sent_at,
                    done_at=time.monotonic(),
                    outcome=outcome,
                    aggregate=intent.item.id,
                    key=key,
                    body=intent.body,
                    attempt=attempt,
                )
            )
            if not isinstance(outcome, Unknown):
                self.accepted += isinstance(outcome, Accepted)
                return outcome
            if self.ended_at is not None and time.monotonic() > self.ended_at + PATIENCE_SECONDS:
                return outcome
            await asyncio.sleep(random.uniform(0.05, 0.2) * min(attempt, 5))

    async def _post(self, connections: Connections, door: str, intent: Intent, key: str) -> Outcome:
        headers = {
            "authorization": f"Bearer {self._tokens[intent.who]}",
            "idempotency-key": key,
            "x-request-id": key,  # events keep it: what a key has brought about can be counted
        }
        try:
            reply = await connections.post(door, intent.path, headers, intent.body)
            return outcome_of(reply.status, reply.body)
        except CUT as error:
            return Unknown(repr(error))

    async def _read(self, number: int, item: ItemUnderTest, position: str) -> None:
        """Read the view that the item counts in, not older than what this client has just been told."""
        door = self.stack.the("events", "api").url
        asked = {"plan": PLAN, "min_position": position}
        await self._get(number, door, f"/api/v1/progress/measures/{item.measure}", asked, item, position)

    async def _look_again(self, number: int, doing: Doing, item: ItemUnderTest) -> None:
        """A refusal says that the client believed something else than what is: look."""
        door = self.stack.the("measures", "api").url
        shown = await self._get(number, door, f"/api/v1/items/{item.id}", {}, item, None)
        if shown is not None:
            doing.told(item, shown)

    async def _get(
        self, number: int, door: str, path: str, asked: Mapping[str, str], item: ItemUnderTest, position: str | None
    ) -> dict[str, Any] | None:
        sent_at, shown = time.monotonic(), None
        headers = {"authorization": f"Bearer {self._tokens[OFFICE]}"}
        try:
            reply = await self._connections[number].get(door, path, headers, asked)
            outcome: Outcome = _seen(reply.body) if reply.status == 200 else outcome_of(reply.status, reply.body)
            shown = said(reply.body) if reply.status == 200 else None
        except CUT as error:
            outcome = Unknown(repr(error))
        self.history.add(
            Operation(
                client=f"client-{number}",
                kind=Kind.READ,
                action=path,
                sent_at=sent_at,
                done_at=time.monotonic(),
                outcome=outcome,
                aggregate=item.id,
                min_position=position,
            )
        )
        return shown

    def close(self) -> None:
        """Let the connections go."""
        for connections in self._connections:
            connections.close()


def outcome_of(status: int, body: bytes) -> Outcome:
    """What a reply to a command says for certain."""
    told = said(body)
    if status in {200, 201}:
        return Accepted(status, body, UUID(told["id"]), int(told["version"]))
    code = str(told.get("code") or f"no problem: {body[:80]!r}")
    return Unknown(code, status) if status >= 500 or status == 429 else Refused(status, code)


def _seen(body: bytes) -> Seen:
    """What a read showed: of a view, how many milestones count and how far it was read; of an item, its milestones."""
    told = said(body)
    if "measure" in told and "stamp" in told:
        counted = int(told["measure"]["milestones"]["counted"])
        return Seen(body, counted, {name: int(n) for name, n in told["stamp"]["position"].items()})
    return Seen(body, len(told["milestones"]), {})


@asynccontextmanager
async def loaded(stack: FaultStack, seed: int, rate: Rate, history: History) -> AsyncIterator[Load]:
    """Load for as long as the block runs; afterwards every client has its answer or has given up.

    :raises HarnessError: a client failed, which says nothing about the stack.
    """
    load = Load(stack, seed, rate, history)
    load.tasks = [asyncio.create_task(load.client(number)) for number in range(rate.clients)]
    try:
        yield load
        load.ended_at = time.monotonic()
        await asyncio.wait(load.tasks, timeout=PATIENCE_SECONDS + REQUEST_SECONDS_MAX + 2)
        for client in load.tasks:
            if not client.done():
                raise HarnessError("a client did not come to its end")
            if error := client.exception():
                raise HarnessError(f"a client failed: {error!r}") from error
    finally:
        for client in load.tasks:
            client.cancel()
        load.close()
