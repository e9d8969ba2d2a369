"""Measures, from their first command on."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
JSONB = postgresql.JSONB(astext_type=sa.Text())
STATES = "'planned', 'launched', 'in-progress', 'suspended', 'submitted-for-acceptance', 'accepted', 'closed'"


def upgrade() -> None:
    op.create_table(
        "measure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("leads", JSONB, nullable=False),
        sa.Column("tags", JSONB, nullable=False),
        sa.Column("tagged_on", sa.Date(), nullable=True),
        sa.Column("suspended_for", TEXT, nullable=True),
        sa.Column("acceptance", JSONB, nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_measure_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        sa.UniqueConstraint("plan", "code", name=op.f("uq_measure_plan_code")),
    )
    # A measure is never deleted: what its plan put down stays.
    op.execute("GRANT SELECT, INSERT, UPDATE ON measure TO measures_app")


def downgrade() -> None:
    op.drop_table("measure")
