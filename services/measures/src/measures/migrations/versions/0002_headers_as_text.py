"""An event's headers are kept as the text that they are published from: taking jsonb apart cost the relay most.

The table is written anew, and nobody reads or writes it meanwhile.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE event ALTER COLUMN headers TYPE json USING headers::text::json")


def downgrade() -> None:
    op.execute("ALTER TABLE event ALTER COLUMN headers TYPE jsonb USING headers::text::jsonb")
