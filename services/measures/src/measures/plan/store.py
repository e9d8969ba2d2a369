"""Where plans are kept, how one is found by its code, and what stands between it and its closing."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field
from starlette.responses import Response

from common.call import Call
from common.cursors import code_in
from common.decision import Kind, Refusal, Refused
from common.lanes import CONTENDED
from common.rows import AggregateRow, one_of
from common.saving import Ground
from common.store import ATTEMPTS_MAX, Aggregates
from measures.item.rules import TERMINAL, ItemState
from measures.plan.checklist import NAMED_MAX, Carried, Checklist, StillOpen
from measures.plan.domain import Plan
from measures.plan.rules import PlanState
from measures.tables import Base

CODE_TAKEN = Refusal("plan.code-taken", zh="已有同一代码的方案", en="There is a plan with this code already")
UNKNOWN_PLAN = Refusal(
    "plan.unknown", zh="没有代码为 {code} 的方案", en="There is no plan with the code {code}", kind=Kind.INVALID
)
NONE_IN_FORCE = Refusal("plan.none-in-force", zh="目前没有生效的方案", en="No plan is in force", kind=Kind.ABSENT)


class PlanRow(Base, AggregateRow, table=True):
    """One plan."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("code"), one_of("state", PlanState))

    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    aspects: str = Field(sa_column=Column(JSONB, nullable=False))
    measures: str = Field(sa_column=Column(JSONB, nullable=False))
    phases: str = Field(sa_column=Column(JSONB, nullable=False))
    state: str
    since: date
    issuer: str | None
    document_number: str | None
    phase: str | None
    weights: str = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    policies: str = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    successor: str | None
    amendments: str = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    adopted_on: date | None
    revised_on: date | None
    added: str = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))


COUNTED_OUT: Final = (ItemState.CANCELLED, ItemState.MERGED)
CHECKLIST: Final = """
SELECT
    (SELECT count(*) FROM item WHERE plan = $1 AND state <> ALL($2))
    + (SELECT count(*) FROM local_plan WHERE plan = $1 AND state <> 'closed') AS open,
    ARRAY(SELECT to_jsonb(named) FROM (
        (SELECT 'item' AS kind, id, code, state FROM item WHERE plan = $1 AND state <> ALL($2) ORDER BY code LIMIT $3)
        UNION ALL
        (SELECT 'local-plan', id, code, state FROM local_plan WHERE plan = $1 AND state <> 'closed'
         ORDER BY code LIMIT $3)
        ORDER BY code LIMIT $3
    ) named) AS named,
    ARRAY(
        SELECT jsonb_build_object('id', id, 'code', code, 'successor', ending ->> 'successor') FROM item
        WHERE plan = $1 AND state = 'carried-over' ORDER BY code
    ) AS carried,
    greatest(
        (SELECT max(since) FROM item WHERE plan = $1 AND state = ANY($2)),
        (SELECT max(since) FROM local_plan WHERE plan = $1 AND state = 'closed'),
        (SELECT max(since) FROM measure WHERE plan = $1)
    ) AS settled_on
"""
"""All that stands in a plan and can be open, and its measures, which close with it but not before their last step.
$1 is the plan's code, $2 the states in which an item has ended, $3 how much of what is open is named."""

_OPEN: Final = TypeAdapter(StillOpen)
_CARRIED: Final = TypeAdapter(Carried)
BY_CODE: Final = (
    "SELECT found.*, found.xmin::text::bigint AS written "
    "FROM (SELECT $1::text AS code) asked LEFT JOIN plan found USING (code)"
)
"""One row in any case: empty where there is none."""
plans = Aggregates(
    PlanRow, Plan, of="plan", at="/api/v1/plans", taken={"uq_plan_code": CODE_TAKEN},
    ground="UPDATE plan SET version = version WHERE id = $1",
)  # fmt: skip


async def plan_known(call: Call, code: str) -> Plan | None:
    """The plan with that code, if there is one."""
    record = await call.service.grouping.ask(BY_CODE, (code,))
    return plans.codec.state_of(record) if record["id"] else None


async def plan_named(call: Call, code: str, *, pointer: str = "/plan") -> Plan:
    """The plan with that code, which the request names at this pointer.

    :raises Refused: ``plan.unknown``.
    """
    return (await ground_named(call, code, pointer=pointer))[0]


async def ground_named(call: Call, code: str, *, pointer: str = "/plan") -> tuple[Plan, Ground]:
    """The plan with that code as the ground on which something new in it is to stand.

    :raises Refused: ``plan.unknown``.
    """
    record = await call.service.grouping.ask(BY_CODE, (code,))
    if record["id"] is None:
        raise UNKNOWN_PLAN(pointer=pointer, code=code)
    return plans.codec.state_of(record), Ground("plan", record["id"], record["written"])


async def on_ground(
    call: Call, code: str, create: Callable[[Plan, Ground], Awaitable[Response]], *, pointer: str = "/plan"
) -> Response:
    """Create something in the plan with that code; look at everything again where a turn lay between.

    :raises Refused: ``plan.unknown``, what is refused of ``create``, ``version.contended`` after five turns.
    """
    for left in reversed(range(ATTEMPTS_MAX)):
        try:
            return await create(*await ground_named(call, code, pointer=pointer))
        except Refused as refused:
            if refused.refusal is not CONTENDED or not left:
                raise
    raise CONTENDED()


def stands_in_plan(table: str) -> str:
    """The statement with which a turn begins of what stands in a plan: it writes the plan's row anew."""
    return f"UPDATE plan SET version = version WHERE code = (SELECT plan FROM {table} WHERE id = $1)"  # noqa: S608 - our own


async def plan_in_force(call: Call) -> str:
    """The code of the plan that is in force, else of one in its final evaluation; the latest where there are several.

    :raises Refused: ``plan.none-in-force``.
    """
    code: str | None = await call.service.pool.fetchval(
        "SELECT code FROM plan WHERE state IN ('in-force', 'final-evaluation') "
        "ORDER BY state = 'in-force' DESC, starts_on DESC, code LIMIT 1"
    )
    if code is None:
        raise NONE_IN_FORCE()
    return code


async def item_codes(call: Call, plan: str, measure: str) -> frozenset[str]:
    """The codes of the items that count for a measure: municipal ones that were neither cancelled nor merged."""
    rows = await call.service.pool.fetch(
        "SELECT code FROM item WHERE plan = $1 AND measure = $2 AND local_plan IS NULL AND state <> ALL($3)",
        plan,
        measure,
        COUNTED_OUT,
    )
    return frozenset(row["code"] for row in rows)


async def checklist_of(call: Call, plan: str) -> Checklist:
    """What in a plan is open, what was carried over, and when the last of it ended."""
    (found,) = await call.service.pool.fetch(CHECKLIST, plan, TERMINAL, NAMED_MAX)
    named = tuple(map(_OPEN.validate_json, found["named"]))
    return Checklist(
        open=named,
        carried=tuple(map(_CARRIED.validate_json, found["carried"])),
        settled_on=found["settled_on"],
        more=found["open"] - len(named),
    )


async def list_plans(call: Call, *, after: str | None, limit: int) -> list[Plan]:
    """Plans by code, one more than ``limit`` if there are more.

    :raises Refused: ``request.cursor-invalid``.
    """
    rows = await call.service.pool.fetch(
        "SELECT * FROM plan WHERE code > $1 ORDER BY code LIMIT $2", code_in(after), limit + 1
    )
    return [plans.codec.state_of(row) for row in rows]
