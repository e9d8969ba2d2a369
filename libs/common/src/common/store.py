"""Load one aggregate, let it decide, save in one statement: state, events, outbox and reply are durable together."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response
from uuid_utils.compat import uuid7

from common.call import Call
from common.clock import business_date
from common.cloudevents import GENESIS
from common.decision import Change, Kind, Refusal
from common.history import History, history_of
from common.lanes import CONTENDED, STALE, Lanes
from common.replies import KEY_KEPT_HOURS, forget_replies, told_before
from common.roles import NOBODY, Concerned, Scope
from common.rows import AggregateRow, RowCodec
from common.saving import Ground, Saving, insert_statement, slice_of, update_statement
from common.showing import Aggregate, Showing, Shown, allowed
from common.telemetry import DECIDE_SECONDS, SAVE_SECONDS
from common.telling import told_of
from common.turns import in_turn

ATTEMPTS_MAX = 5
State = TypeVar("State", bound=Aggregate)
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Loaded(Generic[State]):
    """A state as it is stored, with what the store keeps beside it."""

    state: State
    hash: bytes
    recorded_at: datetime


class Decided(BaseModel):
    """The reply to a command that was carried out, or that had been before."""

    id: UUID
    version: int = Field(examples=[8])
    position: str = Field(examples=["0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f@8"])
    """``<id>@<version>``: give it as ``min_position`` to a view, to read what this command did."""
    state: str = Field(examples=["in-progress"])
    allowed_actions: tuple[str, ...] = Field(examples=[["milestones/3/report", "report-done"]])
    """What this caller may do next, as paths relative to this aggregate's address."""


async def _nothing(_call: Call, _id: UUID) -> None:
    """Most aggregates begin by being created: without a row there is nothing."""


class Aggregates(Generic[State]):
    """All aggregates of one kind: the only way to their table for a command.

    :param of: the aggregate's type, as in ``ce_aggregatetype`` and in refusal codes.
    :param at: the path of the collection, ``/api/v1/items``.
    :param concerns: whose a state is. By it, and by what the caller's roles permit over it, is known who may see it
        (who may not gets the same 404 as for none at all) and who may take which step.
    :param taken: what to answer when a unique constraint is violated, by the constraint's name.
    :param reads: fields of the state that come with the row and are never stored: for each a sub-select of one JSON
        value over the row, which it calls ``found``. So a rule may know of what stands beside its aggregate.
    :param begins: what stands under an id without a row, at version 0 in any case; its first change makes the row.
    :param ground: the statement with which a turn of the aggregate $1 begins, for kinds that have any: see ``turns``.
    """

    def __init__(
        self,
        row: type[AggregateRow],
        state: type[State],
        *,
        of: str,
        at: str,
        concerns: Callable[[State], Concerned] = lambda _: NOBODY,
        taken: Mapping[str, Refusal] | None = None,
        reads: Mapping[str, str] | None = None,
        begins: Callable[[Call, UUID], Awaitable[State | None]] = _nothing,
        ground: str = "",
    ) -> None:
        self.of, self.at = of, at
        self._showing, self._shown = Showing(state), Shown(reads or ())
        self.read_model = self._showing.model
        self.codec = RowCodec(row.__table__, state, reads or ())  # type: ignore[attr-defined]
        self.absent = Refusal(f"{of}.not-found", zh="未找到该对象", en="There is no such {of}", kind=Kind.ABSENT)
        self.to_see = f"{of}.read"
        """The permission without which a caller does not know of one."""
        self._concerns = concerns
        self._taken = taken or {}
        self._begins = begins
        self._ground = ground
        self._insert = cache(partial(insert_statement, self.codec, of))
        self._update = cache(partial(update_statement, self.codec, of))
        name = self.codec.table.name
        self.selection = "".join(["found.*", *(f', ({sql}) AS "{field}"' for field, sql in (reads or {}).items())])
        """What a list selects of the table, which it calls ``found``, so that ``codec`` can read it."""
        self._select = (  # one row in any case: empty where there is none
            f'SELECT {self.selection} FROM (SELECT $1::uuid AS id) asked LEFT JOIN "{name}" found USING (id)'  # noqa: S608
        )
        self._lanes = Lanes()
        self._decide_seconds = DECIDE_SECONDS.labels(of)
        self._save_seconds = SAVE_SECONDS.labels(of)

    async def load(self, call: Call, aggregate_id: UUID) -> Loaded[State]:
        """One aggregate as it is now.

        :raises Refused: ``<of>.not-found`` if there is none or the caller may not know of it.
        """
        record = await call.service.grouping.ask(self._select, (aggregate_id,))
        state = self.codec.state_of(record) if record["id"] else await self._begins(call, aggregate_id)
        if state is None or self.to_see not in self.permitted(call, state):
            raise self.absent(of=self.of)
        return Loaded(state, record["hash"] or GENESIS, record["recorded_at"] or call.now)

    def permitted(self, call: Call, state: State) -> frozenset[str]:
        """All that the caller's roles permit over this one."""
        return call.permitted(self._concerns(state))

    def scope(self, call: Call) -> Scope:
        """Whose things of this kind the caller may know of, by the rule of ``load``: what a list asks for."""
        return call.permissions.scope(self.to_see, call.caller_unit)

    async def read(self, call: Call, aggregate_id: UUID) -> Response:
        """One aggregate with what this caller may do next; its version is the ETag.

        :raises Refused: as ``load``.
        """
        state = (await self.load(call, aggregate_id)).state
        return Response(self.seen(call, state), 200, {"ETag": f'"{state.version}"'}, JSON)

    def seen(self, call: Call, state: State) -> bytes:
        """A state as this caller is shown it, the JSON of a ``read_model``."""
        return self._showing.seen(state, call.caller_unit, self.permitted(call, state), business_date(call.now))

    def shown(self, call: Call, record: asyncpg.Record) -> bytes:
        """A row of ``selection`` as this caller is shown it: as ``seen``, but what was shown before is remembered."""
        viewer = (call.caller_unit, call.permissions, business_date(call.now))
        return self._shown.of(record, viewer, lambda: self.seen(call, self.codec.state_of(record)))

    async def history(self, call: Call, aggregate_id: UUID) -> History:
        """All that ever happened to one aggregate, in order, and whether its hash chain holds.

        :raises Refused: as ``load``.
        """
        await self.load(call, aggregate_id)
        return await history_of(call.service.pool, self.of, aggregate_id)

    async def create(
        self, call: Call, decide: Callable[[UUID], Change[State]], *, ground: Ground | None = None
    ) -> Response:
        """Decide on a new aggregate and save it: 201 with its address.

        :param ground: the row that was looked at first of all that the decision needs to know.
        :raises Refused: what the decision refuses, ``auth.not-permitted`` where the caller's roles do not permit it
            over what would be made, the code of a constraint in ``taken``, ``idempotency.key-reused``,
            ``version.contended``, also where what it stands on is not as it was looked at.
        """

        async def once() -> Response:
            change = decide(uuid7())
            self._require_permitted(call, change.state)
            response = self._reply(call, change.state, status=201)
            if await self._save(call, change, Loaded(change.state, GENESIS, call.now), response, ground):
                return response
            raise CONTENDED()

        return await self._tried(call, once)

    async def change(self, call: Call, aggregate_id: UUID, decide: Callable[[State], Change[State]]) -> Response:
        """Load, decide, save; decide again where someone else was faster, at most five times.

        :raises Refused: as ``load``, ``auth.not-permitted`` where the caller's roles do not permit it over this one,
            what the decision refuses, ``version.stale`` where ``If-Match`` does not hold, ``version.contended``,
            ``idempotency.key-reused``.
        """
        async with self._lanes.of(aggregate_id):
            return await self._tried(call, lambda: self._changed(call, aggregate_id, decide))

    async def change_in_turn(
        self, call: Call, aggregate_id: UUID, look: Callable[[Call], Awaitable[Callable[[State], Change[State]]]]
    ) -> Response:
        """As ``change``, for a decision that needs others to stay as they are until it is durable: see ``turns``.

        :param look: looks at them, by the call that it is given and no other, and makes the decision.
        :raises Refused: as ``change``, and what looking refuses.
        """

        async def once() -> Response | None:
            async with in_turn(call, self._ground, aggregate_id) as own:
                return await self._changed(own, aggregate_id, await look(own))

        async with self._lanes.of(aggregate_id):
            return await self._tried(call, once)

    async def _tried(self, call: Call, once: Callable[[], Awaitable[Response | None]]) -> Response:
        for attempt in range(ATTEMPTS_MAX):
            try:
                if response := await once():
                    return response
            except asyncpg.UniqueViolationError as error:
                if repeated := await self._known(call, error):
                    return repeated
            await asyncio.sleep(random.uniform(0, 0.005) * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise CONTENDED()

    async def _changed(
        self, call: Call, aggregate_id: UUID, decide: Callable[[State], Change[State]]
    ) -> Response | None:
        """The reply once it is durable; None where someone else was faster."""
        loaded = await self.load(call, aggregate_id)
        self._require_permitted(call, loaded.state)
        if call.expected_version not in (None, loaded.state.version):
            raise STALE(current=loaded.state.version, expected=call.expected_version)
        with self._decide_seconds.time():
            change = decide(loaded.state)
        response = self._reply(call, change.state, status=200)
        return response if await self._save(call, change, loaded, response) else None

    def _require_permitted(self, call: Call, state: State) -> None:
        if call.permission not in self.permitted(call, state):
            raise call.permissions.refusal(call.permission)

    def _reply(self, call: Call, state: State, *, status: int) -> Response:
        decided = {  # as ``Decided`` says
            "id": str(state.id),
            "version": state.version,
            "position": f"{state.id}@{state.version}",
            "state": state.state,
            "allowed_actions": allowed(state, call.caller_unit, self.permitted(call, state)),
        }
        headers = {"ETag": f'"{state.version}"'}
        if status == 201:
            headers["Location"] = f"{self.at}/{state.id}"
        return Response(orjson.dumps(decided), status, headers, media_type=JSON)

    async def _save(
        self, call: Call, change: Change[State], before: Loaded[State], response: Response, ground: Ground | None = None
    ) -> bool:
        """Whether the change is durable; False where the version, or the ground, is no longer as it was looked at."""
        if not change.events and (call.key is None or not before.state.version):
            return True
        told = told_of(call, self.of, change, before.hash, before.recorded_at)
        saving = Saving(
            id=change.state.id,
            version_before=change.state.version - len(told),
            version=change.state.version,
            hash=told[-1].hash if told else before.hash,
            recorded_at=told[-1].recorded_at if told else before.recorded_at,
            slice=slice_of(change.state.id, call.service.relay_slices),
            effective_on=change.effective_on,
            actor=call.principal,
            correlation=call.correlation,
            causation=call.causation,
            key=call.key,
            route=call.route,
            body_hash=call.body_hash,
            reply_status=response.status_code,
            reply_headers=orjson.dumps({k.decode(): v.decode() for k, v in response.raw_headers}).decode(),
            reply_body=bytes(response.body),
            reply_expires_at=call.now + timedelta(hours=KEY_KEPT_HOURS),
        )
        stands_on = (ground.id, ground.written) if ground else ()
        statement, columns = self._statement(change, before.state, ground)
        parameters = (*saving, *columns, *chain.from_iterable(told), *stands_on)
        with self._save_seconds.time():
            saved = await call.service.grouping.ask(statement, parameters)
        return bool(saved["count"])

    def _statement(self, change: Change[State], before: State, ground: Ground | None) -> tuple[str, Iterable[Any]]:
        """What saves a change, and the values of the columns that it saves: of a row that there is, what is new."""
        if change.state.version == len(change.events):  # its first
            return self._insert(len(change.events), ground and ground.table), self.codec.values(change.state)
        changes = self.codec.changes(before, change.state)
        return self._update(len(change.events), tuple(changes)), changes.values()

    async def _known(self, call: Call, error: asyncpg.UniqueViolationError) -> Response | None:
        """The reply that the same request got before; None where it may be tried again.

        :raises Refused: that something else of the kind is there already; ``idempotency.key-reused``.
        """
        if error.constraint_name == "pk_idempotency":
            if repeated := await told_before(call):
                return repeated
            await forget_replies(call.service.pool)
            return None
        if error.constraint_name == f"pk_{self.codec.table.name}":
            return None  # somebody else has begun it: it is decided again
        taken = self._taken.get(error.constraint_name or "")
        raise (taken() if taken else CONTENDED()) from error
