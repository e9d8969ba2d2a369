"""All tables of this service, for its migrations."""

from measures.assurance.store import AssuranceRow
from measures.evidence.store import EvidenceRow
from measures.item.store import ItemRow
from measures.local_plan.store import LocalPlanRow
from measures.measure.store import MeasureRow
from measures.plan.store import PlanRow
from measures.risk.store import RiskRow
from measures.tables import Base

AGGREGATES = (PlanRow, MeasureRow, LocalPlanRow, ItemRow, EvidenceRow, AssuranceRow, RiskRow)
metadata = Base.metadata
