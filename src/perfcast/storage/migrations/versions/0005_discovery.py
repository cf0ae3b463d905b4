"""Models found in a folder."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "discovery",
        sa.Column("path", sa.Text, nullable=False, comment="relative to MODELS_DIR"),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, comment="of what was read; empty where nothing was"),
        sa.Column("state", sa.String(16), nullable=False, comment="registered, converted or failed"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_discovery"),
    )
