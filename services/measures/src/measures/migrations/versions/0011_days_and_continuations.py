"""On which day plans were adopted and revised and local plans filed, and which item goes on with which."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DAYS = (
    ("plan", "adopted_on", "plan-adopted"),
    ("plan", "revised_on", "plan-revised"),
    ("local_plan", "filed_on", "local-plan-filed"),
)
CONTINUED = """
UPDATE item SET continues = told.continues FROM (
    SELECT DISTINCT ON (continues) aggregate_id, continues
    FROM (SELECT *, (convert_from(payload, 'UTF8')::json->>'continues')::uuid AS continues FROM event
          WHERE type = 'cn.cqast.measures.reform-item-added.v1') added
    WHERE continues IS NOT NULL ORDER BY continues, position) told
WHERE item.id = told.aggregate_id
"""
"""Of two that go on with one, which nothing forbade before, the first."""


def upgrade() -> None:
    for table, column, told in DAYS:
        op.add_column(table, sa.Column(column, sa.Date(), nullable=True))
        op.execute(
            f"UPDATE {table} SET {column} = (SELECT max(effective_on) FROM event "
            f"WHERE aggregate_type = '{table.replace('_', '-')}' AND aggregate_id = {table}.id "
            f"AND type = 'cn.cqast.measures.{told}.v1')"
        )
    op.add_column("item", sa.Column("continues", sa.Uuid(), nullable=True))
    op.execute(CONTINUED)
    op.create_index(
        "uq_item_continues", "item", ["continues"], unique=True, postgresql_where=sa.text("continues IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("uq_item_continues", table_name="item")
    op.drop_column("item", "continues")
    for table, column, _ in reversed(DAYS):
        op.drop_column(table, column)
