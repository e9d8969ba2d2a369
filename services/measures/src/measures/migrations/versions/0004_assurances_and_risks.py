"""Independent ratings, risks, and the day for which an item's owner was reminded last."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
KINDS = "subject_kind IN ('measure', 'item')"


def upgrade() -> None:
    op.create_table(
        "assurance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("rating", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("assurer", sa.Uuid(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("given_version", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("withdrawn_because", TEXT, nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_assurance_subject_kind_known")),
        sa.CheckConstraint("rating IN ('green', 'yellow', 'red')", name=op.f("ck_assurance_rating_known")),
        sa.CheckConstraint("state IN ('valid', 'withdrawn', 'expired')", name=op.f("ck_assurance_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assurance")),
        sa.UniqueConstraint("plan", "subject_kind", "subject", name=op.f("uq_assurance_plan_subject_kind_subject")),
    )
    valid = sa.text("state = 'valid'")
    op.create_index(op.f("ix_assurance_expires_on"), "assurance", ["expires_on"], postgresql_where=valid)
    op.create_table(
        "risk",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("title_zh", TEXT, nullable=False),
        sa.Column("title_en", TEXT, nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("likelihood", sa.Integer(), nullable=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("response", TEXT, nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_risk_subject_kind_known")),
        sa.CheckConstraint(
            "state IN ('open', 'mitigating', 'closed', 'materialised')", name=op.f("ck_risk_state_known")
        ),
        sa.CheckConstraint(
            "likelihood BETWEEN 1 AND 5 AND impact BETWEEN 1 AND 5", name=op.f("ck_risk_from_one_to_five")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk")),
        sa.UniqueConstraint("plan", "code", name=op.f("uq_risk_plan_code")),
    )
    op.add_column("item", sa.Column("reminded_on", sa.Date(), nullable=True))
    op.execute("GRANT SELECT, INSERT, UPDATE ON assurance, risk TO measures_app")  # never deleted: nothing is forgotten


def downgrade() -> None:
    op.drop_column("item", "reminded_on")
    op.drop_table("risk")
    op.drop_index(op.f("ix_assurance_expires_on"), table_name="assurance")
    op.drop_table("assurance")
