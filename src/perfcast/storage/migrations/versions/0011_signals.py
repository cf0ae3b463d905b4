"""How often signals alone may have models trained anew, and how many new rows that takes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns; schedules that are there get the defaults."""
    columns = (
        ("most_per_day", "4", "runs that signals alone begin within 24 hours"),
        ("least_new_rows", "0", "that a signal alone needs"),
    )
    with op.batch_alter_table("schedule") as schedule:
        for name, default, meaning in columns:
            schedule.add_column(sa.Column(name, sa.Integer, nullable=False, server_default=default, comment=meaning))
    with op.batch_alter_table("schedule") as schedule:
        for name, _, _ in columns:
            schedule.alter_column(name, server_default=None)
