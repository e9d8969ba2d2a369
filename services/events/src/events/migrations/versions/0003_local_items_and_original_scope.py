"""Local items are told apart, and progress is kept in its original scope too, filled from the facts."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHARES = ("reported_of_all", "verified_of_all")

FILL_ITEMS = """
UPDATE item_progress kept
SET reported_of_all = done.reported, verified_of_all = done.verified
FROM (
    SELECT m.item,
           sum(CASE WHEN status IN ('reported', 'verified') THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS reported,
           sum(CASE WHEN status = 'verified' THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS verified
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
    GROUP BY m.item
) done
WHERE kept.item = done.item
"""
FILL_MEASURES = """
UPDATE measure_progress kept
SET reported_of_all = now.reported, verified_of_all = now.verified,
    by_state = kept.by_state || '{"cancelled": 0, "merged": 0, "carried-over": 0}'
FROM (
    SELECT plan, measure, round(avg(reported_of_all), 15) AS reported, round(avg(verified_of_all), 15) AS verified
    FROM item_progress GROUP BY plan, measure
) now
WHERE kept.plan = now.plan AND kept.measure = now.measure
"""


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString()
    for table in ("item", "item_progress"):
        op.add_column(table, sa.Column("local_plan", text, nullable=True))
        op.add_column(table, sa.Column("parent", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("progress_basis", text, nullable=False, server_default="milestones"))
        op.alter_column(table, "progress_basis", server_default=None)
    op.create_index(op.f("ix_item_progress_parent"), "item_progress", ["parent"], unique=False)
    for table in ("item_progress", "measure_progress"):
        for share in SHARES:
            op.add_column(table, sa.Column(share, sa.Numeric(), nullable=True))
    op.execute(FILL_ITEMS)
    op.execute(FILL_MEASURES)


def downgrade() -> None:
    for table in ("item_progress", "measure_progress"):
        for share in SHARES:
            op.drop_column(table, share)
    op.drop_index(op.f("ix_item_progress_parent"), table_name="item_progress")
    for table in ("item_progress", "item"):
        for column in ("progress_basis", "parent", "local_plan"):
            op.drop_column(table, column)
