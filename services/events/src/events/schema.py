"""All tables of this service, for its migrations."""

from events import facts, feed
from events.tables import Base
from events.views.progress import MeasureProgress

TABLES = (*facts.COLUMNS, feed.FeedChange, MeasureProgress)
metadata = Base.metadata
