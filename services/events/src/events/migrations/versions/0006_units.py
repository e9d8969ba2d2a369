"""Association units with their names, and who helps with an item; everything is read anew for them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
MADE_ANEW = (
    "plan", "plan_part", "plan_name", "plan_step", "sibling_weight", "scoring_policy", "item", "item_step", "item_move",
    "milestone", "milestone_end", "milestone_move", "milestone_word", "measure_step", "measure_lead", "measure_tags",
    "assurance", "assurance_word", "risk", "risk_step", "item_progress", "measure_progress", "feed_change",
    "projection_offset", "projection_version", "parked",
)  # fmt: skip


def upgrade() -> None:
    # Units were passed over so far, and who helps with an item: the projector reads the topics again from their beginning.
    op.execute(f"TRUNCATE {', '.join(MADE_ANEW)}")
    op.add_column("item", sa.Column("co_units", postgresql.ARRAY(sa.Uuid()), nullable=False))
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_table(
        "unit_name",
        sa.Column("unit", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", TEXT, nullable=False),
        sa.Column("name_en", TEXT, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit", "version", name=op.f("pk_unit_name")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON unit, unit_name TO events_app")


def downgrade() -> None:
    op.drop_table("unit_name")
    op.drop_table("unit")
    op.drop_column("item", "co_units")
