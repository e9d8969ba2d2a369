"""Where assurances are kept, one for each measure or item that was ever rated, and how the list of them is read."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text

from common.call import Call
from common.contracts.measures import Rating, SubjectKind
from common.decision import Refusal
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.assurance.domain import Assurance, AssuranceState
from measures.subject.lookup import PARTAKERS, concerned, listed
from measures.tables import Base

GIVEN_ALREADY = Refusal(
    "assurance.given-already",
    zh="该对象已有独立评价，请在原评价上重新评价",
    en="This was rated before: rate it anew where its rating stands",
)


class AssuranceRow(Base, AggregateRow, table=True):
    """One measure's or item's independent rating."""

    __tablename__ = "assurance"
    __table_args__ = (
        UniqueConstraint("plan", "subject_kind", "subject"),
        Index(None, "expires_on", postgresql_where=text("state = 'valid'")),
        one_of("subject_kind", SubjectKind),
        one_of("rating", Rating),
        one_of("state", AssuranceState),
    )

    plan: str
    subject_kind: str
    subject: str
    rating: str
    reason: str
    assurer: UUID
    expires_on: date
    given_version: int
    state: str
    since: date
    withdrawn_because: str | None


assurances = Aggregates(
    AssuranceRow,
    Assurance,
    of="assurance",
    at="/api/v1/assurances",
    concerns=lambda assurance: concerned(assurance.partakers),
    taken={"uq_assurance_plan_subject_kind_subject": GIVEN_ALREADY},
    reads={"partakers": PARTAKERS},
)


async def list_assurances(
    call: Call, *, plan: str, subject: str | None, state: AssuranceState | None, after: UUID | None, limit: int
) -> list[Assurance]:
    """Assurances of a plan that the caller may know of, oldest first; one more than ``limit`` if there are more."""
    return await listed(call, assurances, plan=plan, subject=subject, state=state, after=("id", after), limit=limit)
