"""Until when the rows reached that a schedule's last run was given, so that newer ones can be told from them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; of runs that are over it isn't known."""
    column = sa.Column("last_until", sa.String(32), nullable=True, comment="when the newest of them was measured")
    op.add_column("schedule", column)
