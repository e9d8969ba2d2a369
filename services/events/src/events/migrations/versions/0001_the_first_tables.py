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
        "feed_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.Column("plan", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("positions", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_change")),
    )
    op.create_index(op.f("ix_feed_change_n"), "feed_change", ["n"], unique=True)
    op.create_index(
        "ix_feed_change_unnumbered", "feed_change", ["id"], unique=False, postgresql_where=sa.text("n IS NULL")
    )
    op.create_table(
        "feed_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_counter")),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title_zh", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title_en", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
    )
    op.create_index(op.f("ix_item_plan_measure"), "item", ["plan", "measure"], unique=False)
    op.create_table(
        "item_step",
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item", "version", name=op.f("pk_item_step")),
    )
    op.create_table(
        "measure_progress",
        sa.Column("plan", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("by_state", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("milestones", sa.Integer(), nullable=False),
        sa.Column("milestones_reported", sa.Integer(), nullable=False),
        sa.Column("milestones_verified", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Numeric(), nullable=True),
        sa.Column("verified", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("plan", "measure", name=op.f("pk_measure_progress")),
    )
    op.create_table(
        "milestone",
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Numeric(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item", "number", name=op.f("pk_milestone")),
    )
    op.create_table(
        "milestone_end",
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item", "number", name=op.f("pk_milestone_end")),
    )
    op.create_table(
        "milestone_word",
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("replaces", sa.BigInteger(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item", "number", "version", name=op.f("pk_milestone_word")),
    )
    op.create_index(
        op.f("ix_milestone_word_item_number_replaces"), "milestone_word", ["item", "number", "replaces"], unique=False
    )
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="pairs of name and Latin-1 text, one character a byte",
        ),
        sa.Column(
            "aggregate_id", sa.Uuid(), nullable=True, comment="the aggregate that the record claims, if it can be read"
        ),
        sa.Column("version", sa.BigInteger(), nullable=True, comment="the version that it claims"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "copied",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether the quarantine topic has it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        sa.UniqueConstraint(
            "projection",
            "topic",
            "partition",
            "record_offset",
            name=op.f("uq_parked_projection_topic_partition_record_offset"),
        ),
    )
    op.create_index(
        op.f("ix_parked_projection_aggregate_id_version"),
        "parked",
        ["projection", "aggregate_id", "version"],
        unique=False,
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title_zh", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title_en", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("code", name=op.f("uq_plan_code")),
    )
    op.create_table(
        "plan_part",
        sa.Column("plan", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("aspect", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("mode", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("plan", "kind", "code", name=op.f("pk_plan_part")),
    )
    op.create_table(
        "plan_step",
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phase", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan", "version", name=op.f("pk_plan_step")),
    )
    op.create_table(
        "projection_offset",
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("witness_offset", sa.BigInteger(), nullable=True, comment="offset of the last record taken in"),
        sa.Column(
            "witness_id",
            sa.Text(),
            nullable=True,
            comment="its ce_id: tells a refilled topic from the one that was read",
        ),
        sa.Column(
            "caught_up_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the end of the partition was last reached",
        ),
        sa.PrimaryKeyConstraint("projection", "topic", "partition", name=op.f("pk_projection_offset")),
    )
    op.create_table(
        "projection_version",
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("projection", "aggregate_id", name=op.f("pk_projection_version")),
    )
    op.execute("INSERT INTO feed_counter (id, last) VALUES (1, 0)")
    op.execute("GRANT USAGE ON SCHEMA public TO events_app")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON plan, plan_part, plan_step, item, item_step, milestone, milestone_end, milestone_word, measure_progress, feed_change, feed_counter, projection_offset, projection_version, parked TO events_app"
    )


def downgrade() -> None:
    op.drop_table("projection_version")
    op.drop_table("projection_offset")
    op.drop_table("plan_step")
    op.drop_table("plan_part")
    op.drop_table("plan")
    op.drop_index(op.f("ix_parked_projection_aggregate_id_version"), table_name="parked")
    op.drop_table("parked")
    op.drop_index(op.f("ix_milestone_word_item_number_replaces"), table_name="milestone_word")
    op.drop_table("milestone_word")
    op.drop_table("milestone_end")
    op.drop_table("milestone")
    op.drop_table("measure_progress")
    op.drop_table("item_step")
    op.drop_index(op.f("ix_item_plan_measure"), table_name="item")
    op.drop_table("item")
    op.drop_table("feed_counter")
    op.drop_index("ix_feed_change_unnumbered", table_name="feed_change", postgresql_where=sa.text("n IS NULL"))
    op.drop_index(op.f("ix_feed_change_n"), table_name="feed_change")
    op.drop_table("feed_change")
