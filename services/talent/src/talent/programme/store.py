"""Where programmes are kept."""

from datetime import date

from sqlalchemy import UniqueConstraint

from common.call import Call
from common.contracts.talent import Admission, Audience, ProgrammeKind
from common.cursors import code_in
from common.decision import Refusal
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from talent.programme.domain import Programme, ProgrammeState
from talent.tables import Base

CODE_TAKEN = Refusal("programme.code-taken", zh="已有同一代码的项目", en="There is a programme with this code already")


class ProgrammeRow(Base, AggregateRow, table=True):
    """One programme."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("code"),
        one_of("kind", ProgrammeKind),
        one_of("audience", Audience),
        one_of("admission", Admission),
        one_of("state", ProgrammeState),
    )

    code: str
    kind: str
    name_zh: str
    name_en: str
    audience: str
    admission: str
    held_every_months: int
    measure: str
    state: str
    since: date


programmes = Aggregates(
    ProgrammeRow, Programme, of="programme", at="/api/v1/programmes", taken={"uq_programme_code": CODE_TAKEN}
)


async def list_programmes(call: Call, *, after: str | None, limit: int) -> list[Programme]:
    """Programmes by code, one more than ``limit`` if there are more.

    :raises Refused: ``request.cursor-invalid``.
    """
    rows = await call.service.pool.fetch(
        "SELECT * FROM programme WHERE code > $1 ORDER BY code LIMIT $2", code_in(after), limit + 1
    )
    return [programmes.codec.state_of(row) for row in rows]
