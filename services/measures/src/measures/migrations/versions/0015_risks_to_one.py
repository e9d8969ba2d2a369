"""The index along which the risks to one measure or item are found."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_risk_plan_subject_code", "risk", ["plan", "subject", "code"])


def downgrade() -> None:
    op.drop_index("ix_risk_plan_subject_code", table_name="risk")
