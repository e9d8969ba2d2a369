"""What a plan's parts weigh, how it is scored and how it ends; and the local plans of the units."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
JSONB = postgresql.JSONB(astext_type=sa.Text())
KEPT = ("weights", "policies", "amendments")
BEFORE = "state IN ('draft', 'adopted', 'in-force')"
AFTER = "state IN ('draft', 'adopted', 'in-force', 'final-evaluation', 'closed')"
STATES = "state IN ('draft', 'submitted', 'returned', 'filed', 'in-force', 'closed')"


def upgrade() -> None:
    for column in KEPT:
        op.add_column("plan", sa.Column(column, JSONB, nullable=False, server_default="[]"))
    op.add_column("plan", sa.Column("successor", TEXT, nullable=True))
    op.drop_constraint(op.f("ck_plan_state_known"), "plan", type_="check")
    op.create_check_constraint(op.f("ck_plan_state_known"), "plan", AFTER)
    op.create_table(
        "local_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("unit", sa.Uuid(), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("title_zh", TEXT, nullable=False),
        sa.Column("title_en", TEXT, nullable=False),
        sa.Column("document_number", TEXT, nullable=False),
        sa.Column("measures", JSONB, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("filing_number", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_local_plan_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_plan")),
        sa.UniqueConstraint("code", name=op.f("uq_local_plan_code")),
    )
    op.create_index(op.f("ix_local_plan_plan_code"), "local_plan", ["plan", "code"], unique=False)
    # A local plan is never deleted, so that its code is never reused.
    op.execute("GRANT SELECT, INSERT, UPDATE ON local_plan TO measures_app")


def downgrade() -> None:
    op.drop_table("local_plan")
    op.drop_constraint(op.f("ck_plan_state_known"), "plan", type_="check")
    op.create_check_constraint(op.f("ck_plan_state_known"), "plan", BEFORE)
    for column in (*KEPT, "successor"):
        op.drop_column("plan", column)
