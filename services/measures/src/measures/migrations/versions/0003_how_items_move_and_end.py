"""What is kept of an item beside where it stands, and the states in which it ends otherwise than verified."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = "state IN ('draft', 'assigned', 'acknowledged', 'in-progress', 'reported-done', 'verified-closed')"
AFTER = BEFORE.removesuffix(")") + ", 'cancelled', 'merged', 'carried-over')"
NOTHING_SAID = {"note": "null", "doubts": "[]", "ending": "null"}

FILL = """
UPDATE item SET schedule = jsonb_build_object(
    'since', (SELECT effective_on FROM event
              WHERE aggregate_type = 'item' AND aggregate_id = item.id AND aggregate_version = 1),
    'baselines', '[]'::jsonb, 'extension', NULL)
"""
"""Of a due date that never moved the last word is that of the day on which the item was put on the list."""


def upgrade() -> None:
    op.add_column("item", sa.Column("schedule", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute(FILL)
    op.alter_column("item", "schedule", nullable=False)
    for column, nothing in NOTHING_SAID.items():
        jsonb = postgresql.JSONB(astext_type=sa.Text())
        op.add_column("item", sa.Column(column, jsonb, nullable=False, server_default=nothing))
        op.alter_column("item", column, server_default=None)
    op.drop_constraint(op.f("ck_item_state_known"), "item", type_="check")
    op.create_check_constraint(op.f("ck_item_state_known"), "item", AFTER)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_item_state_known"), "item", type_="check")
    op.create_check_constraint(op.f("ck_item_state_known"), "item", BEFORE)
    for column in ("schedule", *NOTHING_SAID):
        op.drop_column("item", column)
