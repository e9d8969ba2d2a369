"""Where local plans are kept, how one is found by its code, and which of its items are open."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.cursors import code_in
from common.decision import Kind, Refusal
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.item.rules import TERMINAL
from measures.local_plan.domain import LocalPlan
from measures.local_plan.rules import LocalPlanState
from measures.plan.store import stands_in_plan
from measures.tables import Base

CODE_TAKEN = Refusal(
    "local-plan.code-taken", zh="已有同一代码的地方方案", en="There is a local plan with this code already"
)
UNKNOWN_LOCAL_PLAN = Refusal(
    "local-plan.unknown",
    zh="没有代码为 {code} 的地方方案",
    en="There is no local plan with the code {code}",
    kind=Kind.INVALID,
)


class LocalPlanRow(Base, AggregateRow, table=True):
    """One local plan."""

    __tablename__ = "local_plan"
    __table_args__ = (UniqueConstraint("code"), Index(None, "plan", "code"), one_of("state", LocalPlanState))

    plan: str
    unit: UUID
    code: str
    title_zh: str
    title_en: str
    document_number: str
    measures: str = Field(sa_column=Column(JSONB, nullable=False))
    starts_on: date
    ends_on: date
    state: str
    since: date
    filing_number: str | None
    reason: str | None
    filed_on: date | None


local_plans = Aggregates(
    LocalPlanRow,
    LocalPlan,
    of="local-plan",
    at="/api/v1/local-plans",
    concerns=lambda local: Concerned(units=(local.unit,)),
    taken={"uq_local_plan_code": CODE_TAKEN},
    ground=stands_in_plan("local_plan"),
)


async def local_plan_named(call: Call, code: str, *, pointer: str = "/local_plan") -> LocalPlan:
    """The local plan with that code, which the request names at this pointer.

    :raises Refused: ``local-plan.unknown``.
    """
    record = await call.service.pool.fetchrow("SELECT * FROM local_plan WHERE code = $1", code)
    if record is None:
        raise UNKNOWN_LOCAL_PLAN(pointer=pointer, code=code)
    return local_plans.codec.state_of(record)


async def items_of(call: Call, code: str) -> tuple[list[str], date | None]:
    """The codes of a local plan's items that have not ended, and the day on which the last of the others did."""
    rows = await call.service.pool.fetch(
        "SELECT code, since, state <> ALL($2) AS open FROM item WHERE local_plan = $1 ORDER BY code", code, TERMINAL
    )
    ended = [row["since"] for row in rows if not row["open"]]
    return [row["code"] for row in rows if row["open"]], max(ended, default=None)


@dataclass(frozen=True, slots=True)
class LocalPlanFilter:
    """Which local plans are asked for; what is None does not matter."""

    plan: str | None = None
    state: str | None = None
    unit: UUID | None = None


async def list_local_plans(call: Call, wanted: LocalPlanFilter, *, after: str | None, limit: int) -> list[LocalPlan]:
    """Local plans by code, only those that the caller may know of, one more than ``limit`` if there are more.

    :raises Refused: ``request.cursor-invalid``.
    """
    scope = local_plans.scope(call)
    rows = await call.service.pool.fetch(
        "SELECT * FROM local_plan WHERE code > $1 AND ($2::text IS NULL OR plan = $2) "
        "AND ($3::text IS NULL OR state = $3) AND ($4::uuid IS NULL OR unit = $4) "
        "AND ($5 OR unit = ANY($6::uuid[])) ORDER BY code LIMIT $7",
        code_in(after),
        wanted.plan,
        wanted.state,
        wanted.unit,
        scope.everything,
        scope.units,
        limit + 1,
    )
    return [local_plans.codec.state_of(row) for row in rows]
