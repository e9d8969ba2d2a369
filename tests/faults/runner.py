"""One fault from beginning to end: it is proved to have happened, and what must hold is asked when all is quiet."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg

from events.tables import PROJECTION
from eventually import eventually
from faults import evidence, invariants
from faults.clients import loaded
from faults.fault import Fault
from faults.history import HarnessError, History
from faults.pauses import Pauses, pauses_of
from faults.readers import Reader, reading
from faults.recovery import recovery
from faults.servers import PARTITIONS, FaultServers
from faults.stack import TOPIC, FaultStack, fault_stack

QUIET_SECONDS_MAX = 60.0
AFTERWARDS = 20
"""How many more commands than the minimum are accepted before the load ends."""
READERS = 2
Say = Callable[[str], None]


@dataclass
class Result:
    """What a fault did to the stack."""

    fault: str
    seed: int
    operations: int = 0
    violations: dict[str, list[str]] = field(default_factory=dict)
    """By invariant; an empty list where it held."""
    recovered_s: float | None = None
    """From the healing until old and new commands were in the view; None if they never were."""
    pauses: Pauses | None = None
    proves_nothing: str = ""
    """Why, if the run failed in itself."""

    def blame(self, invariant: str, found: Sequence[str]) -> None:
        """Note what violates an invariant; nothing is a finding too."""
        self.violations.setdefault(invariant, []).extend(found)

    @property
    def met(self) -> bool:
        """Whether the run proves something, and nothing was violated."""
        return not self.proves_nothing and not any(self.violations.values())

    def told(self) -> dict[str, Any]:
        """As it stands in ``faults.json``."""
        return {
            "fault": self.fault,
            "seed": self.seed,
            "operations": self.operations,
            "violations": {name: len(found) for name, found in self.violations.items()},
            "recovered_s": self.recovered_s,
            "met": self.met,
        }


async def run(
    name: str,
    fault: Fault,
    seed: int,
    servers: FaultServers,
    *,
    mutant: str | None = None,
    patience_s: float = QUIET_SECONDS_MAX,
    say: Say = print,
) -> Result:
    """Let one fault happen under load and judge what is left when it is over.

    :param patience_s: how long to wait for what may never come, which with a mutant it often does not.
    :raises HarnessError: the run proves nothing.
    """
    setup = replace(fault.setup, mutant=mutant or fault.setup.mutant)
    async with fault_stack(servers, setup) as stack:
        result, history = Result(name, seed), History()
        async with reading(stack, history, READERS) as readers:
            await _under_load(fault, stack, history, result, patience_s, say)
            result.blame("I12", await _quiet(stack, patience_s))
            result.blame("I10", await _level(stack, readers))
        history.require_enough()
        for invariant, found in invariants.check(await evidence.collect(stack, history)).items():
            result.blame(invariant, found)
    result.operations = len(history.operations)
    result.pauses = pauses_of(history)
    return result


async def _under_load(
    fault: Fault, stack: FaultStack, history: History, result: Result, patience_s: float, say: Say
) -> None:
    async with loaded(stack, result.seed, fault.rate, history) as load:
        await load.after(fault.warm_up)
        try:
            proof = await fault.inject(stack, load)
        except AssertionError as error:
            raise HarnessError(f"{result.fault}: it did not come about: {error}") from error
        if not proof:
            raise HarnessError(f"{result.fault}: nothing proves that it took effect")
        say(f"  injected: {proof}")
        if healed := await fault.heal(stack, load):
            say(f"  healed: {healed}")
        result.recovered_s = await recovery(stack, load, seconds=min(patience_s, max(30.0, 2 * fault.within_s)))
        if result.recovered_s is None or result.recovered_s > fault.within_s:
            result.blame("I12", [f"recovered after {result.recovered_s} s where {fault.within_s} s are allowed"])
        result.blame("I12", await _unwell(stack))
        await load.after(fault.rate.minimum - load.accepted + AFTERWARDS)
        if fault.check:
            result.blame("I12", await fault.check(stack, load))


async def _unwell(stack: FaultStack) -> list[str]:
    """The processes that do not say that they are ready, though nobody has stopped them."""
    asked = [one.ready() for one in stack.programs.values() if one.wanted]
    return [str(found) for found in await asyncio.gather(*asked, return_exceptions=True) if found is not None]


async def _quiet(stack: FaultStack, patience_s: float) -> list[str]:
    """Wait until nothing moves any more; what still does when patience ends."""
    measures, events = await stack.connect("measures"), await stack.connect("events")
    try:
        await eventually(lambda: _drained(measures, events), seconds=patience_s)
        drained_at = await events.fetchval("SELECT clock_timestamp()")
        await eventually(lambda: _read_to_the_end(events, drained_at), seconds=patience_s)
    except AssertionError as error:
        return [f"not quiet: {error}"]
    finally:
        await measures.close()
        await events.close()
    return []


async def _drained(measures: asyncpg.Connection, events: asyncpg.Connection) -> bool:
    """Nothing waits to be published, and the views stand where the rows stand."""
    waiting = await measures.fetchval("SELECT count(*) FROM outbox")
    rows = await measures.fetch("SELECT id, version FROM item UNION ALL SELECT id, version FROM plan")
    view = await events.fetch("SELECT aggregate_id, version FROM projection_version WHERE projection = $1", PROJECTION)
    behind = {row["id"]: row["version"] for row in rows}
    for row in view:
        if behind.get(row["aggregate_id"]) == row["version"]:
            del behind[row["aggregate_id"]]
    assert waiting == 0, f"{waiting} events wait in the outbox"
    assert not behind, f"the views of {len(behind)} aggregates differ from their rows"
    return True


async def _read_to_the_end(events: asyncpg.Connection, since: datetime) -> bool:
    """Every partition of the topic was read to its end since then, so that nothing repeated is still to come."""
    seen = await events.fetchval(
        "SELECT count(*) FROM projection_offset WHERE (projection, topic) = ($1, $2) AND caught_up_at > $3",
        PROJECTION,
        TOPIC,
        since,
    )
    assert seen == PARTITIONS, f"{seen} of {PARTITIONS} partitions were read to their end"
    return True


async def _level(stack: FaultStack, readers: Sequence[Reader]) -> list[str]:
    """Wait until every reader of the stream has the last number; who has not."""
    events = await stack.connect("events")
    try:
        last = await events.fetchval("SELECT last FROM feed_counter WHERE id = 1")
        await eventually(lambda: all(reader.number >= last for reader in readers), seconds=15)
    except AssertionError:
        return [f"{reader.name} stands at {reader.last_id} of {last}" for reader in readers if reader.number < last]
    finally:
        await events.close()
    return []
