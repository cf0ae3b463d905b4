"""What callers call the requests that submit jobs, so that one sent twice makes one job."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns; jobs that are there already were submitted without."""
    comments = {"once": "sha256 of what its caller calls that call", "once_asked": "sha256 of what was asked by it"}
    for name, comment in comments.items():
        op.add_column("job", sa.Column(name, sa.String(64), nullable=True, comment=comment))
    op.create_index("ix_job_once", "job", ["once"], unique=True)
