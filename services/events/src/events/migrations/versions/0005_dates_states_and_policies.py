"""Planned days, due days, states of measures, policies, independent ratings and risks; everything is read anew for them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
MADE_ANEW = (
    "plan", "plan_part", "plan_name", "plan_step", "sibling_weight", "item", "item_step", "milestone", "milestone_end",
    "milestone_word", "item_progress", "measure_progress", "feed_change", "projection_offset", "projection_version",
    "parked",
)  # fmt: skip
NEW = (
    "scoring_policy", "item_move", "milestone_move", "measure_step", "measure_lead", "measure_tags", "assurance",
    "assurance_word", "risk", "risk_step",
)  # fmt: skip


def upgrade() -> None:
    # What was read so far had no planned days: the projector reads the topics again from their beginning.
    op.execute(f"TRUNCATE {', '.join(MADE_ANEW)}")
    op.add_column("milestone", sa.Column("planned_on", sa.Date(), nullable=False))
    of_version("scoring_policy", sa.Column("plan", sa.Uuid(), nullable=False), *POLICY)
    of_version("item_move", sa.Column("item", sa.Uuid(), nullable=False), a_day("due_on"))
    number = sa.Column("number", sa.Integer(), nullable=False)
    of_version("milestone_move", sa.Column("item", sa.Uuid(), nullable=False), number, a_day("planned_on"))
    of_measure("measure_step", sa.Column("state", TEXT, nullable=False))
    of_measure(
        "measure_lead",
        sa.Column("lead_unit", sa.Uuid(), nullable=False),
        sa.Column("co_units", postgresql.ARRAY(sa.Uuid()), nullable=False),
    )
    of_measure("measure_tags", sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False))
    of_subject("assurance")
    of_version(
        "assurance_word",
        sa.Column("assurance", sa.Uuid(), nullable=False),
        sa.Column("rating", TEXT, nullable=True),
        sa.Column("assurer", sa.Uuid(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
    )
    of_subject("risk")
    of_version("risk_step", sa.Column("risk", sa.Uuid(), nullable=False), sa.Column("state", TEXT, nullable=False))
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(NEW)} TO events_app")


POLICY = (
    sa.Column("policy_version", sa.Integer(), nullable=False),
    *(
        sa.Column(name, sa.Numeric(), nullable=False)
        for name in ("item_share", "outcome_share", "green_gap", "yellow_gap")
    ),
    sa.Column("yellow_overdue_days", sa.Integer(), nullable=False),
)


def a_day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)


def of_version(table: str, aggregate: sa.Column[object], *columns: sa.Column[object]) -> None:
    """A fact that follows from one event of an aggregate."""
    numbers = [column.name for column in columns if column.name == "number"]
    op.create_table(
        table,
        aggregate,
        sa.Column("version", sa.BigInteger(), nullable=False),
        *columns,
        a_day("effective_on"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(aggregate.name, *numbers, "version", name=op.f(f"pk_{table}")),
    )


def of_measure(table: str, *columns: sa.Column[object]) -> None:
    """A fact of a measure, looked up by its plan and code."""
    names = (sa.Column("plan", TEXT, nullable=False), sa.Column("code", TEXT, nullable=False))
    of_version(table, sa.Column("measure", sa.Uuid(), nullable=False), *names, *columns)
    op.create_index(op.f(f"ix_{table}_plan_code"), table, ["plan", "code"], unique=False)


def of_subject(table: str) -> None:
    """Something that is of one measure or item."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_plan_subject"), table, ["plan", "subject"], unique=False)


def downgrade() -> None:
    for table in NEW:
        op.drop_table(table)
    op.drop_column("milestone", "planned_on")
