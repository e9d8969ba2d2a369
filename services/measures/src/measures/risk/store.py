"""Where risks are kept, and how the list of them is read."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from common.call import Call
from common.contracts.measures import SubjectKind
from common.cursors import code_in
from common.decision import Refusal
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.risk.domain import Risk, RiskState
from measures.subject.lookup import PARTAKERS, concerned, listed
from measures.tables import Base

CODE_TAKEN = Refusal(
    "risk.code-taken", zh="该方案中已有同一代码的风险", en="The plan has a risk with this code already"
)


class RiskRow(Base, AggregateRow, table=True):
    """One risk."""

    __tablename__ = "risk"
    __table_args__ = (
        UniqueConstraint("plan", "code"),
        Index(None, "plan", "subject", "code"),
        Index(None, "owner", "since", "id", postgresql_where="state = 'open'"),
        one_of("subject_kind", SubjectKind),
        one_of("state", RiskState),
        CheckConstraint("likelihood BETWEEN 1 AND 5 AND impact BETWEEN 1 AND 5", name="from_one_to_five"),
    )

    plan: str
    subject_kind: str
    subject: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    likelihood: int
    impact: int
    state: str
    since: date
    response: str | None
    outcome: str | None


def _concerns(risk: Risk) -> Concerned:
    """A risk concerns the unit that answers for it, and whomever the measure or item concerns."""
    units, leads = concerned(risk.partakers)
    return Concerned(units=(risk.owner, *units), leads=leads)


risks = Aggregates(
    RiskRow,
    Risk,
    of="risk",
    at="/api/v1/risks",
    concerns=_concerns,
    taken={"uq_risk_plan_code": CODE_TAKEN},
    reads={"partakers": PARTAKERS},
)


async def list_risks(
    call: Call, *, plan: str, subject: str | None, state: RiskState | None, after: str | None, limit: int
) -> list[Risk]:
    """Risks of a plan by code, only those that the caller may know of, one more than ``limit`` if there are more.

    :raises Refused: ``request.cursor-invalid``.
    """
    return await listed(
        call, risks, plan=plan, subject=subject, state=state, after=("code", code_in(after)), limit=limit,
        own=("owner = ANY({}::uuid[])",),
    )  # fmt: skip
