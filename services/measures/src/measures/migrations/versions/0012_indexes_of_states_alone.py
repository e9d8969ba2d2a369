"""The index of what waits for the office asks of a row's state alone: a report of a milestone writes no index anew."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UNENDED = "state IN ('draft', 'assigned', 'acknowledged', 'in-progress', 'reported-done')"
WITH_OTHERS = (
    "(state IN ('draft', 'reported-done') OR milestones @? '$[*].state ? (@ == \"reported\")' "
    "OR schedule->>'extension' IS NOT NULL)"
)


def upgrade() -> None:
    _index(UNENDED)


def downgrade() -> None:
    _index(WITH_OTHERS)


def _index(which: str) -> None:
    op.drop_index("ix_item_due_on_id", table_name="item")
    op.create_index("ix_item_due_on_id", "item", ["due_on", "id"], postgresql_where=sa.text(which))
