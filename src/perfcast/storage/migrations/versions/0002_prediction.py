"""The record of every prediction."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "prediction",
        sa.Column("id", sa.String(32), nullable=False, comment="sorts by time"),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("features", sa.Text, nullable=False, comment="JSON: numbers in the order of the version's workload"),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("lower", sa.Float, nullable=True),
        sa.Column("upper", sa.Float, nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prediction"),
        sqlite_with_rowid=False,
    )
