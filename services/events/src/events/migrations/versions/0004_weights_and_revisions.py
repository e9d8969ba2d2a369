"""What siblings weigh, and what revisions of a plan added or called differently; items are known by their codes."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()


def upgrade() -> None:
    op.add_column("plan_part", sa.Column("effective_on", sa.Date(), nullable=True))
    op.add_column("plan_part", sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "plan_name",
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", TEXT, nullable=True),
        sa.Column("name_en", TEXT, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan", "kind", "code", "version", name=op.f("pk_plan_name")),
    )
    op.create_table(
        "sibling_weight",
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("siblings", TEXT, nullable=False),
        sa.Column("parent", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Numeric(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan", "siblings", "parent", "code", "version", name=op.f("pk_sibling_weight")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON plan_name, sibling_weight TO events_app")
    op.add_column("item_progress", sa.Column("code", TEXT, nullable=True))
    op.execute("UPDATE item_progress kept SET code = item.code FROM item WHERE item.id = kept.item")
    op.alter_column("item_progress", "code", nullable=False)


def downgrade() -> None:
    op.drop_column("item_progress", "code")
    op.drop_table("sibling_weight")
    op.drop_table("plan_name")
    op.drop_column("plan_part", "recorded_at")
    op.drop_column("plan_part", "effective_on")
