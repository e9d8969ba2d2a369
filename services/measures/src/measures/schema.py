"""All tables of this service, for its migrations."""

from measures.assurance.store import AssuranceRow
from measures.evidence.store import EvidenceRow
from measures.item.store import ItemRow
from measures.plan.store import PlanRow
from measures.risk.store import RiskRow
from measures.tables import Base

AGGREGATES = (PlanRow, ItemRow, EvidenceRow, AssuranceRow, RiskRow)
metadata = Base.metadata
