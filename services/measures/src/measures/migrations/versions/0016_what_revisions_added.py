"""What revisions added to plans, and since when: nothing is done about it as of a day before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ADDED = """
UPDATE plan SET added = told.added FROM (
    SELECT aggregate_id, jsonb_agg(
        jsonb_build_object('part', part, 'code', one->>'code', 'since', effective_on) ORDER BY position, part) AS added
    FROM event, unnest(ARRAY['aspect', 'measure', 'phase']) AS part,
        jsonb_array_elements(convert_from(payload, 'UTF8')::jsonb->'diff'->(part || 's')) AS one
    WHERE type = 'cn.cqast.measures.plan-revised.v1' GROUP BY aggregate_id) told
WHERE plan.id = told.aggregate_id
"""


def upgrade() -> None:
    op.add_column("plan", sa.Column("added", postgresql.JSONB(), server_default="[]", nullable=False))
    op.execute(ADDED)


def downgrade() -> None:
    op.drop_column("plan", "added")
