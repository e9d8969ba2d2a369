"""The progress of items is kept, filled from the facts; an index that no question needs is gone."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FILL = """
INSERT INTO item_progress
    (item, plan, measure, state, milestones, milestones_reported, milestones_verified, reported, verified)
SELECT i.id, i.plan, i.measure, step.state, done.*
FROM item i
CROSS JOIN LATERAL (
    SELECT s.state FROM item_step s WHERE s.item = i.id ORDER BY s.effective_on DESC, s.version DESC LIMIT 1
) step
CROSS JOIN LATERAL (
    SELECT count(*), count(*) FILTER (WHERE status IN ('reported', 'verified')),
           count(*) FILTER (WHERE status = 'verified'),
           sum(CASE WHEN status IN ('reported', 'verified') THEN weight ELSE 0 END) / nullif(sum(weight), 0),
           sum(CASE WHEN status = 'verified' THEN weight ELSE 0 END) / nullif(sum(weight), 0)
    FROM milestone m
    LEFT JOIN LATERAL (
        SELECT w.status FROM milestone_word w
        WHERE w.item = m.item AND w.number = m.number
          AND NOT EXISTS (
              SELECT FROM milestone_word later
              WHERE later.item = w.item AND later.number = w.number AND later.replaces = w.version
          )
        ORDER BY w.effective_on DESC, w.version DESC LIMIT 1
    ) word ON true
    WHERE m.item = i.id
      AND NOT EXISTS (SELECT FROM milestone_end e WHERE e.item = m.item AND e.number = m.number)
) done
"""


def upgrade() -> None:
    op.create_table(
        "item_progress",
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("plan", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("milestones", sa.Integer(), nullable=False),
        sa.Column("milestones_reported", sa.Integer(), nullable=False),
        sa.Column("milestones_verified", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Numeric(), nullable=True),
        sa.Column("verified", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_item_progress")),
    )
    op.create_index(op.f("ix_item_progress_plan_measure"), "item_progress", ["plan", "measure"], unique=False)
    op.execute(FILL)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON item_progress TO events_app")
    op.drop_index(op.f("ix_milestone_word_item_number_replaces"), table_name="milestone_word")


def downgrade() -> None:
    op.create_index(
        op.f("ix_milestone_word_item_number_replaces"), "milestone_word", ["item", "number", "replaces"], unique=False
    )
    op.drop_index(op.f("ix_item_progress_plan_measure"), table_name="item_progress")
    op.drop_table("item_progress")
