"""Which items a request asks for: the list and the export take the same words, and mean the same by them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from common.call import Call
from common.contracts import Code
from common.directory import Directory
from common.fields import Title
from common.http import Day
from measures.item.lists import ItemFilter
from measures.item.requests import Tagged
from measures.item.rules import ItemState
from measures.plan.store import plan_in_force


@dataclass(frozen=True, slots=True)
class ItemsAsked:
    """The filters as a query gives them, a dependency of the endpoints that take them."""

    plan: Code | None = None
    measure: Code | None = None
    state: ItemState | None = None
    owner: Code | None = None
    local_plan: Code | None = None
    tag: Tagged | None = None
    due_from: Day | None = None
    due_to: Day | None = None
    late: Annotated[bool | None, Query(description="Past its due date and not ended, as of today")] = None
    text: Annotated[Title | None, Query(max_length=100, description="In its code or a title")] = None

    async def wanted(self, call: Call, directory: Directory) -> ItemFilter:
        """The same with the unit's id for its code, in the plan in force where none is named.

        :raises Refused: ``unit.unknown``, ``plan.none-in-force``.
        """
        owner = await directory.unit(self.owner, pointer="/query/owner") if self.owner else None
        return ItemFilter(
            plan=self.plan or await plan_in_force(call),
            measure=self.measure,
            state=self.state,
            owner=owner.id if owner else None,
            local_plan=self.local_plan,
            tag=self.tag,
            due_from=self.due_from,
            due_to=self.due_to,
            late=self.late,
            text=self.text,
        )
