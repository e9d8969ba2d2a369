"""What items are for, in the words of the reform."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("item", sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"))
    op.alter_column("item", "tags", server_default=None)


def downgrade() -> None:
    op.drop_column("item", "tags")
