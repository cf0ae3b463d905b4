"""Which jobs were written to MLflow."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "job_export",
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("tried_at", sa.String(32), nullable=False, comment="when it was tried last; decides who does it"),
        sa.Column("run", sa.String(64), nullable=True, comment="MLflow's id, once all of it is there"),
        sa.PrimaryKeyConstraint("job", name="pk_job_export"),
    )
