"""On which day items were listed, and measures sent back last: nothing is said of them, or listed, for a day before."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ADDED = """
UPDATE item SET added_on = coalesce((
    SELECT effective_on FROM event
    WHERE aggregate_type = 'item' AND aggregate_id = item.id AND aggregate_version = 1), plan_starts_on)
"""
RETURNED = """
UPDATE measure SET returned_on = (
    SELECT max(effective_on) FROM event WHERE aggregate_type = 'measure' AND aggregate_id = measure.id
    AND type = 'cn.cqast.measures.measure-acceptance-returned.v1')
"""


def upgrade() -> None:
    op.add_column("item", sa.Column("added_on", sa.Date(), nullable=True))
    op.execute(ADDED)
    op.alter_column("item", "added_on", nullable=False)
    op.add_column("measure", sa.Column("returned_on", sa.Date(), nullable=True))
    op.execute(RETURNED)


def downgrade() -> None:
    op.drop_column("measure", "returned_on")
    op.drop_column("item", "added_on")
