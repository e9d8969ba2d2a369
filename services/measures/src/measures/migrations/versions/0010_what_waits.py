"""The indexes along which it is looked for what waits for somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WITH_OTHERS = (
    "(state IN ('draft', 'reported-done') OR milestones @? '$[*].state ? (@ == \"reported\")' "
    "OR schedule->>'extension' IS NOT NULL)"
)
INDEXES = (
    ("item", ["owner", "due_on", "id"], "state IN ('assigned', 'acknowledged', 'in-progress')"),
    ("item", ["due_on", "id"], WITH_OTHERS),
    ("evidence", ["since", "id"], "state = 'registered'"),
    ("risk", ["owner", "since", "id"], "state = 'open'"),
)


def upgrade() -> None:
    for table, columns, which in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, postgresql_where=sa.text(which))


def downgrade() -> None:
    for table, columns, _ in reversed(INDEXES):
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table_name=table)
