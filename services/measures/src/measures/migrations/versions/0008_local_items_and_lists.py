"""Items of local plans, by what an item's progress is measured, and the indexes along which lists are read."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString()
    op.add_column("item", sa.Column("local_plan", text, nullable=True))
    op.add_column("item", sa.Column("parent", sa.Uuid(), nullable=True))
    op.add_column("item", sa.Column("progress_basis", text, nullable=False, server_default="milestones"))
    op.alter_column("item", "progress_basis", server_default=None)
    op.create_check_constraint(
        op.f("ck_item_progress_basis_known"), "item", "progress_basis IN ('milestones', 'local-items')"
    )
    op.drop_index(op.f("ix_item_owner"), table_name="item")
    op.create_index(op.f("ix_item_owner_plan_code"), "item", ["owner", "plan", "code"])
    op.create_index(op.f("ix_item_plan_state_code"), "item", ["plan", "state", "code"])
    op.create_index(op.f("ix_item_plan_due_on_code"), "item", ["plan", "due_on", "code"])
    op.create_index(
        op.f("ix_item_local_plan"), "item", ["local_plan"], postgresql_where=sa.text("local_plan IS NOT NULL")
    )


def downgrade() -> None:
    for columns in ("local_plan", "plan_due_on_code", "plan_state_code", "owner_plan_code"):
        op.drop_index(op.f(f"ix_item_{columns}"), table_name="item")
    op.create_index(op.f("ix_item_owner"), "item", ["owner"], unique=False)
    op.drop_constraint(op.f("ck_item_progress_basis_known"), "item", type_="check")
    for column in ("progress_basis", "parent", "local_plan"):
        op.drop_column("item", column)
