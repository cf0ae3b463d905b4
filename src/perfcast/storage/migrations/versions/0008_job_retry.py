"""When a job is begun again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the time before which a job that was put back is not claimed."""
    comment = "nobody claims it before; null where it may be at once"
    op.add_column("job", sa.Column("retry_at", sa.String(32), nullable=True, comment=comment))
