"""The first tables."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("aggregate_type", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("aggregate_version", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="JSON bytes, exactly as published"),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="CloudEvents headers, exactly as published",
        ),
        sa.Column("effective_on", sa.Date(), nullable=False, comment="when it holds, a day in Shanghai"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when it became known"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=True),
        sa.Column("causation", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("aggregate_version > 0", name=op.f("ck_event_version_from_one")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "aggregate_type",
            "aggregate_id",
            "aggregate_version",
            name=op.f("uq_event_aggregate_type_aggregate_id_aggregate_version"),
        ),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_event_id")),
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "principal", "route", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_expires_at"), "idempotency", ["expires_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slice", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_slice_position"), "outbox", ["slice", "position"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name_zh", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("named_from", sa.Date(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("division_code", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("zone_code", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('municipal', 'department', 'affiliate', 'external', 'district', 'zone', 'enterprise', 'campus', 'research-institute', 'hospital', 'township', 'rural-tech')",
            name=op.f("ck_unit_kind_known"),
        ),
        sa.CheckConstraint("state IN ('active', 'merged', 'dissolved')", name=op.f("ck_unit_state_known")),
        sa.ForeignKeyConstraint(["parent"], ["unit.id"], name=op.f("fk_unit_parent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_index(
        "uq_unit_division_code", "unit", ["division_code"], unique=True, postgresql_where=sa.text("state = 'active'")
    )
    op.create_index(
        "uq_unit_municipal",
        "unit",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("kind = 'municipal' AND state = 'active'"),
    )
    op.create_index(
        "uq_unit_zone_code", "unit", ["zone_code"], unique=True, postgresql_where=sa.text("state = 'active'")
    )
    op.execute("GRANT USAGE ON SCHEMA public TO societies_app")
    # A unit is never deleted, so that its code is never reused.
    op.execute("GRANT SELECT, INSERT, UPDATE ON unit TO societies_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, idempotency TO societies_app")
    op.execute("GRANT SELECT, INSERT ON event TO societies_app")  # append-only: history is never rewritten


def downgrade() -> None:
    op.drop_index("uq_unit_zone_code", table_name="unit", postgresql_where=sa.text("state = 'active'"))
    op.drop_index(
        "uq_unit_municipal", table_name="unit", postgresql_where=sa.text("kind = 'municipal' AND state = 'active'")
    )
    op.drop_index("uq_unit_division_code", table_name="unit", postgresql_where=sa.text("state = 'active'"))
    op.drop_table("unit")
    op.drop_index(op.f("ix_outbox_slice_position"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_idempotency_expires_at"), table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_table("event")
