"""All tables of this service, for its migrations."""

from societies.tables import Base
from societies.unit.store import UnitRow

AGGREGATES = (UnitRow,)
metadata = Base.metadata
