"""A view as it was on the first day, for tests that let it take in one history after the other."""

from doors import Door
from events import facts


async def empty(views: Door) -> None:
    """As on the first day."""
    tables = [table for table, _ in facts.COLUMNS.values()]
    for table in (*tables, "item_progress", "measure_progress", "feed_change"):
        await views.pool.execute(f"DELETE FROM {table}")
