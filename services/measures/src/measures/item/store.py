"""Where items are kept, and how one is found by its code."""

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.contracts.measures import ProgressBasis
from common.decision import Kind, Refusal
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.evidence.store import GROUNDS
from measures.item.domain import Item
from measures.item.rules import CONTINUED_ALREADY, ItemState
from measures.measure.lead import led_on
from measures.measure.store import ABOVE
from measures.plan.store import stands_in_plan
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


WITH_OWNER: Final = "state IN ('assigned', 'acknowledged', 'in-progress')"
"""The rows of items that may wait for their owner."""
UNENDED: Final = "state IN ('draft', 'assigned', 'acknowledged', 'in-progress', 'reported-done')"
"""The rows of items that may wait for anybody.

What an index asks of a row is its state at most: did it ask of milestones, each report would write every index anew.
"""
WITH_OTHERS: Final = (
    f"{UNENDED} AND (state IN ('draft', 'reported-done') OR milestones @? '$[*].state ? (@ == \"reported\")' "
    "OR jsonb_typeof(schedule->'extension') = 'object')"
)
"""The rows of items that may wait for the office or for judges.

Whether an extension is asked for is put as an equation: the planner takes that for rare, ``IS NOT NULL`` for the rule,
and would go through all items by their days for a judge of a few units.
"""


class ItemRow(Base, AggregateRow, table=True):
    """One reform item, its milestones within."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("plan", "code"),
        Index(None, "plan", "measure", "code"),
        Index(None, "owner", "plan", "code"),
        Index(None, "plan", "state", "code"),
        Index(None, "plan", "due_on", "code"),
        Index("ix_item_co_units", "co_units", postgresql_using="gin", postgresql_where="cardinality(co_units) > 0"),
        Index(None, "local_plan", postgresql_where="local_plan IS NOT NULL"),
        Index(None, "owner", "due_on", "id", postgresql_where=WITH_OWNER),
        Index(None, "due_on", "id", postgresql_where=UNENDED),
        Index("uq_item_continues", "continues", unique=True, postgresql_where="continues IS NOT NULL"),
        one_of("state", ItemState),
        one_of("progress_basis", ProgressBasis),
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
    added_on: date
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
    tags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    continues: UUID | None


def _concerns(item: Item) -> Concerned:
    """An item concerns its owner and those who take part in it, and whoever leads its measure now."""
    lead = led_on(item.above.leads, None)
    return Concerned(units=(item.owner, *item.co_units), leads=(lead.unit,) if lead else ())


BESIDE: Final = {"above": ABOVE, "grounds": GROUNDS}
"""What stands beside an item and is read with it."""
items = Aggregates(
    ItemRow, Item, of="item", at="/api/v1/items", concerns=_concerns,
    taken={"uq_item_plan_code": CODE_TAKEN, "uq_item_continues": CONTINUED_ALREADY},
    reads=BESIDE, ground=stands_in_plan("item"),
)  # fmt: skip


async def is_continued(call: Call, item_id: UUID) -> bool:
    """Whether a successor plan has an item on its list that goes on with this one."""
    return bool(await call.service.pool.fetchval("SELECT EXISTS (SELECT FROM item WHERE continues = $1)", item_id))


async def item_named(call: Call, plan: str, code: str, *, pointer: str) -> Item:
    """The item of a plan with that code, which the request names at this pointer.

    :raises Refused: ``item.unknown``.
    """
    sql = f"SELECT {items.selection} FROM item found WHERE plan = $1 AND code = $2"  # noqa: S608 - names of our own
    record = await call.service.pool.fetchrow(sql, plan, code)
    if record is None:
        raise UNKNOWN_ITEM(pointer=pointer, plan=plan, code=code)
    return items.codec.state_of(record)
