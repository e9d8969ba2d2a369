"""All tables of this service, for its migrations."""

from talent.programme.store import ProgrammeRow
from talent.tables import Base

AGGREGATES = (ProgrammeRow,)
metadata = Base.metadata
