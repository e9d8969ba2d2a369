"""All tables of this service, for its migrations."""

from measures.item.store import ItemRow
from measures.plan.store import PlanRow
from measures.tables import Base

AGGREGATES = (PlanRow, ItemRow)
metadata = Base.metadata
