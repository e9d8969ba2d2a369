"""Documents on record for what they prove; their files are kept elsewhere."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
STATES = "state IN ('registered', 'verified', 'rejected', 'invalidated', 'superseded')"
CLASSIFICATIONS = "classification IN ('public', 'internal', 'sensitive')"


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("document_number", TEXT, nullable=True),
        sa.Column("issuer", TEXT, nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("classification", TEXT, nullable=False),
        sa.Column("redacted", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("links", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("authority", TEXT, nullable=True),
        sa.Column("successor", sa.Uuid(), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_evidence_state_known")),
        sa.CheckConstraint(CLASSIFICATIONS, name=op.f("ck_evidence_classification_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    for column in ("sha256", "file", "registered_by"):
        op.create_index(op.f(f"ix_evidence_{column}"), "evidence", [column])
    op.create_index(
        "ix_evidence_links", "evidence", ["links"], postgresql_using="gin", postgresql_ops={"links": "jsonb_path_ops"}
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON evidence TO measures_app")


def downgrade() -> None:
    op.drop_table("evidence")
