"""Where plans are kept, and how one is found by its code."""

from datetime import date

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.decision import Kind, Refusal
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.plan.domain import Plan, PlanState
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


plans = Aggregates(PlanRow, Plan, of="plan", at="/api/v1/plans", taken={"uq_plan_code": CODE_TAKEN})


async def plan_named(call: Call, code: str) -> Plan:
    """The plan with that code.

    :raises Refused: ``plan.unknown``.
    """
    record = await call.service.pool.fetchrow("SELECT * FROM plan WHERE code = $1", code)
    if record is None:
        raise UNKNOWN_PLAN(pointer="/plan", code=code)
    return plans.codec.state_of(record)


async def plan_in_force(call: Call) -> str:
    """The code of the plan that is in force, the latest where there are several.

    :raises Refused: ``plan.none-in-force``.
    """
    code: str | None = await call.service.pool.fetchval(
        "SELECT code FROM plan WHERE state = 'in-force' ORDER BY starts_on DESC LIMIT 1"
    )
    if code is None:
        raise NONE_IN_FORCE()
    return code


async def list_plans(call: Call, *, after: str, limit: int) -> list[Plan]:
    """Plans by code, one more than ``limit`` if there are more."""
    rows = await call.service.pool.fetch("SELECT * FROM plan WHERE code > $1 ORDER BY code LIMIT $2", after, limit + 1)
    return [plans.codec.state_of(row) for row in rows]
