"""When measures were suspended: for such a day no due date is moved, whenever that is told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SUSPENDED = """
UPDATE measure SET suspensions = told.suspensions FROM (
    SELECT aggregate_id, jsonb_agg(jsonb_build_object('since', effective_on, 'until', until) ORDER BY position)
        FILTER (WHERE type LIKE '%.measure-suspended.v1') AS suspensions
    FROM (
        SELECT *, lead(effective_on) OVER (PARTITION BY aggregate_id ORDER BY aggregate_version) AS until FROM event
        WHERE type IN ('cn.cqast.measures.measure-suspended.v1', 'cn.cqast.measures.measure-resumed.v1')) step
    GROUP BY aggregate_id) told
WHERE measure.id = told.aggregate_id
"""


def upgrade() -> None:
    op.add_column("measure", sa.Column("suspensions", postgresql.JSONB(), server_default="[]", nullable=False))
    op.execute(SUSPENDED)


def downgrade() -> None:
    op.drop_column("measure", "suspensions")
