"""The index along which the items are found that a unit helps with."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    helped = sa.text("cardinality(co_units) > 0")
    op.create_index("ix_item_co_units", "item", ["co_units"], postgresql_using="gin", postgresql_where=helped)


def downgrade() -> None:
    op.drop_index("ix_item_co_units", table_name="item")
