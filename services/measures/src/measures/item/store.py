"""Where items are kept, and how the lists that an office works with are read."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.decision import Kind, Refusal
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.item.domain import Item
from measures.item.rules import ItemState
from measures.tables import Base

CODE_TAKEN = Refusal(
    "item.code-taken", zh="该方案中已有同一代码的事项", en="The plan has an item with this code already"
)

UNKNOWN_ITEM = Refusal(
    "item.unknown",
    zh="方案 {plan} 没有代码为 {code} 的事项",
    en="The plan {plan} has no item with the code {code}",
    kind=Kind.INVALID,
)


class ItemRow(Base, AggregateRow, table=True):
    """One reform item, its milestones within."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("plan", "code"),
        Index(None, "plan", "measure", "code"),
        Index(None, "owner"),
        one_of("state", ItemState),
    )

    plan: str
    plan_starts_on: date
    measure: str
    code: str
    title_zh: str
    title_en: str
    owner: UUID
    co_units: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    responsible_post: str | None
    problem: str
    deliverable: str
    effect: str
    focus: str
    planned_start_on: date
    due_on: date
    state: str
    since: date
    claim: str | None
    milestones: str = Field(sa_column=Column(JSONB, nullable=False))
    schedule: str = Field(sa_column=Column(JSONB, nullable=False))
    note: str = Field(sa_column=Column(JSONB, nullable=False))
    doubts: str = Field(sa_column=Column(JSONB, nullable=False))
    ending: str = Field(sa_column=Column(JSONB, nullable=False))
    reminded_on: date | None
    local_plan: str | None
    parent: UUID | None
    progress_basis: str


def _concerns(item: Item) -> Concerned:
    """An item concerns its owner and those who take part in it."""
    return Concerned(units=(item.owner, *item.co_units))


items = Aggregates(
    ItemRow, Item, of="item", at="/api/v1/items", concerns=_concerns, taken={"uq_item_plan_code": CODE_TAKEN}
)


async def item_named(call: Call, plan: str, code: str, *, pointer: str) -> Item:
    """The item of a plan with that code, which the request names at this pointer.

    :raises Refused: ``item.unknown``.
    """
    sql = f"SELECT {items.selection} FROM item found WHERE plan = $1 AND code = $2"  # noqa: S608 - names of our own
    record = await call.service.pool.fetchrow(sql, plan, code)
    if record is None:
        raise UNKNOWN_ITEM(pointer=pointer, plan=plan, code=code)
    return items.codec.state_of(record)


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items of a plan are asked for; what is None does not matter."""

    plan: str
    measure: str | None = None
    state: str | None = None
    owner: UUID | None = None


async def list_items(call: Call, wanted: ItemFilter, *, after: str, limit: int) -> list[Item]:
    """Items by code, only those that the caller may know of, one more than ``limit`` if there are more."""
    scope = items.scope(call)
    rows = await call.service.pool.fetch(
        "SELECT * FROM item WHERE plan = $1 AND code > $2 "
        "AND ($3::text IS NULL OR measure = $3) AND ($4::text IS NULL OR state = $4) "
        "AND ($5::uuid IS NULL OR owner = $5) AND ($6 OR owner = ANY($7::uuid[]) OR co_units && $7::uuid[]) "
        "ORDER BY code LIMIT $8",
        wanted.plan,
        after,
        wanted.measure,
        wanted.state,
        wanted.owner,
        scope.everything,
        scope.units,
        limit + 1,
    )
    return [items.codec.state_of(row) for row in rows]
